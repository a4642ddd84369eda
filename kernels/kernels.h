/**
 * The contract of every kernel: what it reads, what it writes, and in which order it computes.
 *
 * Tensors are fp32, blocked [N][C/16][H][W][16] ("NCHW16c"); the image alone is [N][H][W][3].
 * Offsets and strides are counted in floats. No kernel needs more alignment than 4 bytes.
 *
 * Numerics. IEEE single precision, round to nearest, denormals kept. Each output element of a
 * convolution or a dense layer is one chain of fused multiply-adds
 *     acc = bias;  for (cin block, ky, kx, cin)  acc = fma(x, w, acc)
 * in exactly that order, whatever the ISA, blocking or thread count; bilinear.h has others, whose
 * order is as fixed. relu(x) is x < 0 ? 0 : x, so a NaN and a -0 go through. Two kernels of one op
 * give the same bits (a NaN may differ in payload and sign: the hardware's default NaN does).
 */
#ifndef RESMARK_KERNELS_KERNELS_H
#define RESMARK_KERNELS_KERNELS_H

#include "arch/isa.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Channels in a block of the blocked layout: one cache line of floats. */
#define BLOCK 16

/** A blocked tensor seen from a strip of pixels: pixel p of output block b is data + b *
 * block_stride + at[p]. */
struct strip_in {
    const float *data;
    const int32_t *at;
    size_t block_stride;
};

/** The same for a tensor that is written. */
struct strip_out {
    float *data;
    const int32_t *at;
    size_t block_stride;
};

/**
 * One strip of pixels of a convolution, times `blocks` blocks of 16 output channels, over a part of
 * the reduction: `pieces` pieces of `piece` input floats each.
 *
 * A piece is what lies together both in the input and in the weights: the 16 channels of a block
 * under one filter tap, or for the stem, whose pixels are 3 floats, one filter row (kernel_w * 3).
 * Piece k of pixel p is the floats at
 *     in + in_at[p] + piece_at[k]
 * and its weights are the next piece * 16 floats of the panel ([cin block][ky][kx][cin][16 cout]).
 *
 * The pieces may be spread over several calls: all but the first take the partial sums up from
 * `partial` ([blocks][pixels][16], from block to block partial_stride floats), all but the last
 * leave them there. Only the last call has an epilogue. v being the finished chain:
 *     if (residual.data)  v = v + residual
 *     if (sum.data)       sum = v
 *     if (act.data)       act = relu(scale ? fma(v, scale, shift) : v)
 */
struct conv_args {
    const float *in;
    const int32_t *in_at;
    const int32_t *piece_at;
    const float *weights;  /**< panel of the first output block, at the first piece of this call */
    const float *bias;     /**< [blocks][16], or NULL: zeros; not read when `resume` */
    const float *prefetch; /**< weights that will be needed next, fetched while computing … */
    const float *prefetch_end; /**< … up to here */
    size_t weights_stride;     /**< from the panel of one output block to that of the next */
    int pixels;
    int blocks; /**< at most the tile's */
    int pieces;
    int piece;
    bool adjacent; /**< a hint that may be false: in_at[p] is in_at[0] + p * 16 for every pixel */
    bool adjacent_out; /**< the same of residual.at, sum.at and act.at, if there are such tensors */
    bool resume;       /**< start from `partial` instead of `bias` */
    bool finish;       /**< run the epilogue instead of storing `partial` */
    float *partial;
    size_t partial_stride; /**< at least pixels * 16 */
    struct strip_in residual;
    struct strip_out sum;
    struct strip_out act;
    const float *scale; /**< [blocks][16], or NULL */
    const float *shift;
};

/** Convolution over blocked input: piece is 16. */
typedef void conv_fn(const struct conv_args *args);

/** Convolution over the 3-channel image: piece is a multiple of 3. */
typedef void stem_fn(const struct conv_args *args);

/** out[i] = a[i] + b[i]. out may be a or b. */
typedef void add_fn(const float *a, const float *b, float *out, size_t count);

