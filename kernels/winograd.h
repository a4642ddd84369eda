/**
 * A stride-1 3x3 convolution by Winograd's F(2x2,3x3) or F(4x4,3x3), over whole tensors, the same
 * for every ISA.
 *
 * The output is cut into tiles of m x m pixels, and the tiles of the batch, in one sequence, into
 * chunks that stay in cache. A chunk is transformed into (m + 2)^2 matrices of tiles x Cin, each is
 * multiplied with its own matrix of filters by the convolution micro-kernel, and the products are
 * transformed back with the convolution's epilogue.
 *
 * There are two ways to split the work, of which neither changes a bit:
 *  - by tiles: a unit is a chunk, from beginning to end; each thread reads all filters;
 *  - by channels: in a first phase all tiles are transformed, into memory that the threads share;
 *    in a second phase a unit is a block of output channels, so each filter is read once in all.
 */
#ifndef RESMARK_KERNELS_WINOGRAD_H
#define RESMARK_KERNELS_WINOGRAD_H

#include "kernels/tensor.h"

/** Tiles of the longest chunk. */
#define WINOGRAD_MAX_CHUNK 256

struct winograd_blocking {
    int chunk;        /**< tiles, at most WINOGRAD_MAX_CHUNK */
    bool by_channels; /**< which way the work is split */
};

struct winograd {
    const struct kernel_set *set;
    int tile; /**< m: 2 or 4 */
    int batch;
    struct tensor in;       /**< its border is at least 1 */
    struct tensor residual; /**< as in struct conv, as are the others */
    struct tensor sum;
    struct tensor act;
    const float *weights;     /**< [Cout/16][(m + 2)^2][Cin/16][16 cin][16 cout] */
    const float *weights_end; /**< end of what may be prefetched behind the weights */
    const float *bias;
    const float *scale;
    const float *shift;
    struct winograd_blocking blocking;
    float *shared; /**< winograd_shared_floats() of memory, if that is not 0 */
};

/** Floats of memory that all threads share. */
size_t winograd_shared_floats(const struct winograd *w);

/** Floats of scratch memory that a thread needs to run a unit. */
size_t winograd_scratch_floats(const struct winograd *w);

/** Units of a phase, 0 or 1; phase 0 has none when the work is split by tiles. */
int winograd_units(const struct winograd *w, int phase);

/**
 * Runs one unit of a phase. The units of one phase may run in any order and at the same time, with
 * a scratch of their own; phase 1 begins when phase 0 has ended.
 */
void winograd_run(const struct winograd *w, int phase, int unit, float *scratch);

/**
 * Transforms the filters of one output block: from [count][cin][3][3] to
 * [(m + 2)^2][cin / 16][16 cin][16 cout], U = G g G^T in double with each filter multiplied by its
 * output channel's `fold`, rounded once. Channels from `count` and `cin` on are zeros.
 */
void winograd_pack_filters(int tile, const float *filters, int count, int cin, const double *fold,
                           float *packed);

#endif
