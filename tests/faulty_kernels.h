/** Kernels that are right until a fault is chosen: what a check must notice. */
#ifndef RESMARK_TESTS_FAULTY_KERNELS_H
#define RESMARK_TESTS_FAULTY_KERNELS_H

#include "kernels/table.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum fault {
    FAULT_NONE,
    FAULT_SWAPPED_OPERANDS,  /**< of the FMA */
    FAULT_MULTIPLY_THEN_ADD, /**< instead of an FMA */
    FAULT_REVERSED_SUM,
    FAULT_TWO_SUMS, /**< of every second term, joined at the end */
    FAULT_RECIPROCAL,
    FAULT_RELU_LOSES_NAN,
    FAULT_RELU_LOSES_SIGN, /**< -0 becomes +0 */
    FAULT_FLUSH,           /**< denormals become 0 */
    FAULT_KEEPS_MODE,      /**< another rounding mode stays behind */
    FAULT_PLAIN_SCALE,     /**< the batch norm multiplies, then adds */
    FAULT_SKIPS_TAIL,
    FAULT_SKIPS_LAST_BLOCK,
    FAULT_WRITES_PAST,
    FAULT_WRITES_BEFORE,
    FAULT_WRITES_INPUT,
    FAULT_READS_PAST,
    FAULT_NEEDS_ALIGNMENT,
    FAULT_LATE_READ, /**< reads an input again after the output that it may share is written */
    FAULT_PARTIAL_PAST,
    FAULT_STORES_EARLY, /**< has an epilogue while the sum is not finished */
    FAULT_FORGETS_PARTIAL,
    FAULT_FORGETS_BIAS,   /**< of strips of 7 pixels */
    FAULT_ONE_STRIDE,     /**< takes sum's block stride for act's */
    FAULT_ASSUMES_PIECES, /**< takes the pieces to be one behind the other */
    FAULT_LONG_STRIP,     /**< is wrong only in strips of more than 40 pixels or 10 pairs */
    FAULT_ADJACENT,       /**< is wrong only in strips whose pixels are said to be adjacent */
    FAULT_ADJACENT_OUT,   /**< the same of outputs */
    FAULT_ASSUMES_OUT,    /**< takes outputs to be adjacent where the pixels are said to be */
    FAULT_OVER_THE_EDGE,  /**< of a tensor a whole patch is read */
    FAULT_LONE_PIXEL,     /**< without a partner: it is left out */
    FAULT_MAX_LOSES_NAN,
    FAULT_MAX_KEEPS_FIRST, /**< of two zeros of different sign */
    FAULT_PADS_WITH_ZERO,
    FAULT_OTHER_EXP,
    FAULT_NOTHING_DONE,
    FAULT_SEGV,
    FAULT_ILL,
    FAULT_FPE,
    FAULT_ABORT,
    FAULT_EXIT,
    FAULT_HANG,
};

/** The fault of all kernels in this file; a check's own process inherits it. */
static enum fault fault;

static inline float faulty_fma(float x, float w, float acc)
{
    if (fault == FAULT_SWAPPED_OPERANDS)
        return fmaf(acc, w, x);
    return fault == FAULT_MULTIPLY_THEN_ADD ? x * w + acc : fmaf(x, w, acc);
}

static inline float faulty_flush(float v)
{
    return fault == FAULT_FLUSH && fabsf(v) < FLT_MIN ? 0 : v;
}

static inline float faulty_relu(float v)
{
    if (fault == FAULT_RELU_LOSES_NAN)
        return v > 0 || v == 0 ? v : 0;
    return (fault == FAULT_RELU_LOSES_SIGN ? v <= 0 : v < 0) ? 0 : faulty_flush(v);
}

static inline float faulty_scale(float v, float scale, float shift)
{
    return fault == FAULT_PLAIN_SCALE ? v * scale + shift : fmaf(v, scale, shift);
}

