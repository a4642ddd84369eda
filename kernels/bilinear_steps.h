/**
 * The steps of a bilinear algorithm on one chunk of tiles, between its loops (bilinear.c) and the
 * transforms of square patches (bilinear_patches.c) and of pairs of pixels (bilinear_pairs.c).
 */
#ifndef RESMARK_KERNELS_BILINEAR_STEPS_H
#define RESMARK_KERNELS_BILINEAR_STEPS_H

#include "kernels/bilinear.h"

/** Pixels in the tile of any kernel set, at most, by which a chunk may grow. */
#define MAX_TILE 64
#define MAX_CHUNK_TILES (BILINEAR_MAX_CHUNK + MAX_TILE)

/** Groups of input channels, at most: 8192 channels. */
#define MAX_IN_GROUPS 512

/** A square tile of the batch. */
struct spot {
    int image, y, x; /**< y and x of its first output pixel */
};

/**
 * How the map's edge cuts the tiles of a chunk: the order that they have in it. So the tiles whose
 * last row of outputs is there are neighbours, as are those whose last column is, and those that
 * have both.
 */
enum cut { CUT_BELOW, CUT_NOWHERE, CUT_RIGHT, CUT_BOTH, CUTS };

/** Neighbours in a chunk. */
struct tile_range {
    int first, tiles;
};

/** Offsets of pairs of pixels in each tensor. */
struct pair_offsets {
    int32_t in[2][MAX_CHUNK_TILES];
    int32_t residual[2][MAX_CHUNK_TILES];
    int32_t sum[2][MAX_CHUNK_TILES];
    int32_t act[2][MAX_CHUNK_TILES];
};

/** A chunk of tiles and where its transformed input is. */
struct chunk {
    int tiles;
    float *in; /**< [position][cin group][tiles][16], of the positions that are sums */
    size_t position_stride;
    /** Which tiles need the products of some row and column: [0] of any, [1] of those that are part
     * of the last outputs alone. With FORM_STRASSEN there is but [0][0]. */
    struct tile_range needing[2][2];
    union {
        struct spot spots[MAX_CHUNK_TILES];
        struct pair_offsets pairs; /**< with FORM_STRASSEN */
    };
};

static inline int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static inline int min(int a, int b)
{
    return a < b ? a : b;
}

/** Outputs of the last tile in a direction of `size`; not with FORM_STRASSEN. */
static inline int last_outputs(enum bilinear_form form, int size)
{
    return (size - 1) % bilinear_tile(form) + 1;
}

static inline const struct tensor *bilinear_output(const struct bilinear *b)
{
    return b->sum.data ? &b->sum : &b->act;
}

/** Groups of blocks of a tensor, each of which is transformed as one. */
static inline int bilinear_groups(const struct bilinear *b, const struct tensor *t)
{
    return tensor_blocks(t) / bilinear_group(b->form);
}

/** Fills in where the tiles of a chunk are, which begins at tile `first` of the batch, and which of
 * them need which products. */
void patches_locate(const struct bilinear *b, int first, struct chunk *chunk);
void pairs_locate(const struct bilinear *b, int first, struct chunk *chunk);

/** Transforms one group of input channels of all tiles of a chunk. */
void patches_transform_input(const struct bilinear *b, const struct chunk *chunk, int group);
void pairs_transform_input(const struct bilinear *b, const struct chunk *chunk, int group);

/**
 * All products of a transformed chunk with the filters of `groups` output groups, at most the
 * kernel's blocks, from `group` on: product p to products + p * product_stride, as
 * [group][tile][16]. Meanwhile other threads may take some of them over, by bilinear_help(); all
 * are there on return.
 */
void bilinear_multiply(const struct bilinear *b, const struct chunk *chunk, int group, int groups,
                       float *products, size_t product_stride, struct bilinear_work *work);

/** Transforms the products of one output group back; `products` is that group's of position 0. */
void patches_transform_output(const struct bilinear *b, const struct chunk *chunk, int group,
                              const float *products, size_t position_stride);
void pairs_transform_output(const struct bilinear *b, const struct chunk *chunk, int group,
                            const float *products, size_t position_stride);

#endif
