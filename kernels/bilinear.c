#include "kernels/bilinear_steps.h"

#include <assert.h>

/* Blocks of input channels, at most: 8192 channels. */
#define MAX_PIECES 512

/* Weights of a call of the kernel, of all its output blocks: 16 KiB. */
#define CALL_FLOATS 4096

/* The matrices of a chunk lie a line apart from a multiple of a power of two, which would map all
 * positions of a pixel to the same cache set. */
#define POSITION_PAD BLOCK

static int tiles_of(const struct bilinear *b)
{
    const struct tensor *out = bilinear_output(b);
    return b->batch * bilinear_tiles(b->form, out->height, out->width);
}

static int chunks_of(const struct bilinear *b)
{
    return divide_up(tiles_of(b), b->blocking.chunk);
}

static int in_groups(const struct bilinear *b)
{
    return bilinear_groups(b, &b->in);
}

static int out_groups(const struct bilinear *b)
{
    return bilinear_groups(b, bilinear_output(b));
}

static size_t position_floats(int tiles, int groups)
{
    return (size_t)tiles * (size_t)groups * BLOCK + POSITION_PAD;
}

/* Tiles of the longest chunk: moving its ends to full tiles of the kernel may lengthen it. */
static int longest_chunk(const struct bilinear *b)
{
    return b->blocking.chunk + b->set->tile_pixels;
}

/* Floats of the filters of a position and an output group. */
static size_t panel_floats(const struct bilinear *b)
{
    return (size_t)in_groups(b) * BLOCK * BLOCK;
}

/* Floats of a whole chunk's transformed input. */
static size_t chunk_floats(const struct bilinear *b)
{
    return (size_t)bilinear_sums(b->form) * position_floats(longest_chunk(b), in_groups(b));
}

/* Floats of the products of one tile of the kernel (tile_blocks output groups). */
static size_t product_floats(const struct bilinear *b)
{
    return (size_t)bilinear_positions(b->form) *
           position_floats(longest_chunk(b), b->set->tile_blocks);
}

/* Floats of all transformed tiles. */
static size_t tiles_floats(const struct bilinear *b)
{
    return (size_t)chunks_of(b) * chunk_floats(b);
}

bool bilinear_own_tiles(const struct bilinear *b)
{
    return b->blocking.by_channels && tiles_floats(b) <= b->own_floats;
}

static bool share_tiles(const struct bilinear *b)
{
    return b->blocking.by_channels && !bilinear_own_tiles(b);
}

size_t bilinear_shared_floats(const struct bilinear *b)
{
    return share_tiles(b) ? tiles_floats(b) : 0;
}

size_t bilinear_scratch_floats(const struct bilinear *b)
{
    size_t transformed = b->blocking.by_channels ? tiles_floats(b) : chunk_floats(b);
    return product_floats(b) + (share_tiles(b) ? 0 : transformed);
}

int bilinear_units(const struct bilinear *b, int phase)
{
    if (phase == 0)
        return share_tiles(b) ? chunks_of(b) * in_groups(b) : 0;
    return chunks_of(b) *
           (b->blocking.by_channels ? divide_up(out_groups(b), b->set->tile_blocks) : 1);
}

/*
 * Where a chunk begins. Chunks are of nearly equal size, so that two threads do the same, and where
 * they are long enough they end with a full tile of the kernel.
 */
static int chunk_start(const struct bilinear *b, int index)
{
    int chunks = chunks_of(b), step = b->set->tile_pixels;
    int start = (int)((int64_t)tiles_of(b) * index / chunks);
    return index < chunks && b->blocking.chunk >= 2 * step ? start / step * step : start;
}

static void chunk_at(const struct bilinear *b, int index, float *in, struct chunk *chunk)
{
    int first = chunk_start(b, index);
    chunk->tiles = chunk_start(b, index + 1) - first;
    chunk->in = in;
    chunk->position_stride = position_floats(chunk->tiles, in_groups(b));
    chunk->needing[0][0] = (struct tile_range){0, chunk->tiles};
    (b->form == FORM_STRASSEN ? pairs_locate : patches_locate)(b, first, chunk);
}

