/* The FMA ceiling of the scalar path: 16 independent chains of fmaf(), as its convolution has. */
#include "kernels/table.h"

#include <math.h>

double peak_x16__scalar(long rounds)
{
    float acc[BLOCK];
    for (int o = 0; o < BLOCK; o++)
        acc[o] = (float)o;
    for (long r = 0; r < rounds; r++) {
        for (int o = 0; o < BLOCK; o++)
            acc[o] = fmaf(acc[o], 0.5f, 1.0f);
    }
    for (int o = 0; o < BLOCK; o++)
        __asm__ volatile("" : : "r,m"(acc[o]));
    return 2.0 * BLOCK * (double)rounds;
}
