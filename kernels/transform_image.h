/*
 * The input transform of the stem's polyphase form of all ISAs, for the vector type of whoever
 * includes this. The pixels in even and odd rows, and of these those in even and odd columns, are
 * four images of half the size: together 12 channels, of which the stem is a 4x4 convolution of
 * stride 1, whose last taps are zeros in the odd rows and columns. Down the columns a vector is
 * whatever lies together in a row of the image; along the rows it is a pair of pixels.
 */
#ifndef RESMARK_KERNELS_TRANSFORM_IMAGE_H
#define RESMARK_KERNELS_TRANSFORM_IMAGE_H

#include "kernels/transform_patches.h"
#include "kernels/unroll.h"

#define IMAGE_SIDE 7   /* products in a direction */
#define IMAGE_REACH 13 /* pixels that they read */
#define IMAGE_ROW (IMAGE_REACH * 3)
#define IMAGE_PAIR 6 /* floats of two pixels, and … */
#define IMAGE_HALF 8 /* … those stored, since vectors are longer */

/* A row with zeros behind it: the last pair has but one pixel, and vectors are longer than that. */
#define IMAGE_PADDED_ROW 56

/* A patch that reaches over the image's border, completed with zeros. */
struct image_patch {
    float value[IMAGE_REACH * IMAGE_ROW];
};

static inline void complete_image(const struct patch_in_args *a, struct image_patch *patch)
{
    for (int y = 0; y < IMAGE_REACH; y++) {
        const float *row = a->in + (size_t)y * a->row_stride;
        const int floats = y < a->rows ? a->columns * 3 : 0;
        for (int i = 0; i < IMAGE_ROW; i++)
            patch->value[y * IMAGE_ROW + i] = i < floats ? row[i] : 0;
    }
}

/* The transform of a phase's rows down the columns; an odd one has one row less. */
static inline __attribute__((always_inline)) void
image_columns(const float *in, size_t row_stride, const int phase, float (*half)[IMAGE_PADDED_ROW])
{
    for (int i = 0; i < IMAGE_ROW; i += VEC_WIDTH) {
        const int at = i < IMAGE_ROW - VEC_WIDTH ? i : IMAGE_ROW - VEC_WIDTH;
        const float *row = in + (size_t)phase * row_stride + at;
        vec line[IMAGE_SIDE], done[IMAGE_SIDE];
        UNROLLED(8) for (int y = 0; y < IMAGE_SIDE - phase; y++)
        {
            line[y] = vec_load(row);
            row += 2 * row_stride;
        }
        if (phase)
            line[IMAGE_SIDE - 1] = vec_set1(0);
        polyphase_input_4(line, done);
        UNROLLED(8) for (int y = 0; y < IMAGE_SIDE; y++) vec_store(half[y] + at, done[y]);
    }
    for (int y = 0; y < IMAGE_SIDE; y++) {
        for (int i = 0; i < IMAGE_HALF; i += VEC_WIDTH)
            vec_store(half[y] + IMAGE_ROW + i, vec_set1(0));
    }
}

/* The transform of one of these along its pairs of pixels; an even row's comes first, and leaves
 * nothing undefined behind it. */
static inline __attribute__((always_inline)) void image_row(const float *in, const int phase,
                                                            float *out, size_t position_stride)
{
    for (int lane = 0; lane < IMAGE_HALF; lane += VEC_WIDTH, in += VEC_WIDTH) {
        vec line[IMAGE_SIDE], done[IMAGE_SIDE];
        float *to = out + phase * IMAGE_PAIR + lane;
        UNROLLED(8) for (int x = 0; x < IMAGE_SIDE; x++) line[x] = vec_load(in + x * IMAGE_PAIR);
        polyphase_input_4(line, done);
        UNROLLED(8) for (int x = 0; x < IMAGE_SIDE; x++)
        {
            const int column = phase && x == IMAGE_SIDE - 1 ? 3 - IMAGE_PAIR : 0;
            vec_store_8(to + column, done[x]);
            if (!phase) {
                vec_store_8(to + IMAGE_HALF, vec_set1(0));
                fetch_next(lane, to + BLOCK);
            }
            to += position_stride;
        }
    }
}

static inline void polyphase_in_4(const struct patch_in_args *a)
{
    struct image_patch patch;
    float half[2][IMAGE_SIDE][IMAGE_PADDED_ROW];
    const float *in = a->in;
    size_t row_stride = a->row_stride;
    if (a->rows < IMAGE_REACH || a->columns < IMAGE_REACH) {
        complete_image(a, &patch);
        in = patch.value;
        row_stride = IMAGE_ROW;
    }
    image_columns(in, row_stride, 0, half[0]);
    image_columns(in, row_stride, 1, half[1]);
    for (int y = 0; y < IMAGE_SIDE; y++) {
        float *out = a->out + (size_t)(y * IMAGE_SIDE) * a->position_stride;
        image_row(half[0][y], 0, out, a->position_stride);
        image_row(half[1][y], 1, out, a->position_stride);
    }
}

#endif
