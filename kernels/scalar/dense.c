/* Dense layer and softmax, scalar. */
#include "kernels/table.h"

#include <math.h>
#include <sleef.h>

#ifndef FP_FAST_FMAF
/*
 * SLEEF's header declares it only where the compiler may use FMA instructions; its library has it
 * everywhere.
 */
float Sleef_finz_expf1_u10purecfma(float x);
#endif

void fc_1x16__scalar(const float *in, const float *weights, const float *bias, float *out,
                     size_t inputs, size_t blocks)
{
    for (size_t b = 0; b < blocks; b++) {
        float acc[BLOCK];
        for (int o = 0; o < BLOCK; o++)
            acc[o] = bias[b * BLOCK + o];
        for (size_t i = 0; i < inputs; i++) {
            for (int o = 0; o < BLOCK; o++)
                acc[o] = fmaf(in[i], weights[(b * inputs + i) * BLOCK + o], acc[o]);
        }
        for (int o = 0; o < BLOCK; o++)
            out[b * BLOCK + o] = acc[o];
    }
}

void softmax_x1__scalar(const float *x, float *out, size_t count)
{
    float most = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++)
        most = most > x[i] || isnan(most) ? most : x[i];
    for (size_t i = 0; i < count; i++)
        out[i] = Sleef_finz_expf1_u10purecfma(x[i] - most);
    for (size_t i = 0; i < count; i++)
        sum += out[i];
    for (size_t i = 0; i < count; i++)
        out[i] /= sum;
}
