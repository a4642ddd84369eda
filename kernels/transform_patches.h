/*
 * The transforms of square patches of all ISAs: one written sequence of operations, instantiated
 * for the vector type of whoever includes this (vec, vec_load, …, VEC_WIDTH lanes), so that no ISA
 * can order them differently. Matrices: F(2x2,3x3) with the points 0, 1, -1, inf (Lavin and Gray,
 * arXiv:1509.09308); F(4x4,3x3) with 0, +-sqrt(2)/2, +-sqrt(2), inf, which halve the error of the
 * integer points (Alam et al., arXiv:2201.10369); F(6x6,3x3) with 0, +-1, +-2, +-1/2, inf (Lavin's
 * wincnn); the polyphase form of stride 2 with F(2,2) of the points 0, 1, inf.
 */
#ifndef RESMARK_KERNELS_TRANSFORM_PATCHES_H
#define RESMARK_KERNELS_TRANSFORM_PATCHES_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

#define ROOT_HALF 0.707106781186547524f /* sqrt(2) / 2 */

/* b = B^T d, F(2,3). */
static inline __attribute__((always_inline)) void winograd_input_2(const vec *d, vec *b)
{
    b[0] = vec_sub(d[0], d[2]);
    b[1] = vec_add(d[1], d[2]);
    b[2] = vec_sub(d[2], d[1]);
    b[3] = vec_sub(d[3], d[1]);
}

/* y = A^T m, F(2,3). */
static inline __attribute__((always_inline)) void winograd_output_2(const vec *m, vec *y)
{
    y[0] = vec_add(vec_add(m[0], m[1]), m[2]);
    y[1] = vec_add(vec_sub(m[1], m[2]), m[3]);
}

/* b = B^T d, F(4,3): 12 operations, since the rows of +p and -p share their even and odd parts. */
static inline __attribute__((always_inline)) void winograd_input_4(const vec *d, vec *b)
{
    const vec root = vec_set1(ROOT_HALF), minus_root = vec_set1(-ROOT_HALF);
    const vec two = vec_set1(2), minus_two = vec_set1(-2), minus_half = vec_set1(-0.5f);
    const vec minus_five_halves = vec_set1(-2.5f);
    vec even1 = vec_fma(minus_two, d[2], d[4]), odd1 = vec_fma(minus_two, d[1], d[3]);
    vec even2 = vec_fma(minus_half, d[2], d[4]), odd2 = vec_sub(vec_mul(two, d[3]), d[1]);
    b[0] = vec_fma(minus_five_halves, d[2], vec_add(d[0], d[4]));
    b[1] = vec_fma(root, odd1, even1);
    b[2] = vec_fma(minus_root, odd1, even1);
    b[3] = vec_fma(root, odd2, even2);
    b[4] = vec_fma(minus_root, odd2, even2);
    b[5] = vec_fma(minus_five_halves, d[3], vec_add(d[1], d[5]));
}

/* y = A^T m, F(4,3). */
static inline __attribute__((always_inline)) void winograd_output_4(const vec *m, vec *y)
{
    const vec half = vec_set1(0.5f), two = vec_set1(2);
    const vec root = vec_set1(2 * ROOT_HALF), half_root = vec_set1(ROOT_HALF);
    const vec quarter_root = vec_set1(0.5f * ROOT_HALF), two_roots = vec_set1(4 * ROOT_HALF);
    vec even1 = vec_add(m[1], m[2]), odd1 = vec_sub(m[1], m[2]);
    vec even2 = vec_add(m[3], m[4]), odd2 = vec_sub(m[3], m[4]);
    y[0] = vec_add(vec_add(m[0], even1), even2);
    y[1] = vec_fma(root, odd2, vec_mul(half_root, odd1));
    y[2] = vec_fma(two, even2, vec_mul(half, even1));
    y[3] = vec_fma(two_roots, odd2, vec_fma(quarter_root, odd1, m[5]));
}

/* A row of F(6,3) for the points +-p: the even and the odd part, of x^4 - sum x^2 + product. */
static inline __attribute__((always_inline)) vec quartic(vec low, vec middle, vec high,
                                                         const float product, const float sum)
{
    return vec_fma(vec_set1(product), low, vec_fma(vec_set1(-sum), middle, high));
}

/* b = B^T d, F(6,3). */
static inline __attribute__((always_inline)) void winograd_input_6(const vec *d, vec *b)
{
    const vec sum = vec_set1(5.25f), two = vec_set1(2), half = vec_set1(0.5f);
    const vec minus_two = vec_set1(-2), minus_half = vec_set1(-0.5f);
    vec even1 = vec_fma(vec_set1(-4.25f), d[4], vec_add(d[2], d[6]));
    vec odd1 = vec_fma(vec_set1(-4.25f), d[3], vec_add(d[1], d[5]));
    vec even2 = quartic(d[2], d[4], d[6], 0.25f, 1.25f);
    vec odd2 = quartic(d[1], d[3], d[5], 0.25f, 1.25f);
    vec even3 = quartic(d[2], d[4], d[6], 4, 5), odd3 = quartic(d[1], d[3], d[5], 4, 5);
    b[0] = vec_fma(sum, vec_sub(d[4], d[2]), vec_sub(d[0], d[6]));
    b[1] = vec_add(even1, odd1);
    b[2] = vec_sub(even1, odd1);
    b[3] = vec_fma(two, odd2, even2);
    b[4] = vec_fma(minus_two, odd2, even2);
    b[5] = vec_fma(half, odd3, even3);
    b[6] = vec_fma(minus_half, odd3, even3);
    b[7] = vec_fma(sum, vec_sub(d[3], d[5]), vec_sub(d[7], d[1]));
}