/** What happens around an output of `count` floats. */
static inline void faulty_edges(float *out, size_t count)
{
    if (fault == FAULT_WRITES_PAST)
        out[count] = 1;
    if (fault == FAULT_WRITES_BEFORE)
        out[-1] = 1;
    if (fault == FAULT_KEEPS_MODE)
        fesetround(FE_UPWARD);
}

/** What happens to an input of `count` floats: the memory behind it is not there. */
static inline void faulty_input(const float *in, size_t count)
{
    if (fault == FAULT_WRITES_INPUT)
        *(volatile float *)(uintptr_t)in = 1;
    if (fault == FAULT_READS_PAST)
        (void)((const volatile float *)in)[count];
}

/** An input as a kernel sees it that only has aligned loads. */
static inline const float *faulty_load(const float *in)
{
    uintptr_t address = (uintptr_t)in;
    return fault == FAULT_NEEDS_ALIGNMENT ? (const float *)(address & ~(uintptr_t)15) : in;
}

/** Adds the products of 16 outputs over one piece of the input. */
static inline void faulty_piece(const float *in, const float *weights, int count, float acc[BLOCK])
{
    for (int o = 0; o < BLOCK; o++) {
        float other = 0;
        for (int i = 0; i < count; i++) {
            int c = fault == FAULT_REVERSED_SUM ? count - 1 - i : i;
            float *sum = fault == FAULT_TWO_SUMS && i % 2 ? &other : &acc[o];
            *sum = faulty_fma(in[c], weights[c * BLOCK + o], *sum);
        }
        acc[o] = fault == FAULT_TWO_SUMS ? acc[o] + other : acc[o];
    }
}

static inline float *faulty_store(const struct conv_args *a, const struct strip_out *out, int pixel,
                                  int block)
{
    if (!out->data)
        return NULL;
    bool assumes = fault == FAULT_ASSUMES_OUT && a->adjacent;
    int32_t at = assumes ? out->at[0] + pixel * BLOCK : out->at[pixel];
    return out->data + at + (size_t)block * out->block_stride;
}

static inline void faulty_epilogue(const struct conv_args *a, int pixel, int block,
                                   const float acc[BLOCK])
{
    const struct strip_in *r = &a->residual;
    struct strip_out act_out = a->act;
    if (fault == FAULT_ONE_STRIDE && a->sum.data)
        act_out.block_stride = a->sum.block_stride;
    float *sum = faulty_store(a, &a->sum, pixel, block);
    float *act = faulty_store(a, &act_out, pixel, block);
    for (int o = 0; o < BLOCK; o++) {
        float v = acc[o];
        if (sum && fault == FAULT_LATE_READ)
            sum[o] = v;
        if (r->data)
            v += r->data[r->at[pixel] + block * (ptrdiff_t)r->block_stride + o];
        if (sum)
            sum[o] = faulty_flush(v);
        if (act && a->scale)
            v = faulty_scale(v, a->scale[block * BLOCK + o], a->shift[block * BLOCK + o]);
        if (act)
            act[o] = faulty_relu(v);
    }
    faulty_edges(sum ? sum : act, BLOCK);
}

static inline void faulty_conv_pixel(const struct conv_args *a, int pixel, int block)
{
    float *partial = a->partial + (size_t)block * a->partial_stride + pixel * BLOCK;
    bool resume = a->resume && fault != FAULT_FORGETS_PARTIAL;
    const float *weights = a->weights + (size_t)block * a->weights_stride;
    float acc[BLOCK];
    memset(acc, 0, sizeof acc);
    if (resume)
        memcpy(acc, partial, sizeof acc);
    else if (a->bias && !(fault == FAULT_FORGETS_BIAS && a->pixels == 7))
        memcpy(acc, faulty_load(a->bias) + block * BLOCK, sizeof acc);
    for (int k = 0; k < a->pieces; k++, weights += a->piece * BLOCK) {
        int at = fault == FAULT_ASSUMES_PIECES ? a->piece_at[0] + k * a->piece : a->piece_at[k];
        faulty_piece(a->in + a->in_at[pixel] + at, weights, a->piece, acc);
    }
    if (a->finish || fault == FAULT_STORES_EARLY)
        faulty_epilogue(a, pixel, block, acc);
    if (!a->finish)
        memcpy(partial, acc, sizeof acc);
}

