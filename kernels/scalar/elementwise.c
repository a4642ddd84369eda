/* Residual add and batch norm + ReLU as passes of their own, scalar. */
#include "kernels/table.h"

#include <math.h>

static float bn_relu(float x, float scale, float shift)
{
    float v = fmaf(x, scale, shift);
    return v < 0 ? 0 : v;
}

void add_x1__scalar(const float *a, const float *b, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = a[i] + b[i];
}

void bn_relu_x1__scalar(const float *x, const float *scale, const float *shift, float *act,
                        size_t pixels)
{
    for (size_t i = 0; i < pixels * BLOCK; i++)
        act[i] = bn_relu(x[i], scale[i % BLOCK], shift[i % BLOCK]);
}

void add_bn_relu_x1__scalar(const float *a, const float *b, const float *scale, const float *shift,
                            float *sum, float *act, size_t pixels)
{
    for (size_t i = 0; i < pixels * BLOCK; i++) {
        float v = a[i] + b[i];
        sum[i] = v;
        act[i] = bn_relu(v, scale[i % BLOCK], shift[i % BLOCK]);
    }
}
