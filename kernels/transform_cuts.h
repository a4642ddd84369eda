/*
 * F(4x4,3x3) and F(6x6,3x3) with the tiles that the map's edge cuts, which have fewer products
 * (bilinear_kept()): 7 of the 16 of a map of 14 x 14 pixels, so they must not take much longer than
 * whole ones. Lines are a loop, with a copy of it for each number of products that a line may have.
 */
#ifndef RESMARK_KERNELS_TRANSFORM_CUTS_H
#define RESMARK_KERNELS_TRANSFORM_CUTS_H

#include "kernels/transform_patches.h"

static inline int kept_count(enum bilinear_form form, int outputs)
{
    return __builtin_popcount(bilinear_kept(form, outputs));
}

/* Which of `side` products is number i of those kept: the last one is that of the point inf. */
static inline int kept_at(int i, int kept, int side)
{
    return i == kept - 1 ? side - 1 : i;
}

/* The macro CALL with a line's number of products as a constant. */
#define WITH_KEPT_4(kept, CALL)                                                                    \
    {                                                                                              \
        if ((kept) == 4)                                                                           \
            CALL(4)                                                                                \
        else                                                                                       \
            CALL(6)                                                                                \
    }
#define WITH_KEPT_6(kept, CALL)                                                                    \
    {                                                                                              \
        if ((kept) == 4)                                                                           \
            CALL(4)                                                                                \
        else if ((kept) == 6)                                                                      \
            CALL(6)                                                                                \
        else                                                                                       \
            CALL(8)                                                                                \
    }

#define CUT_IN_COLUMNS(M, ROWS)                                                                    \
    for (int x = 0; x < columns; x++) {                                                            \
        vec line[ROWS], done[ROWS];                                                                \
        UNROLLED(8)                                                                                \
        for (int y = 0; y < ROWS; y++)                                                             \
            line[y] = vec_load(in + (size_t)y * row_stride + x * BLOCK);                           \
        winograd_kept_input_##M(ROWS, line, done);                                                 \
        UNROLLED(8) for (int y = 0; y < ROWS; y++) half[y][x] = done[y];                           \
    }
#define CUT_IN_ROWS(M, SIDE, COLUMNS)                                                              \
    for (int y = 0; y < rows; y++) {                                                               \
        float *row = out + (size_t)(kept_at(y, rows, SIDE) * SIDE) * stride;                       \
        vec done[COLUMNS];                                                                         \
        winograd_kept_input_##M(COLUMNS, half[y], done);                                           \
        UNROLLED(8)                                                                                \
        for (int x = 0; x < COLUMNS; x++)                                                          \
            vec_store(row + (size_t)kept_at(x, COLUMNS, SIDE) * stride, done[x]);                  \
    }
#define CUT_IN_COLUMNS_4(ROWS) CUT_IN_COLUMNS(4, ROWS)
#define CUT_IN_COLUMNS_6(ROWS) CUT_IN_COLUMNS(6, ROWS)
#define CUT_IN_ROWS_4(COLUMNS) CUT_IN_ROWS(4, 6, COLUMNS)
#define CUT_IN_ROWS_6(COLUMNS) CUT_IN_ROWS(6, 8, COLUMNS)

