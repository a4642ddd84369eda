#include "kernels/bilinear_steps.h"

#include <assert.h>

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

/* Products and output of a transformed chunk, for as many output groups as a kernel's tile has. */
static void finish_chunk(const struct bilinear *b, const struct chunk *chunk, int group,
                         float *products, struct bilinear_work *work)
{
    int groups = min(b->set->tile_blocks, out_groups(b) - group);
    size_t stride = position_floats(chunk->tiles, groups);
    bilinear_multiply(b, chunk, group, groups, products, stride, work);
    for (int g = 0; g < groups; g++)
        (b->form == FORM_STRASSEN ? pairs_transform_output : patches_transform_output)(
            b, chunk, group + g, products + (size_t)g * (size_t)chunk->tiles * BLOCK, stride);
}

/* A unit of the split by tiles: a chunk from beginning to end. */
static void run_tiles(const struct bilinear *b, int unit, float *scratch,
                      struct bilinear_work *work)
{
    struct chunk chunk;
    chunk_at(b, unit, scratch + product_floats(b), &chunk);
    for (int group = 0; group < in_groups(b); group++)
        transform_input(b, &chunk, group);
    for (int group = 0; group < out_groups(b); group += b->set->tile_blocks)
        finish_chunk(b, &chunk, group, scratch, work);
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
static void run_channels(const struct bilinear *b, int phase, int unit, float *scratch,
                         struct bilinear_work *work)
{
    const int chunks = chunks_of(b), cin_groups = in_groups(b);
    struct chunk chunk;
    channels_chunk(b, phase == 0 ? unit / cin_groups : unit % chunks, scratch, &chunk);
    if (phase == 0)
        transform_input(b, &chunk, unit % cin_groups);
    else
        finish_chunk(b, &chunk, unit / chunks * b->set->tile_blocks, scratch, work);
}

void bilinear_run(const struct bilinear *b, int phase, int unit, float *scratch,
                  struct bilinear_work *work)
{
    assert(in_groups(b) <= MAX_IN_GROUPS && b->blocking.chunk <= BILINEAR_MAX_CHUNK);
    assert(b->set->tile_pixels <= MAX_TILE);
    if (b->blocking.by_channels)
        run_channels(b, phase, unit, scratch, work);
    else
        run_tiles(b, unit, scratch, work);
}
