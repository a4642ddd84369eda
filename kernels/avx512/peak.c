/*
 * The FMA ceiling of an AVX-512 core: 28 chains of 16 lanes, as the convolution has. The chains
 * differ in their start, so that no compiler can merge them.
 */
#include "kernels/table.h"

#include <immintrin.h>

#define CHAINS_0(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13)
#define CHAINS_1(M) M(14) M(15) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23) M(24) M(25) M(26)
#define CHAINS(M) CHAINS_0(M) CHAINS_1(M) M(27)
#define START(i) __m512 acc##i = _mm512_set1_ps((float)i);
#define STEP(i) acc##i = _mm512_fmadd_ps(acc##i, half, one);
#define KEEP(i) __asm__ volatile("" : "+v"(acc##i));

double peak_x448__avx512(long rounds)
{
    const __m512 half = _mm512_set1_ps(0.5f), one = _mm512_set1_ps(1.0f);
    CHAINS(START)
    for (long r = 0; r < rounds; r++) {
        CHAINS(STEP)
        CHAINS(KEEP)
    }
    return 2.0 * 448 * (double)rounds;
}
