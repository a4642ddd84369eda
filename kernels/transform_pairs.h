/*
 * The transforms of Strassen's algorithm (Numer. Math. 13, 1969) of all ISAs, as in
 * transform_patches.h. With pixels in rows and channels in columns, halves being 1 and 2, the
 * products are, in the order of their positions:
 *
 *     P0 = (A11 + A22)(B11 + B22)      C11 = P0 + P6 - P2 + P4
 *     P1 = (A21 + A22) B11             C12 = P5 + P2
 *     P2 = (A11 + A12) B22             C21 = P1 + P6
 *     P3 = (A21 - A11)(B11 + B12)      C22 = P0 - P1 + P5 + P3
 *     P4 = (A12 - A22)(B21 + B22)
 *     P5 = A11 (B12 - B22)
 *     P6 = A22 (B21 - B11)
 */
#ifndef RESMARK_KERNELS_TRANSFORM_PAIRS_H
#define RESMARK_KERNELS_TRANSFORM_PAIRS_H

#include "kernels/epilogue.h"
#include "kernels/kernels.h"
#include "kernels/unroll.h"

/* The sums alone: the products with A11 and A22 read the input itself. */
static inline void strassen_in(const struct strassen_in_args *a)
{
    const float *const low = a->in.data, *const high = low + a->in.half_stride;
    const int32_t *const top = a->in.at[0], *const bottom = a->in.at[1];
    const size_t step = a->position_stride;
    for (ptrdiff_t i = 0; i < a->pairs; i++) {
        float *const out = a->out + i * BLOCK;
        UNROLLED(16) for (int lane = 0; lane < BLOCK; lane += VEC_WIDTH)
        {
            vec a11 = vec_load(low + top[i] + lane), a12 = vec_load(high + top[i] + lane);
            vec a21 = vec_load(low + bottom[i] + lane), a22 = vec_load(high + bottom[i] + lane);
            vec_store(out + lane, vec_add(a11, a22));
            vec_store(out + step + lane, vec_add(a21, a22));
            vec_store(out + 2 * step + lane, vec_add(a11, a12));
            vec_store(out + 3 * step + lane, vec_sub(a21, a11));
            vec_store(out + 4 * step + lane, vec_sub(a12, a22));
        }
    }
}

/* One of the two blocks of an output transform: what it reads and writes there. */
struct strassen_block {
    vec bias[BLOCK / VEC_WIDTH], scale[BLOCK / VEC_WIDTH], shift[BLOCK / VEC_WIDTH];
    const float *residual;
    float *sum, *act;
};

/* Bias and the epilogue of a convolution for a vector of one pixel. */
static inline __attribute__((always_inline)) void strassen_finish(const struct strassen_out_args *a,
                                                                  const struct strassen_block *b,
                                                                  int half, ptrdiff_t pair,
                                                                  int lane, const int parts, vec v)
{
    const int n = lane / VEC_WIDTH;
    v = vec_add(v, b->bias[n]);
    if (parts & RESIDUAL)
        v = vec_add(v, vec_load(b->residual + a->residual.at[half][pair] + lane));
    if (parts & SUM)
        vec_store(b->sum + a->sum.at[half][pair] + lane, v);
    if (parts & SCALE)
        v = vec_fma(v, b->scale[n], b->shift[n]);
    if (parts & ACT)
        vec_store(b->act + a->act.at[half][pair] + lane, vec_relu(v));
}

static inline __attribute__((always_inline)) struct strassen_block
strassen_block_of(const struct strassen_out_args *a, size_t block, const int parts)
{
    struct strassen_block b = {
        .residual = parts & RESIDUAL ? a->residual.data + block * a->residual.half_stride : NULL,
        .sum = parts & SUM ? a->sum.data + block * a->sum.half_stride : NULL,
        .act = parts & ACT ? a->act.data + block * a->act.half_stride : NULL};
    UNROLLED(16) for (int n = 0; n < BLOCK / VEC_WIDTH; n++)
    {
        b.bias[n] = vec_load(a->bias[block] + n * VEC_WIDTH);
        b.scale[n] = b.shift[n] = vec_set1(0);
        if (parts & SCALE) {
            b.scale[n] = vec_load(a->scale[block] + n * VEC_WIDTH);
            b.shift[n] = vec_load(a->shift[block] + n * VEC_WIDTH);
        }
    }
    return b;
}