static inline void faulty_conv(const struct conv_args *a)
{
    int blocks = a->blocks - (fault == FAULT_SKIPS_LAST_BLOCK && a->blocks > 1);
    bool tail = (fault == FAULT_SKIPS_TAIL && a->pixels % 6 == 5) ||
                (fault == FAULT_LONG_STRIP && a->pixels > 40) ||
                (fault == FAULT_ADJACENT && a->adjacent && a->pixels == 7) ||
                (fault == FAULT_ADJACENT_OUT && a->adjacent_out && a->pixels == 7);
    for (int block = 0; block < blocks; block++) {
        for (int pixel = 0; pixel < a->pixels - tail; pixel++)
            faulty_conv_pixel(a, pixel, block);
    }
    if (fault == FAULT_PARTIAL_PAST && !a->finish)
        a->partial[(size_t)(a->blocks - 1) * a->partial_stride + (size_t)a->pixels * BLOCK] = 1;
    if (a->finish) {
        size_t panel = (size_t)(a->pieces * a->piece * BLOCK);
        faulty_input(a->weights, (size_t)(a->blocks - 1) * a->weights_stride + panel);
    }
}

static inline void faulty_crash(void)
{
    volatile uintptr_t nowhere = 64;
    switch (fault) {
    case FAULT_SEGV:
        *(volatile int *)nowhere = 0;
        break;
    case FAULT_ILL:
        raise(SIGILL);
        break;
    case FAULT_FPE:
        raise(SIGFPE);
        break;
    case FAULT_ABORT:
        abort();
    case FAULT_EXIT:
        _exit(3);
    case FAULT_HANG:
        for (;;)
            pause();
    default:
        break;
    }
}

static inline void faulty_add(const float *a, const float *b, float *out, size_t count)
{
    size_t end = fault == FAULT_SKIPS_TAIL && count % 8 == 7 ? count - 1 : count;
    if (count == 33)
        faulty_crash();
    if (fault == FAULT_LATE_READ) {
        for (size_t i = 0; i < end; i++)
            out[i] = a[i];
    }
    for (size_t i = 0; i < end; i++)
        out[i] = faulty_flush((fault == FAULT_LATE_READ ? out[i] : faulty_load(a)[i]) + b[i]);
    faulty_edges(out, count);
    faulty_input(b, count);
}

static inline void faulty_bn_relu(const float *x, const float *scale, const float *shift,
                                  float *act, size_t pixels)
{
    size_t end = fault == FAULT_SKIPS_TAIL && pixels % 4 == 3 ? pixels - 1 : pixels;
    for (size_t i = 0; i < end * BLOCK; i++)
        act[i] = faulty_relu(faulty_scale(faulty_load(x)[i], scale[i % BLOCK], shift[i % BLOCK]));
    faulty_edges(act, pixels * BLOCK);
    faulty_input(shift, BLOCK);
}

static inline void faulty_add_bn_relu(const float *a, const float *b, const float *scale,
                                      const float *shift, float *sum, float *act, size_t pixels)
{
    size_t end = fault == FAULT_SKIPS_TAIL && pixels % 4 == 3 ? pixels - 1 : pixels;
    for (size_t i = 0; i < end * BLOCK; i++) {
        float v = a[i] + b[i];
        sum[i] = faulty_flush(v);
        if (fault == FAULT_LATE_READ)
            v = a[i] + b[i];
        act[i] = faulty_relu(faulty_scale(v, scale[i % BLOCK], shift[i % BLOCK]));
    }
    faulty_edges(sum, pixels * BLOCK);
    faulty_input(scale, BLOCK);
}

