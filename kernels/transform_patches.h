/*
 * The transforms of square patches of all ISAs, for the vector type of whoever includes this: those
 * of lines (transform_lines.h) in both directions.
 */
#ifndef RESMARK_KERNELS_TRANSFORM_PATCHES_H
#define RESMARK_KERNELS_TRANSFORM_PATCHES_H

#include "kernels/bilinear.h"
#include "kernels/transform_lines.h"
#include "kernels/unroll.h"

/* What a transform in two dimensions works on: a patch of at most so many rows. */
#define MAX_PATCH 8

/* A patch that reaches over the tensor's edge, completed with zeros. */
struct patch {
    float value[MAX_PATCH * MAX_PATCH * BLOCK];
};

static inline void complete_patch(const struct patch_in_args *a, int side, struct patch *patch)
{
    float *to = patch->value;
    for (int y = 0; y < side; y++) {
        const float *row = a->in + (size_t)y * a->row_stride;
        int columns = y < a->rows ? a->columns : 0;
        for (int i = 0; i < side * BLOCK; i += VEC_WIDTH)
            vec_store(to + i, i < columns * BLOCK ? vec_load(row + i) : vec_set1(0));
        to += side * BLOCK;
    }
}

/* Moves a pointer on. GCC would rather keep the addresses of all positions, on the stack. */
#define WALK(pointer, step)                                                                        \
    (pointer) += (step);                                                                           \
    __asm__("" : "+r"(pointer))

/*
 * Fetches a line that the next tile, which is the one on the right, will read or store to, once for
 * all lanes: a transform touches 60 lines and more that are not in the L1 cache.
 */
static inline __attribute__((always_inline)) void fetch_next(int lane, const float *line)
{
    if (lane == 0)
        __builtin_prefetch(line);
}

