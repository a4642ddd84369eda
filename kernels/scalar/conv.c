/*
 * Convolution, scalar: the reference that every other kernel must equal bit for bit. One pixel and
 * one block of 16 output channels at a time; fmaf() is the contract's fused multiply-add.
 */
#include "kernels/table.h"

#include <math.h>

static void run_fma(const float *in, const float *weights, int run, float acc[BLOCK])
{
    for (int c = 0; c < run; c++) {
        for (int o = 0; o < BLOCK; o++)
            acc[o] = fmaf(in[c], weights[c * BLOCK + o], acc[o]);
    }
}

static void accumulate(const struct conv_args *a, int pixel, int block, float acc[BLOCK])
{
    const float *weights = a->weights + (size_t)block * a->weights_stride;
    const float *in = a->in + a->in_at[pixel];
    for (int c = 0; c < a->cin_blocks; c++) {
        for (int ky = 0; ky < a->kernel_h; ky++) {
            run_fma(in + (size_t)c * a->cin_stride + (size_t)ky * a->row_stride, weights, a->run,
                    acc);
            weights += (size_t)a->run * BLOCK;
        }
    }
}

static void finish(const struct conv_args *a, int pixel, int block, const float acc[BLOCK])
{
    size_t b = (size_t)block;
    const struct strip_in *r = &a->residual;
    for (int o = 0; o < BLOCK; o++) {
        float v = acc[o];
        if (r->data)
            v = v + r->data[r->at[pixel] + b * r->block_stride + o];
        if (a->sum.data)
            a->sum.data[a->sum.at[pixel] + b * a->sum.block_stride + o] = v;
        if (a->act.data) {
            if (a->scale)
                v = fmaf(v, a->scale[b * BLOCK + o], a->shift[b * BLOCK + o]);
            a->act.data[a->act.at[pixel] + b * a->act.block_stride + o] = v < 0 ? 0 : v;
        }
    }
}

static void conv_pixel(const struct conv_args *a, int pixel, int block)
{
    float acc[BLOCK];
    float *partial = a->partial + ((size_t)block * a->pixels + pixel) * BLOCK;
    for (int o = 0; o < BLOCK; o++)
        acc[o] = a->resume ? partial[o] : a->bias[block * BLOCK + o];
    accumulate(a, pixel, block, acc);
    if (a->finish) {
        finish(a, pixel, block, acc);
    } else {
        for (int o = 0; o < BLOCK; o++)
            partial[o] = acc[o];
    }
}

void conv_mk_1x16__scalar(const struct conv_args *a)
{
    for (int block = 0; block < a->blocks; block++) {
        for (int pixel = 0; pixel < a->pixels; pixel++)
            conv_pixel(a, pixel, block);
    }
}

void stem_mk_1x16__scalar(const struct conv_args *a)
{
    conv_mk_1x16__scalar(a);
}