static void transform_input(const struct bilinear *b, const struct chunk *chunk, int group)
{
    (b->form == FORM_STRASSEN ? pairs_transform_input : patches_transform_input)(b, chunk, group);
}

/* Where the inputs of products are. */
struct factors {
    int32_t tile_at[MAX_CHUNK_TILES];
    int32_t sum_at[MAX_PIECES], raw_at[MAX_PIECES];
};

static void locate_factors(const struct bilinear *b, const struct chunk *chunk, struct factors *f)
{
    for (int i = 0; i < chunk->tiles; i++)
        f->tile_at[i] = i * BLOCK;
    for (int c = 0; c < in_groups(b); c++) {
        f->sum_at[c] = c * chunk->tiles * BLOCK;
        f->raw_at[c] = (int32_t)((size_t)c * b->in.block_stride);
    }
}

/* For Strassen's P5 and P6, which are no sums: the first or the last quarter of the input. */
static void use_input(const struct bilinear *b, const struct chunk *chunk, const struct factors *f,
                      int part, struct conv_args *args)
{
    args->in = b->in.data + (size_t)(part * in_groups(b)) * b->in.block_stride;
    args->in_at = chunk->pairs.in[part];
    args->piece_at = f->raw_at;
    args->adjacent = args->in_at[chunk->tiles - 1] - args->in_at[0] == (chunk->tiles - 1) * BLOCK;
}

/* What all products of a chunk that are of sums have in common. */
static struct conv_args product_args(const struct bilinear *b, const struct chunk *chunk,
                                     const struct factors *f, int groups)
{
    static const float zeros[4 * BLOCK];
    return (struct conv_args){.in_at = f->tile_at,
                              .piece_at = f->sum_at,
                              .bias = zeros,
                              .weights_stride =
                                  panel_floats(b) * (size_t)bilinear_positions(b->form),
                              .partial_stride = (size_t)chunk->tiles * BLOCK,
                              .blocks = groups,
                              .pieces = in_groups(b),
                              .piece = BLOCK,
                              .adjacent = true};
}

/*
 * Groups of input channels in a call of the kernel: their weights take half of the smallest L1
 * cache, since each tile of the kernel reads them again. Calls are of nearly equal size.
 */
static int call_groups(const struct bilinear *b)
{
    int most = CALL_FLOATS / (b->set->tile_blocks * BLOCK * BLOCK);
    return divide_up(in_groups(b), divide_up(in_groups(b), most));
}

/* One product over all input channels: `args` is of the whole sum, whose weights follow each other
 * up to those of the next product. */
static void multiply_position(const struct bilinear *b, struct conv_args args)
{
    const int groups = args.pieces, step = call_groups(b);
    for (int group = 0; group < groups; group += step) {
        args.pieces = min(step, groups - group);
        const ptrdiff_t panel = args.pieces * BLOCK * BLOCK, left = b->weights_end - args.weights;
        args.prefetch = args.weights + panel;
        args.prefetch_end = args.weights + (2 * panel < left ? 2 * panel : left);
        args.resume = group > 0;
        b->set->conv.run(&args);
        args.weights += panel;
        args.piece_at += args.pieces;
    }
}

/* The products that the chunk's last tiles in a direction of `size` need not. */
static unsigned spared(const struct bilinear *b, int size)
{
    return b->form == FORM_STRASSEN ? 0 : bilinear_spared(b->form, last_outputs(b->form, size));
}

/*
 * All positions of a chunk times the filters of `groups` output groups. There is no more between
 * two calls than must be: of 64 channels one takes but 2000 cycles, and two divisions 1 % of them.
 */