/* From a patch to the next are STEP pixels. */
#define DEFINE_PATCH_IN(NAME, INPUT, SIDE, STEP)                                                   \
    static inline void NAME(const struct patch_in_args *a)                                         \
    {                                                                                              \
        struct patch patch;                                                                        \
        const float *in = a->in;                                                                   \
        size_t row_stride = a->row_stride;                                                         \
        const size_t position_stride = a->position_stride;                                         \
        if (a->rows < SIDE || a->columns < SIDE) {                                                 \
            complete_patch(a, SIDE, &patch);                                                       \
            in = patch.value;                                                                      \
            row_stride = SIDE * BLOCK;                                                             \
        }                                                                                          \
        for (int lane = 0; lane < BLOCK; lane += VEC_WIDTH, in += VEC_WIDTH) {                     \
            vec half[SIDE][SIDE], line[SIDE], done[SIDE];                                          \
            const float *row[SIDE];                                                                \
            float *out = a->out + lane;                                                            \
            UNROLLED(8) for (int y = 0; y < SIDE; y++) row[y] = in + (size_t)y * row_stride;       \
            UNROLLED(8) for (int x = 0; x < SIDE; x++)                                             \
            {                                                                                      \
                UNROLLED(8) for (int y = 0; y < SIDE; y++)                                         \
                {                                                                                  \
                    line[y] = vec_load(row[y] + x * BLOCK);                                        \
                    if (x >= SIDE - STEP)                                                          \
                        fetch_next(lane, row[y] + (x + STEP) * BLOCK);                             \
                }                                                                                  \
                INPUT(line, done);                                                                 \
                UNROLLED(8) for (int y = 0; y < SIDE; y++) half[y][x] = done[y];                   \
            }                                                                                      \
            UNROLLED(8) for (int y = 0; y < SIDE; y++)                                             \
            {                                                                                      \
                INPUT(half[y], done);                                                              \
                UNROLLED(8) for (int x = 0; x < SIDE; x++)                                         \
                {                                                                                  \
                    vec_store(out, done[x]);                                                       \
                    fetch_next(lane, out + BLOCK);                                                 \
                    WALK(out, position_stride);                                                    \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

DEFINE_PATCH_IN(winograd_in_2, winograd_input_2, 4, 2)
DEFINE_PATCH_IN(winograd_whole_in_4, winograd_input_4, 6, 4)
DEFINE_PATCH_IN(winograd_whole_in_6, winograd_input_6, 8, 6)
DEFINE_PATCH_IN(polyphase_in_2, polyphase_input_2, 5, 4)

/* Bias and the epilogue of a convolution for one pixel's lanes, which start at `lane`, of a tile so
 * many pixels wide. */
static inline __attribute__((always_inline)) void
patch_finish(const struct patch_out_args *a, int y, int x, int lane, vec v, const int tile)
{
    const size_t column = (size_t)x * BLOCK + (size_t)lane;
    v = vec_add(v, vec_load(a->bias + lane));
    if (a->residual)
        v = vec_add(v, vec_load(a->residual + (size_t)y * a->residual_stride + column));
    if (a->sum)
        vec_store(a->sum + (size_t)y * a->sum_stride + column, v);
    if (a->scale)
        v = vec_fma(v, vec_load(a->scale + lane), vec_load(a->shift + lane));
    if (a->act) {
        float *act = a->act + (size_t)y * a->act_stride + column;
        vec_store(act, vec_relu(v));
        fetch_next(lane, act + tile * BLOCK);
    }
}

/* ResNet's case: nothing but the activation. */
static inline bool only_activates(const struct patch_out_args *a)
{
    return !a->residual && !a->sum && !a->scale && a->act;
}

/* The arguments of such a tile, with its absent tensors as constants. */
static inline __attribute__((always_inline)) struct patch_out_args
activation_args(const struct patch_out_args *a, int rows, int columns)
{
    return (struct patch_out_args){.in = a->in,
                                   .position_stride = a->position_stride,
                                   .rows = rows,
                                   .columns = columns,
                                   .bias = a->bias,
                                   .act = a->act,
                                   .act_stride = a->act_stride};
}

#define DEFINE_PATCH_OUT(NAME, OUTPUT, M, SIDE)                                                    \
    static inline __attribute__((always_inline)) void NAME##_tile(const struct patch_out_args *a)  \
    {                                                                                              \
        const size_t position_stride = a->position_stride;                                         \
        for (int lane = 0; lane < BLOCK; lane += VEC_WIDTH) {                                      \
            vec half[M][SIDE], line[SIDE], done[M];                                                \
            const float *row[SIDE];                                                                \
            size_t at = 0;                                                                         \
            UNROLLED(8)                                                                            \
            for (int y = 0; y < SIDE; y++)                                                         \
                row[y] = a->in + (size_t)(y * SIDE) * position_stride + lane;                      \
            UNROLLED(8) for (int x = 0; x < SIDE; x++)                                             \
            {                                                                                      \
                UNROLLED(8) for (int y = 0; y < SIDE; y++)                                         \
                {                                                                                  \
                    line[y] = vec_load(row[y] + at);                                               \
                }                                                                                  \
                WALK(at, position_stride);                                                         \
                OUTPUT(line, done);                                                                \
                UNROLLED(8) for (int y = 0; y < M; y++) half[y][x] = done[y];                      \
            }                                                                                      \
            UNROLLED(8) for (int y = 0; y < M; y++)                                                \
            {                                                                                      \
                OUTPUT(half[y], done);                                                             \
                UNROLLED(8) for (int x = 0; x < M; x++)                                            \
                {                                                                                  \
                    if (y < a->rows && x < a->columns)                                             \
                        patch_finish(a, y, x, lane, done[x], M);                                   \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    /* A whole tile of ResNet's case has no branches. */                                           \
    static inline void NAME(const struct patch_out_args *a)                                        \
    {                                                                                              \
        if (a->rows >= M && a->columns >= M && only_activates(a)) {                                \
            const struct patch_out_args whole = activation_args(a, M, M);                          \
            NAME##_tile(&whole);                                                                   \
        } else {                                                                                   \
            NAME##_tile(a);                                                                        \
        }                                                                                          \
    }

DEFINE_PATCH_OUT(winograd_out_2, winograd_output_2, 2, 4)
DEFINE_PATCH_OUT(winograd_whole_out_4, winograd_output_4, 4, 6)
DEFINE_PATCH_OUT(winograd_whole_out_6, winograd_output_6, 6, 8)
DEFINE_PATCH_OUT(polyphase_out_2, polyphase_output_2, 2, 5)
DEFINE_PATCH_OUT(polyphase_out_4, polyphase_output_4, 4, 7)

#endif
