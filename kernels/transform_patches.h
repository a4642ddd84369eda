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

/*
 * A tile of F(m,3) that the map's edge cuts down to k outputs is computed as one of F(k,3) with
 * some of the points: the filters at these are F(m,3)'s times a number for each pair +-p, by which
 * the output transform multiplies. 2 outputs take 4 products, 4 take 6.
 */

/* b = B^T d, F(2,3) with 0, +-sqrt(2)/2, inf of F(4,3)'s points. */
static inline __attribute__((always_inline)) void winograd_input_4_of_2(const vec *d, vec *b)
{
    const vec root = vec_set1(ROOT_HALF), minus_root = vec_set1(-ROOT_HALF);
    b[0] = vec_fma(vec_set1(-2), d[2], d[0]);
    b[1] = vec_fma(root, d[1], d[2]);
    b[2] = vec_fma(minus_root, d[1], d[2]);
    b[3] = vec_fma(vec_set1(-0.5f), d[1], d[3]);
}

/* y = A^T m. */
static inline __attribute__((always_inline)) void winograd_output_4_of_2(const vec *m, vec *y)
{
    y[0] = vec_fma(vec_set1(-1.5f), vec_add(m[1], m[2]), m[0]);
    y[1] = vec_fma(vec_set1(-1.5f * ROOT_HALF), vec_sub(m[1], m[2]), m[3]);
}

/* b = B^T d, F(2,3) with 0, +-1, inf of F(6,3)'s points. */
static inline __attribute__((always_inline)) void winograd_input_6_of_2(const vec *d, vec *b)
{
    b[0] = vec_sub(d[0], d[2]);
    b[1] = vec_add(d[1], d[2]);
    b[2] = vec_sub(d[2], d[1]);
    b[3] = vec_sub(d[3], d[1]);
}

/* y = A^T m. */
static inline __attribute__((always_inline)) void winograd_output_6_of_2(const vec *m, vec *y)
{
    y[0] = vec_fma(vec_set1(-2.25f), vec_add(m[1], m[2]), m[0]);
    y[1] = vec_fma(vec_set1(-2.25f), vec_sub(m[1], m[2]), m[3]);
}

/* b = B^T d, F(4,3) with 0, +-1, +-2, inf of F(6,3)'s points. */
static inline __attribute__((always_inline)) void winograd_input_6_of_4(const vec *d, vec *b)
{
    vec even1 = vec_fma(vec_set1(-4), d[2], d[4]), odd1 = vec_fma(vec_set1(-4), d[1], d[3]);
    vec even2 = vec_sub(d[4], d[2]), odd2 = vec_sub(d[3], d[1]);
    b[0] = vec_fma(vec_set1(-1.25f), d[2], vec_fma(vec_set1(0.25f), d[4], d[0]));
    b[1] = vec_add(even1, odd1);
    b[2] = vec_sub(even1, odd1);
    b[3] = vec_fma(vec_set1(2), odd2, even2);
    b[4] = vec_fma(vec_set1(-2), odd2, even2);
    b[5] = vec_fma(vec_set1(-5), d[3], vec_fma(vec_set1(4), d[1], d[5]));
}

