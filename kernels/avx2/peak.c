/*
 * The FMA ceiling of an AVX2 core: 12 chains of 8 lanes, as the convolution has. The chains differ
 * in their start, so that no compiler can merge them.
 */
#include "kernels/table.h"

#include <immintrin.h>

#define CHAINS(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)
#define START(i) __m256 acc##i = _mm256_set1_ps((float)i);
#define STEP(i) acc##i = _mm256_fmadd_ps(acc##i, half, one);
#define KEEP(i) __asm__ volatile("" : "+x"(acc##i));

double peak_x96__avx2(long rounds)
{
    const __m256 half = _mm256_set1_ps(0.5f), one = _mm256_set1_ps(1.0f);
    CHAINS(START)
    for (long r = 0; r < rounds; r++) {
        CHAINS(STEP)
        CHAINS(KEEP)
    }
    return 2.0 * 96 * (double)rounds;
}