/* y = A^T m, F(6,3). */
static inline __attribute__((always_inline)) void winograd_output_6(const vec *m, vec *y)
{
    vec even1 = vec_add(m[1], m[2]), odd1 = vec_sub(m[1], m[2]);
    vec even2 = vec_add(m[3], m[4]), odd2 = vec_sub(m[3], m[4]);
    vec even3 = vec_add(m[5], m[6]), odd3 = vec_sub(m[5], m[6]);
    y[0] = vec_add(vec_add(m[0], even1), vec_add(even2, even3));
    y[1] = vec_fma(vec_set1(0.5f), odd3, vec_fma(vec_set1(2), odd2, odd1));
    y[2] = vec_fma(vec_set1(0.25f), even3, vec_fma(vec_set1(4), even2, even1));
    y[3] = vec_fma(vec_set1(0.125f), odd3, vec_fma(vec_set1(8), odd2, odd1));
    y[4] = vec_fma(vec_set1(0.0625f), even3, vec_fma(vec_set1(16), even2, even1));
    y[5] = vec_fma(vec_set1(0.03125f), odd3, vec_fma(vec_set1(32), odd2, vec_add(odd1, m[7])));
}

/* b = B^T d of stride 2: the even pixels by F(2,2), then the odd ones as they are. */
static inline __attribute__((always_inline)) void polyphase_input_2(const vec *d, vec *b)
{
    b[0] = vec_sub(d[0], d[2]);
    b[1] = d[2];
    b[2] = vec_sub(d[4], d[2]);
    b[3] = d[1];
    b[4] = d[3];
}

/* y = A^T m of stride 2. */
static inline __attribute__((always_inline)) void polyphase_output_2(const vec *m, vec *y)
{
    y[0] = vec_add(vec_add(m[0], m[1]), m[3]);
    y[1] = vec_add(vec_add(m[1], m[2]), m[4]);
}

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
#define DEFINE_PATCH_IN(NAME, M, SIDE, STEP)                                                       \
    static inline void NAME##_in_##M(const struct patch_in_args *a)                                \
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
                NAME##_input_##M(line, done);                                                      \
                UNROLLED(8) for (int y = 0; y < SIDE; y++) half[y][x] = done[y];                   \
            }                                                                                      \
            UNROLLED(8) for (int y = 0; y < SIDE; y++)                                             \
            {                                                                                      \
                NAME##_input_##M(half[y], done);                                                   \
                UNROLLED(8) for (int x = 0; x < SIDE; x++)                                         \
                {                                                                                  \
                    vec_store(out, done[x]);                                                       \
                    fetch_next(lane, out + BLOCK);                                                 \
                    WALK(out, position_stride);                                                    \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

DEFINE_PATCH_IN(winograd, 2, 4, 2)
DEFINE_PATCH_IN(winograd, 4, 6, 4)
DEFINE_PATCH_IN(winograd, 6, 8, 6)
DEFINE_PATCH_IN(polyphase, 2, 5, 4)

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

#define DEFINE_PATCH_OUT(NAME, M, SIDE)                                                            \
    static inline                                                                                  \
        __attribute__((always_inline)) void NAME##_tile_out_##M(const struct patch_out_args *a)    \
    {                                                                                              \
        const size_t position_stride = a->position_stride;                                         \
        for (int lane = 0; lane < BLOCK; lane += VEC_WIDTH) {                                      \
            vec half[M][SIDE], line[SIDE], done[M];                                                \
            const float *row[SIDE];                                                                \
            UNROLLED(8)                                                                            \
            for (int y = 0; y < SIDE; y++)                                                         \
                row[y] = a->in + (size_t)(y * SIDE) * position_stride + lane;                      \
            UNROLLED(8) for (int x = 0; x < SIDE; x++)                                             \
            {                                                                                      \
                UNROLLED(8) for (int y = 0; y < SIDE; y++)                                         \
                {                                                                                  \
                    line[y] = vec_load(row[y]);                                                    \
                    WALK(row[y], position_stride);                                                 \
                }                                                                                  \
                NAME##_output_##M(line, done);                                                     \
                UNROLLED(8) for (int y = 0; y < M; y++) half[y][x] = done[y];                      \
            }                                                                                      \
            UNROLLED(8) for (int y = 0; y < M; y++)                                                \
            {                                                                                      \
                NAME##_output_##M(half[y], done);                                                  \
                UNROLLED(8) for (int x = 0; x < M; x++)                                            \
                {                                                                                  \
                    if (y < a->rows && x < a->columns)                                             \
                        patch_finish(a, y, x, lane, done[x], M);                                   \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    /* ResNet's case, a whole tile with nothing but the activation, without branches. */           \
    static inline void NAME##_out_##M(const struct patch_out_args *a)                              \
    {                                                                                              \
        if (a->rows >= M && a->columns >= M && !a->residual && !a->sum && !a->scale && a->act) {   \
            const struct patch_out_args whole = {.in = a->in,                                      \
                                                 .position_stride = a->position_stride,            \
                                                 .rows = M,                                        \
                                                 .columns = M,                                     \
                                                 .bias = a->bias,                                  \
                                                 .act = a->act,                                    \
                                                 .act_stride = a->act_stride};                     \
            NAME##_tile_out_##M(&whole);                                                           \
        } else {                                                                                   \
            NAME##_tile_out_##M(a);                                                                \
        }                                                                                          \
    }

DEFINE_PATCH_OUT(winograd, 2, 4)
DEFINE_PATCH_OUT(winograd, 4, 6)
DEFINE_PATCH_OUT(winograd, 6, 8)
DEFINE_PATCH_OUT(polyphase, 2, 5)

#endif