/** One block of channels: act = relu(fma(x, scale, shift)) for `pixels` groups of 16 floats. */
typedef void bn_relu_fn(const float *x, const float *scale, const float *shift, float *act,
                        size_t pixels);

/** The dual store alone: sum = a + b; act = relu(fma(sum, scale, shift)). sum may be a or b. */
typedef void add_bn_relu_fn(const float *a, const float *b, const float *scale, const float *shift,
                            float *sum, float *act, size_t pixels);

/**
 * One output row of a max-pool over one block of channels. Positions outside the input take no
 * part. The maximum is taken in the order (ky, kx) as m > x ? m : x, except that a NaN stays.
 * Then as a convolution's epilogue: sum = m, act = relu(scale ? fma(m, scale, shift) : m), each if
 * not NULL.
 */
struct max_pool_args {
    const float *in;   /**< the block's plane */
    size_t row_stride; /**< of the input */
    int height, width; /**< of the input */
    int kernel, stride, pad;
    int row; /**< which output row */
    int out_width;
    float *sum; /**< the row of the output, or NULL */
    float *act;
    const float *scale; /**< [16], or NULL */
    const float *shift;
};
typedef void max_pool_fn(const struct max_pool_args *args);

/** One block of channels: out[16] = (sum of the pixels in order, from 0) / pixels. */
typedef void avg_pool_fn(const float *in, size_t pixels, float *out);

/**
 * Dense layer: `blocks` blocks of 16 outputs for one vector of `inputs` floats (a multiple of 16),
 * weights as the panels of a 1x1 convolution, `inputs` * 16 floats each.
 */
typedef void fc_fn(const float *in, const float *weights, const float *bias, float *out,
                   size_t inputs, size_t blocks);

/**
 * out[i] = exp(x[i] - max) / sum, with SLEEF's finz_ expf (1.0 ULP, the same bits on every ISA),
 * the sum taken in ascending order.
 */
typedef void softmax_fn(const float *x, float *out, size_t count);

/**
 * One patch of an input transform, for one block of channels: V = B^T d B of the side x side pixels
 * at `in`, position p = y * side + x going to out + p * position_stride. Pixels from `rows` and
 * `columns` on lie outside and count as zeros. side is m + 2 for Winograd's F(m x m, 3x3), 5 for
 * the polyphase form. Positions that bilinear_kept() leaves out, for the outputs that this many
 * pixels make, are not written.
 */
struct patch_in_args {
    const float *in;
    size_t row_stride;
    int rows, columns; /**< that may be read, at most side */
    float *out;
    size_t position_stride;
};
typedef void winograd2_in_fn(const struct patch_in_args *args);
typedef void winograd4_in_fn(const struct patch_in_args *args);
typedef void winograd6_in_fn(const struct patch_in_args *args);
typedef void polyphase2_in_fn(const struct patch_in_args *args);

/**
 * The same for the stem's polyphase form, of 13 x 13 pixels of the image, of 3 floats each:
 * position p = y * 7 + x gets 16 floats, of which the first 12 count: of even rows the 3 channels
 * in even and in odd columns, then those of odd rows. At x = 6 there are no odd columns, and the 3
 * of odd rows follow at once; at y = 6 no odd rows. (The others are of the next columns or rows,
 * and zeros.) The pixels that would be number 14 in a row or column count as zeros.
 */
typedef void polyphase4_in_fn(const struct patch_in_args *args);

/**
 * One tile of the output transform: Y = A^T M A, M being of the positions that bilinear_kept() has
 * for the outputs, of which the first `rows` x `columns` pixels are stored with a convolution's
 * epilogue, v being y + bias. Pixel (y, x) of each tensor is at base + y * stride + x * 16; NULL is
 * a tensor that is not there.
 */