/* A tile whose outputs are an odd number of rows or columns lacks pixels, too. */
#define DEFINE_CUT_IN(M, SIDE)                                                                     \
    static inline void winograd_cut_in_##M(const struct patch_in_args *a, int rows, int columns)   \
    {                                                                                              \
        const size_t stride = a->position_stride;                                                  \
        struct patch patch;                                                                        \
        vec half[SIDE][SIDE];                                                                      \
        const float *in = a->in;                                                                   \
        size_t row_stride = a->row_stride;                                                         \
        if (a->rows < rows || a->columns < columns) {                                              \
            complete_patch(a, SIDE, &patch);                                                       \
            in = patch.value;                                                                      \
            row_stride = SIDE * BLOCK;                                                             \
        }                                                                                          \
        for (int lane = 0; lane < BLOCK; lane += VEC_WIDTH, in += VEC_WIDTH) {                     \
            float *out = a->out + lane;                                                            \
            WITH_KEPT_##M(rows, CUT_IN_COLUMNS_##M) WITH_KEPT_##M(columns, CUT_IN_ROWS_##M)        \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static inline void winograd_in_##M(const struct patch_in_args *a)                              \
    {                                                                                              \
        if (a->rows >= SIDE && a->columns >= SIDE) {                                               \
            winograd_whole_in_##M(a);                                                              \
            return;                                                                                \
        }                                                                                          \
        int rows = kept_count(FORM_WINOGRAD##M, a->rows - 2);                                      \
        int columns = kept_count(FORM_WINOGRAD##M, a->columns - 2);                                \
        if (rows == SIDE && columns == SIDE)                                                       \
            winograd_whole_in_##M(a);                                                              \
        else                                                                                       \
            winograd_cut_in_##M(a, rows, columns);                                                 \
    }

DEFINE_CUT_IN(4, 6)
DEFINE_CUT_IN(6, 8)

#define CUT_OUT_COLUMNS(M, SIDE, ROWS)                                                             \
    for (int x = 0; x < columns; x++) {                                                            \
        const float *column = in + (size_t)kept_at(x, columns, SIDE) * stride;                     \
        vec line[ROWS], done[ROWS - 2];                                                            \
        UNROLLED(8)                                                                                \
        for (int y = 0; y < ROWS; y++)                                                             \
            line[y] = vec_load(column + (size_t)(kept_at(y, ROWS, SIDE) * SIDE) * stride);         \
        winograd_kept_output_##M(ROWS, line, done);                                                \
        UNROLLED(8) for (int y = 0; y < ROWS - 2; y++) half[y][x] = done[y];                       \
    }
#define CUT_OUT_ROWS(M, COLUMNS)                                                                   \
    for (int y = 0; y < a->rows; y++) {                                                            \
        vec done[COLUMNS - 2];                                                                     \
        winograd_kept_output_##M(COLUMNS, half[y], done);                                          \
        UNROLLED(8) for (int x = 0; x < COLUMNS - 2; x++)                                          \
        {                                                                                          \
            if (x < a->columns)                                                                    \
                patch_finish(a, y, x, lane, done[x], M);                                           \
        }                                                                                          \
    }
#define CUT_OUT_COLUMNS_4(ROWS) CUT_OUT_COLUMNS(4, 6, ROWS)
#define CUT_OUT_COLUMNS_6(ROWS) CUT_OUT_COLUMNS(6, 8, ROWS)
#define CUT_OUT_ROWS_4(COLUMNS) CUT_OUT_ROWS(4, COLUMNS)
#define CUT_OUT_ROWS_6(COLUMNS) CUT_OUT_ROWS(6, COLUMNS)

#define DEFINE_CUT_OUT(M, SIDE)                                                                    \
    static inline __attribute__((always_inline)) void winograd_cut_out_lines_##M(                  \
        const struct patch_out_args *a, int rows, int columns)                                     \
    {                                                                                              \
        const size_t stride = a->position_stride;                                                  \
        vec half[M][SIDE];                                                                         \
        for (int lane = 0; lane < BLOCK; lane += VEC_WIDTH) {                                      \
            const float *in = a->in + lane;                                                        \
            WITH_KEPT_##M(rows, CUT_OUT_COLUMNS_##M) WITH_KEPT_##M(columns, CUT_OUT_ROWS_##M)      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static inline void winograd_cut_out_##M(const struct patch_out_args *a, int rows, int columns) \
    {                                                                                              \
        if (only_activates(a)) {                                                                   \
            const struct patch_out_args act = activation_args(a, a->rows, a->columns);             \
            winograd_cut_out_lines_##M(&act, rows, columns);                                       \
        } else {                                                                                   \
            winograd_cut_out_lines_##M(a, rows, columns);                                          \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static inline void winograd_out_##M(const struct patch_out_args *a)                            \
    {                                                                                              \
        int rows = kept_count(FORM_WINOGRAD##M, a->rows);                                          \
        int columns = kept_count(FORM_WINOGRAD##M, a->columns);                                    \
        if (rows == SIDE && columns == SIDE)                                                       \
            winograd_whole_out_##M(a);                                                             \
        else                                                                                       \
            winograd_cut_out_##M(a, rows, columns);                                                \
    }

DEFINE_CUT_OUT(4, 6)
DEFINE_CUT_OUT(6, 8)

#endif
