#include "kernels/winograd.h"

#include <assert.h>

/* Blocks of input channels, at most: 8192 channels. */
#define MAX_PIECES 512

/* Pixels in the tile of any kernel set, at most. */
#define MAX_TILE 64

/* The matrices of a chunk lie a line apart from a multiple of a power of two, which would map all
 * positions of a pixel to the same cache set. */
#define POSITION_PAD BLOCK

/* One tile of the batch. */
struct spot {
    int image, y, x; /* y and x of its first output pixel */
};

/* A chunk of tiles and where its transformed input is. */
struct chunk {
    int tiles;
    float *in; /* [position][cin block][tiles][16] */
    size_t position_stride;
    struct spot spots[WINOGRAD_MAX_CHUNK + MAX_TILE];
};

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

static const struct tensor *output_of(const struct winograd *w)
{
    return w->sum.data ? &w->sum : &w->act;
}

static int positions_of(const struct winograd *w)
{
    return (w->tile + 2) * (w->tile + 2);
}

static int tiles_of(const struct winograd *w)
{
    const struct tensor *out = output_of(w);
    return w->batch * divide_up(out->height, w->tile) * divide_up(out->width, w->tile);
}

static int chunks_of(const struct winograd *w)
{
    return divide_up(tiles_of(w), w->blocking.chunk);
}

static size_t position_floats(int tiles, int blocks)
{
    return (size_t)tiles * (size_t)blocks * BLOCK + POSITION_PAD;
}

/* Tiles of the longest chunk: moving its ends to full tiles of the kernel may lengthen it. */
static int longest_chunk(const struct winograd *w)
{
    return w->blocking.chunk + w->set->tile_pixels;
}

/* Floats of a whole chunk's transformed input. */
static size_t chunk_floats(const struct winograd *w)
{
    return (size_t)positions_of(w) * position_floats(longest_chunk(w), tensor_blocks(&w->in));
}

/* Floats of the products of one tile of the kernel (tile_blocks output blocks). */
static size_t product_floats(const struct winograd *w)
{
    return (size_t)positions_of(w) * position_floats(longest_chunk(w), w->set->tile_blocks);
}

size_t winograd_shared_floats(const struct winograd *w)
{
    return w->blocking.by_channels ? (size_t)chunks_of(w) * chunk_floats(w) : 0;
}

size_t winograd_scratch_floats(const struct winograd *w)
{
    return product_floats(w) + (w->blocking.by_channels ? 0 : chunk_floats(w));
}

int winograd_units(const struct winograd *w, int phase)
{
    if (!w->blocking.by_channels)
        return phase == 0 ? 0 : chunks_of(w);
    return phase == 0 ? chunks_of(w) * tensor_blocks(&w->in)
                      : divide_up(tensor_blocks(output_of(w)), w->set->tile_blocks);
}

/*
 * Where a chunk begins. Chunks are of nearly equal size, so that two threads do the same, and where
 * they are long enough they end with a full tile of the kernel.
 */
static int chunk_start(const struct winograd *w, int index)
{
    int chunks = chunks_of(w), step = w->set->tile_pixels;
    int start = (int)((int64_t)tiles_of(w) * index / chunks);
    return index < chunks && w->blocking.chunk >= 2 * step ? start / step * step : start;
}

/* Where a chunk's tiles are. Only the first is divided for: a transform takes hardly longer than
 * the divisions. */
static void locate_tiles(const struct winograd *w, int first, struct chunk *chunk)
{
    const struct tensor *out = output_of(w);
    int columns = divide_up(out->width, w->tile), rows = divide_up(out->height, w->tile);
    int row = first / columns;
    struct spot s = {row / rows, row % rows * w->tile, first % columns * w->tile};
    for (int i = 0; i < chunk->tiles; i++) {
        chunk->spots[i] = s;
        s.x += w->tile;
        if (s.x >= out->width) {
            s.x = 0;
            s.y += w->tile;
        }
        if (s.y >= out->height) {
            s.y = 0;
            s.image++;
        }
    }
}

static void chunk_at(const struct winograd *w, int index, float *in, struct chunk *chunk)
{
    int first = chunk_start(w, index);
    chunk->tiles = chunk_start(w, index + 1) - first;
    chunk->in = in;
    chunk->position_stride = position_floats(chunk->tiles, tensor_blocks(&w->in));
    locate_tiles(w, first, chunk);
}

/* Transforms one block of input channels of all tiles of a chunk. */
static void transform_input(const struct winograd *w, const struct chunk *chunk, int block)
{
    const struct tensor *in = &w->in;
    int side = w->tile + 2;
    for (int i = 0; i < chunk->tiles; i++) {
        struct spot s = chunk->spots[i];
        const float *corner =
            in->data + (size_t)s.image * in->image_stride + (size_t)block * in->block_stride;
        struct winograd_in_args args = {
            .in = corner + (ptrdiff_t)(s.y - 1) * (ptrdiff_t)in->row_stride + (s.x - 1) * BLOCK,
            .row_stride = in->row_stride,
            .rows = min(side, in->height + 2 - s.y),
            .columns = min(side, in->width + 2 - s.x),
            .out = chunk->in + ((size_t)block * (size_t)chunk->tiles + (size_t)i) * BLOCK,
            .position_stride = chunk->position_stride};
        if (w->tile == 2)
            w->set->winograd2_in.run(&args);
        else
            w->set->winograd4_in.run(&args);
    }
}