/* y = A^T m. */
static inline __attribute__((always_inline)) void winograd_output_6_of_4(const vec *m, vec *y)
{
    const vec first = vec_set1(0.75f);
    vec even1 = vec_add(m[1], m[2]), odd1 = vec_sub(m[1], m[2]);
    vec even2 = vec_add(m[3], m[4]), odd2 = vec_sub(m[3], m[4]);
    y[0] = vec_fma(first, even1, vec_fma(vec_set1(3.75f), even2, m[0]));
    y[1] = vec_fma(first, odd1, vec_mul(vec_set1(7.5f), odd2));
    y[2] = vec_fma(first, even1, vec_mul(vec_set1(15), even2));
    y[3] = vec_fma(first, odd1, vec_fma(vec_set1(30), odd2, m[5]));
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

/* Where the products of F(k,3) are among those of F(4,3) and of F(6,3). */
static const int nested_4_of_2[] = {0, 1, 2, 5}, nested_6_of_2[] = {0, 1, 2, 7};
static const int nested_6_of_4[] = {0, 1, 2, 3, 4, 7};
static const int nested_all[] = {0, 1, 2, 3, 4, 5, 6, 7};

/* A line of a tile of F(M,3) that is `pixels` long, but for the border of one pixel on either side,
 * or SIDE. */
static inline int input_4(int pixels, const vec *d, vec *b, const int **at)
{
    if (pixels <= 4) {
        winograd_input_4_of_2(d, b);
        *at = nested_4_of_2;
        return 4;
    }
    winograd_input_4(d, b);
    *at = nested_all;
    return 6;
}

static inline int input_6(int pixels, const vec *d, vec *b, const int **at)
{
    if (pixels <= 4) {
        winograd_input_6_of_2(d, b);
        *at = nested_6_of_2;
        return 4;
    }
    if (pixels <= 6) {
        winograd_input_6_of_4(d, b);
        *at = nested_6_of_4;
        return 6;
    }
    winograd_input_6(d, b);
    *at = nested_all;
    return 8;
}

static inline void output_4(int pixels, const vec *m, vec *y)
{
    if (pixels <= 2)
        winograd_output_4_of_2(m, y);
    else
        winograd_output_4(m, y);
}

static inline void output_6(int pixels, const vec *m, vec *y)
{
    if (pixels <= 2)
        winograd_output_6_of_2(m, y);
    else if (pixels <= 4)
        winograd_output_6_of_4(m, y);
    else
        winograd_output_6(m, y);
}

static inline int places_4(int pixels, const int **at)
{
    *at = pixels <= 2 ? nested_4_of_2 : nested_all;
    return pixels <= 2 ? 4 : 6;
}

static inline int places_6(int pixels, const int **at)
{
    *at = pixels <= 2 ? nested_6_of_2 : pixels <= 4 ? nested_6_of_4 : nested_all;
    return pixels <= 2 ? 4 : pixels <= 4 ? 6 : 8;
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

/* F(M,3) with the tiles that the edge cuts, which are few: their loops stay loops. */
#define DEFINE_CUT_IN(M, SIDE)                                                                     \
    static inline void winograd_cut_in_##M(const struct patch_in_args *a)                          \
    {                                                                                              \
        const int *ys, *xs;                                                                        \
        struct patch patch;                                                                        \
        complete_patch(a, SIDE, &patch);                                                           \
        for (int lane = 0; lane < BLOCK; lane += VEC_WIDTH) {                                      \
            vec half[SIDE][SIDE], line[SIDE], done[SIDE];                                          \
            int lines = 0;                                                                         \
            for (int x = 0; x < SIDE; x++) {                                                       \
                for (int y = 0; y < SIDE; y++)                                                     \
                    line[y] = vec_load(patch.value + (y * SIDE + x) * BLOCK + lane);               \
                lines = input_##M(a->rows, line, done, &ys);                                       \
                for (int y = 0; y < lines; y++)                                                    \
                    half[y][x] = done[y];                                                          \
            }                                                                                      \
            for (int y = 0; y < lines; y++) {                                                      \
                int count = input_##M(a->columns, half[y], done, &xs);                             \
                for (int x = 0; x < count; x++)                                                    \
                    vec_store(a->out + (size_t)(ys[y] * SIDE + xs[x]) * a->position_stride + lane, \
                              done[x]);                                                            \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static inline void winograd_in_##M(const struct patch_in_args *a)                              \
    {                                                                                              \
        if (a->rows <= SIDE - 2 || a->columns <= SIDE - 2)                                         \
            winograd_cut_in_##M(a);                                                                \
        else                                                                                       \
            winograd_whole_in_##M(a);                                                              \
    }

DEFINE_CUT_IN(4, 6)
DEFINE_CUT_IN(6, 8)

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

#define DEFINE_PATCH_OUT(NAME, OUTPUT, M, SIDE)                                                    \
    static inline __attribute__((always_inline)) void NAME##_tile(const struct patch_out_args *a)  \
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
    /* ResNet's case, a whole tile with nothing but the activation, without branches. */           \
    static inline void NAME(const struct patch_out_args *a)                                        \
    {                                                                                              \
        if (a->rows >= M && a->columns >= M && !a->residual && !a->sum && !a->scale && a->act) {   \
            const struct patch_out_args whole = {.in = a->in,                                      \
                                                 .position_stride = a->position_stride,            \
                                                 .rows = M,                                        \
                                                 .columns = M,                                     \
                                                 .bias = a->bias,                                  \
                                                 .act = a->act,                                    \
                                                 .act_stride = a->act_stride};                     \
            NAME##_tile(&whole);                                                                   \
        } else {                                                                                   \
            NAME##_tile(a);                                                                        \
        }                                                                                          \
    }

DEFINE_PATCH_OUT(winograd_out_2, winograd_output_2, 2, 4)
DEFINE_PATCH_OUT(winograd_whole_out_4, winograd_output_4, 4, 6)
DEFINE_PATCH_OUT(winograd_whole_out_6, winograd_output_6, 6, 8)
DEFINE_PATCH_OUT(polyphase_out_2, polyphase_output_2, 2, 5)

#define DEFINE_CUT_OUT(M, SIDE)                                                                    \
    static inline void winograd_cut_out_##M(const struct patch_out_args *a)                        \
    {                                                                                              \
        const int *ys, *xs;                                                                        \
        const int lines = places_##M(a->rows, &ys), columns = places_##M(a->columns, &xs);         \
        for (int lane = 0; lane < BLOCK; lane += VEC_WIDTH) {                                      \
            vec half[M][SIDE], line[SIDE], done[M];                                                \
            for (int x = 0; x < columns; x++) {                                                    \
                for (int y = 0; y < lines; y++)                                                    \
                    line[y] = vec_load(                                                            \
                        a->in + (size_t)(ys[y] * SIDE + xs[x]) * a->position_stride + lane);       \
                output_##M(a->rows, line, done);                                                   \
                for (int y = 0; y < a->rows; y++)                                                  \
                    half[y][x] = done[y];                                                          \
            }                                                                                      \
            for (int y = 0; y < a->rows; y++) {                                                    \
                output_##M(a->columns, half[y], done);                                             \
                for (int x = 0; x < a->columns; x++)                                               \
                    patch_finish(a, y, x, lane, done[x], M);                                       \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static inline void winograd_out_##M(const struct patch_out_args *a)                            \
    {                                                                                              \
        if (a->rows <= M - 2 || a->columns <= M - 2)                                               \
            winograd_cut_out_##M(a);                                                               \
        else                                                                                       \
            winograd_whole_out_##M(a);                                                             \
    }

DEFINE_CUT_OUT(4, 6)
DEFINE_CUT_OUT(6, 8)

#endif
