/**
 * Convolutions by bilinear algorithms, which trade multiplications for additions, over whole
 * tensors, the same for every ISA:
 *
 *  - Winograd's F(2x2,3x3), F(4x4,3x3) and F(6x6,3x3) for a 3x3 convolution of stride 1 (Lavin and
 *    Gray, arXiv:1509.09308): 2.25, 4 and 5.06 times fewer multiplications;
 *  - the polyphase form of a 3x3 convolution of stride 2: of each filter row the outer taps meet
 *    the even pixels and are a 2-tap filter, for which F(2,2) takes 3 multiplications instead of 4;
 *    the middle tap meets the odd ones. Tiles of 2x2 outputs, 25 multiplications instead of 36;
 *  - the same for the stem, 7x7 of stride 2 on the image, whose 4 and 3 taps share the products of
 *    F(4,4): the 3 channels of even and odd rows and columns are 12 channels of a 4x4
 *    convolution. Tiles of 4x4 outputs, 169 multiplications instead of 784;
 *  - one level of Strassen's algorithm (Numer. Math. 13, 1969) for a 1x1 convolution, whose output
 *    is a matrix product: 7 products of half the size in each direction instead of 8. A tile is a
 *    pair of pixels of an image, number i and number i + half, half = ceil(pixels / 2); a pixel
 *    without a partner is its own. The channels are halved, too: block b goes with b + blocks / 2,
 *    so both numbers of channels are multiples of 32.
 *
 * The output is cut into tiles, and the tiles of the batch, in one sequence, into chunks that stay
 * in cache. A chunk is transformed into as many matrices of tiles x Cin as the algorithm has
 * products ("positions"), each is multiplied with a matrix of filters by the convolution
 * micro-kernel, and the products are transformed back with the convolution's epilogue. Of a tile
 * that reaches over the output's edge, the products that only outputs beyond it are made of are not
 * computed: of F(4x4) for 7x7 pixels 121 remain of 144.
 *
 * There are two ways to split the work, of which neither changes a bit:
 *  - by tiles: a unit is a chunk, from beginning to end; each thread reads all filters;
 *  - by channels: in a first phase all tiles are transformed, into memory that the threads share;
 *    in a second phase a unit is a block of output channels of a chunk, and a block's units follow
 *    each other, so each filter is read once in all. Few tiles each thread transforms for
 *    itself before its first unit, since to read them out of another core's cache takes longer.
 */
#ifndef RESMARK_KERNELS_BILINEAR_H
#define RESMARK_KERNELS_BILINEAR_H

#include "kernels/tensor.h"

#include <stdatomic.h>

/** Tiles of the longest chunk. */
#define BILINEAR_MAX_CHUNK 256

enum bilinear_form {
    FORM_WINOGRAD2,
    FORM_WINOGRAD4,
    FORM_WINOGRAD6,
    FORM_POLYPHASE2,
    FORM_POLYPHASE4,
    FORM_STRASSEN,
};

struct bilinear_blocking {
    int chunk;        /**< tiles, at most BILINEAR_MAX_CHUNK */
    bool by_channels; /**< which way the work is split */
};

struct bilinear {
    const struct kernel_set *set;
    enum bilinear_form form;
    int batch;
    int stride;       /**< of the convolution */
    struct tensor in; /**< its border is at least bilinear_pad(); with FORM_POLYPHASE4 an image */
    struct tensor residual; /**< as in struct conv, as are the others */
    int residual_stride;    /**< 2 with FORM_STRASSEN only */
    struct tensor sum;
    struct tensor act;
    const float *weights;     /**< [Cout group][filter][bilinear_inputs()][16 cout] */
    const float *weights_end; /**< end of what may be prefetched behind the weights */
    const float *bias;
    const float *scale;
    const float *shift;
    struct bilinear_blocking blocking;
    size_t own_floats; /**< most floats of transformed tiles that each thread has for itself */
    float *shared;     /**< bilinear_shared_floats() of memory, if that is not 0 */
};

/**
 * The products that a thread computes just now: one for each thread, zeros at first, all of a team
 * side by side. Threads that have no unit left take those of a filter out of the others'.
 */
struct bilinear_work {
    /** Which filters' products there are to take: their round in the high half, below it how many
     * there are and the next one, 16 bits each. */
    _Alignas(64) _Atomic uint64_t next;
    const struct products *products;      /**< of this round */
    _Alignas(64) _Atomic uint32_t helped; /**< of this round, that others have computed */
};

/** Pixels in each direction that a tile puts out; 0 for FORM_STRASSEN. */
int bilinear_tile(enum bilinear_form form);

