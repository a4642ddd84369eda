/** Plain float computations and noise to compare an oracle with. */
#ifndef RESMARK_TESTS_FLOAT_FIXTURE_H
#define RESMARK_TESTS_FLOAT_FIXTURE_H

#include "harness/oracle_conv.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/** Noise in -1..1 that is never zero. */
static inline float noise(size_t i)
{
    uint32_t hash = (uint32_t)(i + 1) * 2654435761u;
    hash = (hash ^ hash >> 15) * 0x85ebca6bu;
    return (float)((int32_t)(hash >> 8) * 2 - 0xffffff) * 0x1p-24f;
}

/** The caller frees it. Different streams are unrelated. */
static inline float *noise_array(size_t count, size_t stream)
{
    float *data = malloc(count * sizeof *data);
    cr_assert(data);
    for (size_t i = 0; i < count; i++)
        data[i] = noise(i + stream * 1000003);
    return data;
}

/** One output of a convolution, in the order of the formula. */
static inline float float_conv_at(const struct oracle_conv *conv, const float *in, int o, int y,
                                  int x)
{
    const float *w = conv->weights + o * conv->cin * conv->kernel * conv->kernel;
    float sum = conv->bias ? conv->bias[o] : 0;
    for (int c = 0; c < conv->cin; c++) {
        for (int ky = 0; ky < conv->kernel; ky++) {
            for (int kx = 0; kx < conv->kernel; kx++, w++) {
                int iy = y * conv->stride + ky - conv->pad;
                int ix = x * conv->stride + kx - conv->pad;
                if (iy >= 0 && iy < conv->height && ix >= 0 && ix < conv->width)
                    sum = fmaf(in[(c * conv->height + iy) * conv->width + ix], *w, sum);
            }
        }
    }
    return sum;
}

static inline void float_conv(const struct oracle_conv *conv, const float *in, float *out)
{
    for (int o = 0; o < conv->cout; o++) {
        for (int y = 0; y < oracle_conv_out(conv, conv->height); y++) {
            for (int x = 0; x < oracle_conv_out(conv, conv->width); x++)
                *out++ = float_conv_at(conv, in, o, y, x);
        }
    }
}

#endif
