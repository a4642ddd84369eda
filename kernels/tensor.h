/** Activations in memory. */
#ifndef RESMARK_KERNELS_TENSOR_H
#define RESMARK_KERNELS_TENSOR_H

#include "kernels/kernels.h"

/**
 * A batch of activations, blocked [N][C/16][H + 2 border][W + 2 border][16], or the image
 * [N][H + 2 border][W + 2 border][3]. Channels that do not fill a block are zeros. The border holds
 * zeros, so that a convolution with padding up to it has no edge cases.
 */
struct tensor {
    float *data; /**< the first element inside the border; NULL: no such tensor */
    int channels, height, width;
    int border;
    int pixel;         /**< floats of a pixel: 16, or 3 for the image */
    size_t row_stride; /**< these three in floats */
    size_t block_stride;
    size_t image_stride;
};

/** A description with no memory yet (data is NULL) of `channels` x `height` x `width`, blocked. */
struct tensor tensor_blocked(int channels, int height, int width, int border);

/** The same for an image of 3 channels. */
struct tensor tensor_image(int height, int width, int border);

/** Floats that `batch` images of it occupy, border included. */
size_t tensor_floats(const struct tensor *t, int batch);

/** Blocks of 16 channels. */
static inline int tensor_blocks(const struct tensor *t)
{
    return (t->channels + BLOCK - 1) / BLOCK;
}

/** Whether pixels of a plane, at these offsets from first to last, are one run of floats. */
static inline bool tensor_adjacent(const int32_t *at, int pixels)
{
    return at[pixels - 1] - at[0] == (pixels - 1) * BLOCK;
}

/** Points the tensor at memory of tensor_floats() floats, which starts with its border. */
void tensor_place(struct tensor *t, float *memory);

#endif