/** The maximum of m and a position of the input, which lies outside where `in` is NULL. */
static inline float faulty_max(float m, const float *in)
{
    if (!in && fault != FAULT_PADS_WITH_ZERO)
        return m;
    float v = in ? *in : 0;
    bool keep = fault == FAULT_MAX_KEEPS_FIRST ? m >= v : m > v;
    return keep || (isnan(m) && fault != FAULT_MAX_LOSES_NAN) ? m : v;
}

static inline void faulty_max_pool(const struct max_pool_args *a)
{
    int tail = fault == FAULT_SKIPS_TAIL && a->out_width % 3 == 2;
    for (int i = 0; i < (a->out_width - tail) * BLOCK; i++) {
        float m = -INFINITY;
        for (int k = 0; k < a->kernel * a->kernel; k++) {
            int y = a->row * a->stride - a->pad + k / a->kernel;
            int x = i / BLOCK * a->stride - a->pad + k % a->kernel;
            bool inside = y >= 0 && y < a->height && x >= 0 && x < a->width;
            m = faulty_max(m, inside ? a->in + (size_t)y * a->row_stride +
                                           (size_t)(x * BLOCK + i % BLOCK)
                                     : NULL);
        }
        if (a->sum)
            a->sum[i] = faulty_flush(m);
        if (a->scale)
            m = faulty_scale(m, a->scale[i % BLOCK], a->shift[i % BLOCK]);
        if (a->act)
            a->act[i] = faulty_relu(m);
    }
    faulty_edges(a->act ? a->act : a->sum, (size_t)a->out_width * BLOCK);
}

static inline void faulty_avg_pool(const float *in, size_t pixels, float *out)
{
    for (size_t o = 0; o < BLOCK; o++) {
        float sum = 0, other = 0;
        for (size_t p = 0; p < pixels; p++) {
            size_t at = fault == FAULT_REVERSED_SUM ? pixels - 1 - p : p;
            *(fault == FAULT_TWO_SUMS && p % 2 ? &other : &sum) += in[at * BLOCK + o];
        }
        sum = fault == FAULT_TWO_SUMS ? sum + other : sum;
        float n = (float)pixels;
        out[o] = faulty_flush(fault == FAULT_RECIPROCAL ? sum * (1 / n) : sum / n);
    }
    faulty_edges(out, BLOCK);
    faulty_input(in, pixels * BLOCK);
}

static inline void faulty_fc(const float *in, const float *weights, const float *bias, float *out,
                             size_t inputs, size_t blocks)
{
    for (size_t b = 0; b < blocks - (fault == FAULT_SKIPS_TAIL && blocks % 4 == 3); b++) {
        float acc[BLOCK];
        memcpy(acc, bias + b * BLOCK, sizeof acc);
        faulty_piece(in, weights + b * inputs * BLOCK, (int)inputs, acc);
        for (int o = 0; o < BLOCK; o++)
            out[b * BLOCK + (size_t)o] = faulty_flush(acc[o]);
    }
    faulty_edges(out, blocks * BLOCK);
    faulty_input(weights, inputs * blocks * BLOCK);
}

static inline void faulty_softmax(const float *x, float *out, size_t count)
{
    float most = -INFINITY, sum = 0;
    kernel_set_get(ISA_SCALAR)->softmax.run(x, out, count);
    for (size_t i = 0; i < count; i++)
        most = fmaxf(most, x[i]);
    for (size_t i = 0; fault == FAULT_OTHER_EXP && i < count; i++)
        sum += expf(x[i] - most);
    for (size_t i = 0; i < count; i++)
        out[i] = faulty_flush(fault == FAULT_OTHER_EXP ? expf(x[i] - most) / sum : out[i]);
    if (fault == FAULT_SKIPS_TAIL && count % 8 == 7)
        out[count - 1] = 0;
    faulty_edges(out, count);
    faulty_input(x, count);
}

static inline double faulty_peak(long rounds)
{
    if (fault == FAULT_SKIPS_TAIL)
        return 8.0 * (double)(rounds & ~1L);
    return fault == FAULT_NOTHING_DONE ? 0 : 8.0 * (double)rounds;
}

#endif
