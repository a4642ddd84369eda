/*
 * The FMA ceiling of an AArch64 core: 24 chains of 4 lanes, indexed by lane, as the convolution
 * has them. The chains differ in their start, so that no compiler can merge them. FMLA adds to its
 * destination, so a chain counts up, by 0.5 until the float takes no more.
 */
#include "kernels/neon/vec.h"
#include "kernels/table.h"

#define EIGHT(M, x) M(x##0) M(x##1) M(x##2) M(x##3) M(x##4) M(x##5) M(x##6) M(x##7)
#define CHAINS(M) EIGHT(M, 1) EIGHT(M, 2) EIGHT(M, 3)
#define START(i) vec acc##i = vec_set1((float)i);
#define STEP(i) acc##i = vfmaq_laneq_f32(acc##i, one, half, 0);
#define KEEP(i) __asm__ volatile("" : "+w"(acc##i));

double peak_x96__neon(long rounds)
{
    const vec half = vec_set1(0.5f), one = vec_set1(1);
    CHAINS(START)
    for (long r = 0; r < rounds; r++) {
        CHAINS(STEP)
        CHAINS(KEEP)
    }
    return 2.0 * 96 * (double)rounds;
}