/* All positions of a chunk times the filters of `blocks` output blocks. */
static void multiply(const struct winograd *w, const struct chunk *chunk, int block, int blocks,
                     float *products)
{
    static const float zeros[4 * BLOCK];
    int cin_blocks = tensor_blocks(&w->in), positions = positions_of(w);
    int32_t tile_at[WINOGRAD_MAX_CHUNK + MAX_TILE], piece_at[MAX_PIECES];
    for (int i = 0; i < chunk->tiles; i++)
        tile_at[i] = i * BLOCK;
    for (int c = 0; c < cin_blocks; c++)
        piece_at[c] = c * chunk->tiles * BLOCK;
    size_t panel = (size_t)cin_blocks * BLOCK * BLOCK, output = panel * (size_t)positions;
    size_t product = position_floats(chunk->tiles, blocks);
    struct conv_args args = {.in_at = tile_at,
                             .piece_at = piece_at,
                             .bias = zeros,
                             .weights_stride = output,
                             .pixels = chunk->tiles,
                             .blocks = blocks,
                             .adjacent = true,
                             .pieces = cin_blocks,
                             .piece = BLOCK};
    for (int p = 0; p < positions; p++) {
        args.in = chunk->in + (size_t)p * chunk->position_stride;
        args.weights = w->weights + (size_t)block * output + (size_t)p * panel;
        args.prefetch = args.weights + panel;
        args.prefetch_end =
            args.prefetch + panel < w->weights_end ? args.prefetch + panel : w->weights_end;
        args.partial = products + (size_t)p * product;
        w->set->conv.run(&args);
    }
}

/* Where tensor t has the tile's first pixel in a block; NULL if there is no such tensor. */
static float *spot_in(const struct tensor *t, struct spot s, int block)
{
    return t->data ? t->data + (size_t)s.image * t->image_stride + (size_t)block * t->block_stride +
                         (size_t)s.y * t->row_stride + (size_t)(s.x * BLOCK)
                   : NULL;
}

/* Transforms the products of one output block back; `products` is that block's of position 0. */
static void transform_output(const struct winograd *w, const struct chunk *chunk, int block,
                             const float *products, size_t position_stride)
{
    const struct tensor *out = output_of(w);
    size_t channel = (size_t)block * BLOCK;
    for (int i = 0; i < chunk->tiles; i++) {
        struct spot s = chunk->spots[i];
        struct winograd_out_args args = {.in = products + i * BLOCK,
                                         .position_stride = position_stride,
                                         .rows = min(w->tile, out->height - s.y),
                                         .columns = min(w->tile, out->width - s.x),
                                         .bias = w->bias + channel,
                                         .scale = w->scale ? w->scale + channel : NULL,
                                         .shift = w->scale ? w->shift + channel : NULL,
                                         .residual = spot_in(&w->residual, s, block),
                                         .sum = spot_in(&w->sum, s, block),
                                         .act = spot_in(&w->act, s, block),
                                         .residual_stride = w->residual.row_stride,
                                         .sum_stride = w->sum.row_stride,
                                         .act_stride = w->act.row_stride};
        if (w->tile == 2)
            w->set->winograd2_out.run(&args);
        else
            w->set->winograd4_out.run(&args);
    }
}

/* Products and output of a transformed chunk, for as many output blocks as a kernel's tile has. */
static void finish_chunk(const struct winograd *w, const struct chunk *chunk, int block,
                         float *products)
{
    int blocks = min(w->set->tile_blocks, tensor_blocks(output_of(w)) - block);
    multiply(w, chunk, block, blocks, products);
    for (int b = 0; b < blocks; b++)
        transform_output(w, chunk, block + b, products + (size_t)b * (size_t)chunk->tiles * BLOCK,
                         position_floats(chunk->tiles, blocks));
}

/* A unit of the split by tiles: a chunk from beginning to end. */
static void run_tiles(const struct winograd *w, int unit, float *scratch)
{
    struct chunk chunk;
    chunk_at(w, unit, scratch + product_floats(w), &chunk);
    for (int block = 0; block < tensor_blocks(&w->in); block++)
        transform_input(w, &chunk, block);
    for (int block = 0; block < tensor_blocks(output_of(w)); block += w->set->tile_blocks)
        finish_chunk(w, &chunk, block, scratch);
}

/* A unit of the split by channels: a chunk's block of input channels, then a tile's worth of output
 * blocks. */
static void run_channels(const struct winograd *w, int phase, int unit, float *scratch)
{
    int cin_blocks = tensor_blocks(&w->in);
    int begin = phase == 0 ? unit / cin_blocks : 0, end = phase == 0 ? begin + 1 : chunks_of(w);
    for (int index = begin; index < end; index++) {
        struct chunk chunk;
        chunk_at(w, index, w->shared + (size_t)index * chunk_floats(w), &chunk);
        if (phase == 0)
            transform_input(w, &chunk, unit % cin_blocks);
        else
            finish_chunk(w, &chunk, unit * w->set->tile_blocks, scratch);
    }
}

void winograd_run(const struct winograd *w, int phase, int unit, float *scratch)
{
    assert(tensor_blocks(&w->in) <= MAX_PIECES && w->blocking.chunk <= WINOGRAD_MAX_CHUNK);
    assert(w->set->tile_pixels <= MAX_TILE);
    if (w->blocking.by_channels)
        run_channels(w, phase, unit, scratch);
    else
        run_tiles(w, unit, scratch);
}
