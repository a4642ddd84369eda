/*
 * Convolution, scalar: the reference that every other kernel must equal bit for bit. One pixel and
 * one block of 16 output channels at a time; fmaf() is the contract's fused multiply-add.
 */
#include "kernels/epilogue.h"
#include "kernels/table.h"

#include <math.h>

static void accumulate(const struct conv_args *a, int pixel, int block, float acc[BLOCK])
{
    const float *weights = a->weights + (size_t)block * a->weights_stride;
    for (int k = 0; k < a->pieces; k++) {
        const float *in = a->in + a->in_at[pixel] + a->piece_at[k];
        for (int c = 0; c < a->piece; c++, weights += BLOCK) {
            for (int o = 0; o < BLOCK; o++)
                acc[o] = fmaf(in[c], weights[o], acc[o]);
        }
    }
}

static void finish(const struct conv_args *a, int pixel, int block, const float acc[BLOCK])
{
    const ptrdiff_t b = block; /* signed, as the offsets of pixels are */
    const struct strip_in *r = &a->residual;
    for (int o = 0; o < BLOCK; o++) {
        float v = acc[o];
        if (r->data)
            v = v + r->data[r->at[pixel] + b * (ptrdiff_t)r->block_stride + o];
        if (a->sum.data)
            a->sum.data[a->sum.at[pixel] + b * (ptrdiff_t)a->sum.block_stride + o] = v;
        if (a->act.data) {
            if (a->scale)
                v = fmaf(v, a->scale[b * BLOCK + o], a->shift[b * BLOCK + o]);
            a->act.data[a->act.at[pixel] + b * (ptrdiff_t)a->act.block_stride + o] = v < 0 ? 0 : v;
        }
    }
}

static void conv_pixel(const struct conv_args *a, int pixel, int block)
{
    float acc[BLOCK];
    bool whole = !a->resume && a->finish;
    float *partial = whole ? NULL : a->partial + (size_t)block * a->partial_stride + pixel * BLOCK;
    for (int o = 0; o < BLOCK; o++)
        acc[o] = a->resume ? partial[o] : bias_of(a, block)[o];
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