static void multiply(const struct bilinear *b, const struct chunk *chunk, int group, int groups,
                     float *products)
{
    const int positions = bilinear_positions(b->form), sums = bilinear_sums(b->form);
    const int side = bilinear_side(b->form);
    const struct tensor *out = bilinear_output(b);
    const unsigned below = spared(b, out->height);
    const unsigned right = spared(b, out->width);
    const size_t panel = panel_floats(b), product = position_floats(chunk->tiles, groups);
    struct factors factors;
    locate_factors(b, chunk, &factors);
    struct conv_args args = product_args(b, chunk, &factors, groups);
    args.weights = b->weights + (size_t)group * args.weights_stride;
    for (int p = 0, row = 0, column = 0; p < positions; p++, args.weights += panel) {
        const struct tile_range range = chunk->needing[below >> row & 1][right >> column & 1];
        args.in = chunk->in + (size_t)p * chunk->position_stride + range.first * BLOCK;
        if (p >= sums)
            use_input(b, chunk, &factors, p - sums, &args);
        args.pixels = range.tiles;
        args.partial = products + (size_t)p * product + range.first * BLOCK;
        if (range.tiles)
            multiply_position(b, args);
        if (++column == side) {
            column = 0;
            row++;
        }
    }
}

/* Products and output of a transformed chunk, for as many output groups as a kernel's tile has. */
static void finish_chunk(const struct bilinear *b, const struct chunk *chunk, int group,
                         float *products)
{
    int groups = min(b->set->tile_blocks, out_groups(b) - group);
    multiply(b, chunk, group, groups, products);
    for (int g = 0; g < groups; g++)
        (b->form == FORM_STRASSEN ? pairs_transform_output : patches_transform_output)(
            b, chunk, group + g, products + (size_t)g * (size_t)chunk->tiles * BLOCK,
            position_floats(chunk->tiles, groups));
}

/* A unit of the split by tiles: a chunk from beginning to end. */
static void run_tiles(const struct bilinear *b, int unit, float *scratch)
{
    struct chunk chunk;
    chunk_at(b, unit, scratch + product_floats(b), &chunk);
    for (int group = 0; group < in_groups(b); group++)
        transform_input(b, &chunk, group);
    for (int group = 0; group < out_groups(b); group += b->set->tile_blocks)
        finish_chunk(b, &chunk, group, scratch);
}

/* A chunk of the split by channels. */
static void channels_chunk(const struct bilinear *b, int index, float *scratch, struct chunk *chunk)
{
    float *tiles = share_tiles(b) ? b->shared : scratch + product_floats(b);
    chunk_at(b, index, tiles + (size_t)index * chunk_floats(b), chunk);
}

void bilinear_prepare(const struct bilinear *b, float *scratch)
{
    for (int index = 0; index < chunks_of(b); index++) {
        struct chunk chunk;
        channels_chunk(b, index, scratch, &chunk);
        for (int group = 0; group < in_groups(b); group++)
            transform_input(b, &chunk, group);
    }
}

/*
 * A unit of the split by channels: a chunk's group of input channels, then a tile's worth of output
 * groups for a chunk. Units that share filters follow each other.
 */
static void run_channels(const struct bilinear *b, int phase, int unit, float *scratch)
{
    const int chunks = chunks_of(b), cin_groups = in_groups(b);
    struct chunk chunk;
    channels_chunk(b, phase == 0 ? unit / cin_groups : unit % chunks, scratch, &chunk);
    if (phase == 0)
        transform_input(b, &chunk, unit % cin_groups);
    else
        finish_chunk(b, &chunk, unit / chunks * b->set->tile_blocks, scratch);
}

void bilinear_run(const struct bilinear *b, int phase, int unit, float *scratch)
{
    assert(in_groups(b) <= MAX_PIECES && b->blocking.chunk <= BILINEAR_MAX_CHUNK);
    assert(b->set->tile_pixels <= MAX_TILE);
    if (b->blocking.by_channels)
        run_channels(b, phase, unit, scratch);
    else
        run_tiles(b, unit, scratch);
}