struct patch_out_args {
    const float *in;
    size_t position_stride;
    int rows, columns; /**< at most m */
    const float *bias; /**< [16], as are the next two; scale may be NULL */
    const float *scale;
    const float *shift;
    const float *residual;
    float *sum, *act;
    size_t residual_stride, sum_stride, act_stride;
};
typedef void winograd2_out_fn(const struct patch_out_args *args);
typedef void winograd4_out_fn(const struct patch_out_args *args);
typedef void winograd6_out_fn(const struct patch_out_args *args);
typedef void polyphase2_out_fn(const struct patch_out_args *args);
typedef void polyphase4_out_fn(const struct patch_out_args *args);

/** No such pixel: of an offset. */
#define NO_PIXEL INT32_MIN

/** A blocked tensor seen from pairs of pixels and of blocks: pixel q of pair i in block b, both 0
 * or 1, is at data + b * half_stride + at[q][i]. */
struct pairs_in {
    const float *data;
    const int32_t *at[2];
    size_t half_stride;
};

/** The same for a tensor that is written; data is NULL if there is no such tensor. */
struct pairs_out {
    float *data;
    const int32_t *at[2];
    size_t half_stride;
};

/**
 * Strassen's input transform of pairs of pixels, for one pair of blocks: five sums of pair i go to
 * out + p * position_stride + i * 16.
 */
struct strassen_in_args {
    struct pairs_in in;
    int pairs;
    float *out;
    size_t position_stride;
};
typedef void strassen_in_fn(const struct strassen_in_args *args);

/**
 * Strassen's output transform of pairs of pixels, for one pair of blocks, with a convolution's
 * epilogue, v being c + bias. Product p of pair i is at in + p * position_stride + i * 16. No pixel
 * is stored whose at[1][i] is NO_PIXEL, in all tensors alike.
 */
struct strassen_out_args {
    const float *in;
    size_t position_stride;
    int pairs;
    const float *bias[2]; /**< [16] of each block, as are the next two; scale may be NULL */
    const float *scale[2];
    const float *shift[2];
    struct pairs_in residual; /**< data may be NULL */
    struct pairs_out sum, act;
};
typedef void strassen_out_fn(const struct strassen_out_args *args);

/**
 * Executes independent chains of fused multiply-adds on registers, as many as fill the pipes, for
 * `rounds` rounds: the FMA ceiling of a core. Returns the floating-point operations done (2 a
 * lane and FMA).
 */
typedef double peak_fn(long rounds);

/** Every op, for code that goes over all of them: X(name). */
#define KERNEL_OPS(X)                                                                              \
    X(conv)                                                                                        \
    X(stem)                                                                                        \
    X(add)                                                                                         \
    X(bn_relu)                                                                                     \
    X(add_bn_relu)                                                                                 \
    X(max_pool)                                                                                    \
    X(avg_pool)                                                                                    \
    X(fc)                                                                                          \
    X(softmax)                                                                                     \
    X(winograd2_in)                                                                                \
    X(winograd2_out)                                                                               \
    X(winograd4_in)                                                                                \
    X(winograd4_out)                                                                               \
    X(winograd6_in)                                                                                \
    X(winograd6_out)                                                                               \
    X(polyphase2_in)                                                                               \
    X(polyphase2_out)                                                                              \
    X(polyphase4_in)                                                                               \
    X(polyphase4_out)                                                                              \
    X(strassen_in)                                                                                 \
    X(strassen_out)                                                                                \
    X(peak)

/** The kernels of one ISA, with the register tile that the convolutions are called for. */
struct kernel_set {
    enum isa isa;
    const char *name; /**< of the ISA */
    int tile_pixels;  /**< pixels in the register tile; a strip should hold several */
    int tile_blocks;  /**< blocks of 16 output channels in it */
#define KERNEL_SLOT(op)                                                                            \
    struct {                                                                                       \
        op##_fn *run;                                                                              \
        const char *name; /* as in the table: op_variant__isa */                                   \
    } op;
    KERNEL_OPS(KERNEL_SLOT)
#undef KERNEL_SLOT
};

/** The set of an ISA, or NULL when this build has none (another architecture). */
const struct kernel_set *kernel_set_get(enum isa isa);

#endif