/*
 * Fetches what a later pair reads and writes beside the products: tensors that overflow the L2
 * cache at 14x14 pixels already, in runs too short for the prefetcher of a CPU.
 */
static inline __attribute__((always_inline)) void strassen_fetch(const struct strassen_out_args *a,
                                                                 const struct strassen_block *b,
                                                                 ptrdiff_t pair, const int parts)
{
    for (int half = 0; half < 2; half++) {
        if (parts & RESIDUAL)
            __builtin_prefetch(b->residual + a->residual.at[half][pair]);
        if (parts & SUM)
            __builtin_prefetch(b->sum + a->sum.at[half][pair], 1);
        if (parts & ACT)
            __builtin_prefetch(b->act + a->act.at[half][pair], 1);
    }
}

/* Pairs ahead: 4 to 16 are as good. The last one may lack a partner. */
#define FETCH_AHEAD 8

/*
 * C11 and C21, or C12 and C22: a pass for each block, so that its vectors stay in registers. The
 * copy of the arguments tells the compiler that no store changes them.
 */
static inline __attribute__((always_inline)) void strassen_pass(const struct strassen_out_args a,
                                                                const int32_t *bottom,
                                                                const int block, const int parts)
{
    const struct strassen_block b = strassen_block_of(&a, (size_t)block, parts);
    const size_t step = a.position_stride;
    for (ptrdiff_t i = 0; i < a.pairs; i++) {
        if (i + FETCH_AHEAD < a.pairs - 1)
            strassen_fetch(&a, &b, i + FETCH_AHEAD, parts);
        UNROLLED(16) for (int lane = 0; lane < BLOCK; lane += VEC_WIDTH)
        {
            const float *in = a.in + i * BLOCK + lane;
            vec p0 = vec_load(in), p1 = vec_load(in + step), p2 = vec_load(in + 2 * step);
            vec upper, lower;
            if (block == 0) {
                vec p6 = vec_load(in + 6 * step);
                upper = vec_add(vec_sub(vec_add(p0, p6), p2), vec_load(in + 4 * step));
                lower = vec_add(p1, p6);
            } else {
                vec p5 = vec_load(in + 5 * step);
                upper = vec_add(p5, p2);
                lower = vec_add(vec_add(vec_sub(p0, p1), p5), vec_load(in + 3 * step));
            }
            strassen_finish(&a, &b, 0, i, lane, parts, upper);
            if (bottom[i] != NO_PIXEL)
                strassen_finish(&a, &b, 1, i, lane, parts, lower);
        }
    }
}

#define STRASSEN_EPILOGUE(constant)                                                                \
    case constant:                                                                                 \
        strassen_pass(*a, bottom, 0, constant);                                                    \
        strassen_pass(*a, bottom, 1, constant);                                                    \
        break;

/* ResNet's epilogues without branches. */
static inline void strassen_out(const struct strassen_out_args *a)
{
    const int parts = (a->residual.data ? RESIDUAL : 0) | (a->sum.data ? SUM : 0) |
                      (a->act.data ? ACT : 0) | (a->scale[0] ? SCALE : 0);
    const int32_t *bottom = a->sum.data ? a->sum.at[1] : a->act.at[1];
    switch (parts) {
        STRASSEN_EPILOGUE(ACT)
        STRASSEN_EPILOGUE(SUM)
        STRASSEN_EPILOGUE(RESIDUAL | ACT | SCALE)
        STRASSEN_EPILOGUE(RESIDUAL | SUM | ACT | SCALE)
    default:
        strassen_pass(*a, bottom, 0, parts);
        strassen_pass(*a, bottom, 1, parts);
    }
}

#endif