/** Products of a tile in each direction; 0 for FORM_STRASSEN. */
int bilinear_side(enum bilinear_form form);

/** Pixels in each direction that a tile reads; 0 for FORM_STRASSEN. */
int bilinear_reach(enum bilinear_form form);

/** The convolution's padding. */
int bilinear_pad(enum bilinear_form form);

/** Rows of a product's matrix of filters, for so many input channels. */
int bilinear_inputs(enum bilinear_form form, int cin);

/** Products of a tile. */
int bilinear_positions(enum bilinear_form form);

/** Rows, and columns, of the filters of a tile's products; 0 for FORM_STRASSEN. */
int bilinear_filter_side(enum bilinear_form form);

/** Matrices of filters: as many as products, but for FORM_POLYPHASE2 whose middle tap meets each
 * output's odd pixels as it is. */
int bilinear_filters(enum bilinear_form form);

/** Products with the same filter, at most. */
#define BILINEAR_MAX_SHARING 4

/** The products with filter number `filter`; returns how many they are. */
int bilinear_sharing(enum bilinear_form form, int filter, int positions[BILINEAR_MAX_SHARING]);

/**
 * Which products in one direction (bit i: the i-th) the transforms of a tile have that the map's
 * edge leaves so many outputs, at most bilinear_tile(): F(m,3) has the points of F(k,3) among its
 * own, and there, but for a factor, its filters, so F(4,3) and F(6,3) do 1 or 2 outputs by F(2,3),
 * F(6,3) does 3 or 4 by F(4,3).
 */
unsigned bilinear_kept(enum bilinear_form form, int outputs);

/** Those that such a tile needs not: not kept, or part of outputs that it lacks. 0 for
 * FORM_STRASSEN and for whole tiles. */
unsigned bilinear_spared(enum bilinear_form form, int outputs);

/** Products whose input is a sum that the transform makes: all but Strassen's last two, which read
 * the input itself. */
int bilinear_sums(enum bilinear_form form);

/** Blocks of channels that are transformed as one, on the input and on the output side: 2 with
 * FORM_STRASSEN, else 1. */
int bilinear_group(enum bilinear_form form);

/** Products of all tiles of an image: those at the edge are spared what only the outputs beyond it
 * would need. */
int bilinear_products(enum bilinear_form form, int height, int width);

/** Tiles of an image with an output of `height` x `width` pixels. */
int bilinear_tiles(enum bilinear_form form, int height, int width);

/** Floats of memory that all threads share. */
size_t bilinear_shared_floats(const struct bilinear *b);

/** Floats of scratch memory that a thread needs to run a unit. */
size_t bilinear_scratch_floats(const struct bilinear *b);

/** Whether each thread transforms all tiles for itself, by bilinear_prepare(). */
bool bilinear_own_tiles(const struct bilinear *b);

/** Transforms all tiles into the scratch of a thread that is to run units of phase 1. */
void bilinear_prepare(const struct bilinear *b, float *scratch);

/** Units of a phase, 0 or 1; phase 0 has none when the work is split by tiles, or each thread
 * transforms all of them. */
int bilinear_units(const struct bilinear *b, int phase);

/**
 * Runs one unit of a phase. The units of one phase may run in any order and at the same time, with
 * a scratch and a work of their own; phase 1 begins when phase 0 has ended.
 */
void bilinear_run(const struct bilinear *b, int phase, int unit, float *scratch,
                  struct bilinear_work *work);

/**
 * Computes one filter's products of a unit that runs on another thread. False if none of the
 * `count` works has one to give. What it reads and writes is that thread's, which waits for it.
 */
bool bilinear_help(struct bilinear_work *works, int count);

/**
 * Transforms the 3x3 filters of one output block: from [count][cin][3][3] to
 * [filter][cin / 16][16 cin][16 cout], U = G g G^T in double with each filter multiplied by its
 * output channel's `fold`, rounded once. Channels from `count` and `cin` on are zeros.
 */
void bilinear_pack_filters(enum bilinear_form form, const float *filters, int count, int cin,
                           const double *fold, float *packed);

/**
 * The same for FORM_POLYPHASE4: from [count][3][7][7] to [position][12][16 cout]. A product that
 * has no odd row or column has zeros at the end.
 */
void bilinear_pack_stem(const float *filters, int count, const double *fold, float *packed);

/**
 * The same for Strassen: of 16 output channels of the lower half and as many of the upper,
 * [16][cin] each, to [7][cin / 32][16 cin][16 cout]. cin is a multiple of 32.
 */
void bilinear_pack_strassen(const float *const filters[2], int cin, const double *const fold[2],
                            float *packed);

#endif
