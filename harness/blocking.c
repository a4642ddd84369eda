#include "harness/blocking.h"

/* L2 cache of an unknown machine: the smallest of current server cores. */
#define DEFAULT_L2 ((size_t)512 << 10)

#define CHUNK_BYTES ((size_t)16 << 10)

/* Units that a layer should have at least, so that threads of unequal speed finish together. */
#define UNITS 48

/* Pixels of a strip that is not shorter than the output. */
#define SHORTEST_STRIP 112
#define LONGEST_STRIP 224

/*
 * What a chunk of transformed tiles may take even where half the L2 cache is less: a longer chunk
 * reads its filters less often. Pairs are read less often, too, and may take twice as much. Where
 * filters are many, the tiles of patches may take half of what these do.
 */
#define CHUNK_TILES_BYTES ((size_t)768 << 10)

/* Tiles of a chunk: more gain nothing, and take cache; fewer read too many filters. */
#define LONGEST_PATCHES 66
#define LONGEST_PAIRS 128
#define SHORTEST_CHUNK 12

/* The same where the work is split by channels. */
#define CHANNELS_CHUNK 48

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static size_t l2_bytes(const struct topology *topology)
{
    size_t bytes = topology->caches[1].bytes;
    return bytes ? bytes : DEFAULT_L2;
}

/* Of the L3 cache, what is there for each thread; 0 where nothing is known. */
static size_t l3_share(const struct topology *topology, int threads)
{
    const struct cache *l3 = &topology->caches[2];
    return l3->bytes / (size_t)clamp(threads, 1, l3->sharing_pus > 0 ? l3->sharing_pus : 1);
}

/*
 * A chunk's weights take about half of the smallest L1 cache: measured best where it is 48 KiB,
 * too. The chunks are of nearly equal size, since each costs the same at the end of a tile.
 */
static int choose_chunk(const struct conv *c)
{
    size_t taps = (size_t)(c->kernel * c->kernel);
    size_t block = taps * BLOCK * BLOCK * sizeof(float) * (size_t)c->set->tile_blocks;
    int blocks = tensor_blocks(&c->in);
    int most = clamp((int)((CHUNK_BYTES + block / 2) / block), 1, blocks);
    return divide_up(blocks, divide_up(blocks, most));
}

static int round_up(int a, int multiple)
{
    return divide_up(a, multiple) * multiple;
}

/*
 * A strip is long enough to hide the arrival of the next chunk, and its input fits half the L2.
 * Where there are many, each thread gets as many as the others.
 */
static int choose_strip(const struct conv *c, int pixels, size_t l2, int threads)
{
    size_t pixel = (size_t)c->in.channels * sizeof(float) * (size_t)(c->stride * c->stride);
    int strip = clamp((int)(l2 / 2 / pixel), SHORTEST_STRIP, LONGEST_STRIP);
    int strips = divide_up(pixels, strip);
    return divide_up(pixels, strips >= 4 * threads ? round_up(strips, threads) : strips);
}

static int choose_group(const struct conv *c, int pixels, int strip, int blocks)
{
    int strips = divide_up(pixels, strip), step = c->set->tile_blocks;
    int groups = clamp(divide_up(UNITS, strips), 1, divide_up(blocks, step));
    return round_up(divide_up(blocks, groups), step);
}

struct conv_blocking blocking_for_conv(const struct conv *c, const struct topology *topology,
                                       int threads)
{
    const struct tensor *out = c->sum.data ? &c->sum : &c->act;
    int pixels = c->batch * out->height * out->width;
    struct conv_blocking b;
    b.chunk = choose_chunk(c);
    b.strip = choose_strip(c, pixels, l2_bytes(topology), threads);
    b.group = choose_group(c, pixels, b.strip, tensor_blocks(out));
    return b;
}

size_t own_tiles_floats(const struct topology *topology, int threads)
{
    size_t l2 = l2_bytes(topology);
    return (threads <= 2 ? 2 * l2 : l2 / 2) / sizeof(float);
}

/*
 * Bytes that a thread reads from beyond its L2 cache when the work is split by channels: each
 * filter once, and the transformed tiles anew for each of the kernel's output groups if they
 * overflow half of it; the filters pass through the other half.
 */
static size_t traffic_by_channels(const struct bilinear *b, size_t filters, size_t transformed,
                                  size_t l2)
{
    const struct tensor *out = b->sum.data ? &b->sum : &b->act;
    int units = divide_up(tensor_blocks(out) / bilinear_group(b->form), b->set->tile_blocks);
    return filters + (transformed > l2 / 2 ? transformed * (size_t)units : 0);
}

/* Bytes of a tile's products for as many output channels as the kernel has at a time. */
static size_t products_bytes(const struct bilinear *b)
{
    return (size_t)(bilinear_positions(b->form) * b->set->tile_blocks * BLOCK) * sizeof(float);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * Tiles of a chunk that stays in the caches of a thread; `tile` is the bytes of one, `filters` of
 * all filters. The stem's tiles have so few inputs that the products take more than they do, and
 * its filters are few.
 */
static int chunk_length(const struct bilinear *b, const struct topology *topology, int threads,
                        size_t tile, size_t filters)
{
    const size_t half_l2 = l2_bytes(topology) / 2, half_l3 = l3_share(topology, threads) / 2;
    if (b->form == FORM_POLYPHASE4)
        return clamp((int)(half_l2 / (tile + products_bytes(b))), SHORTEST_CHUNK, LONGEST_PATCHES);
    size_t bytes = larger(half_l2, CHUNK_TILES_BYTES);
    if (b->form == FORM_STRASSEN)
        return clamp((int)(bytes * 2 / tile), SHORTEST_CHUNK, LONGEST_PAIRS);
    bytes = larger(bytes, smaller(filters / 2, half_l3));
    return clamp((int)(bytes / tile), SHORTEST_CHUNK, LONGEST_PATCHES);
}

/*
 * Filters that overflow the L2 cache several times over are read once in all, so the threads share
 * the tiles and split the channels, unless reading a large batch's tiles that often costs more than
 * reading all filters for each chunk, or one thread has one chunk. Others are read by each thread,
 * which keeps a chunk of tiles in its own cache from beginning to end.
 */
struct bilinear_blocking blocking_for_bilinear(const struct bilinear *b,
                                               const struct topology *topology, int threads)
{
    const struct tensor *out = b->sum.data ? &b->sum : &b->act;
    size_t l2 = l2_bytes(topology), group = (size_t)bilinear_group(b->form);
    size_t matrix = (size_t)bilinear_inputs(b->form, b->in.channels) * sizeof(float);
    size_t tile = matrix * (size_t)bilinear_positions(b->form);
    size_t filters = matrix * (size_t)bilinear_filters(b->form) * (size_t)out->channels / group;
    int tiles = b->batch * bilinear_tiles(b->form, out->height, out->width);
    int chunks =
        round_up(divide_up(tiles, chunk_length(b, topology, threads, tile, filters)), threads);
    struct bilinear_blocking cut = {.by_channels =
                                        filters > 2 * l2 && chunks > 1 &&
                                        traffic_by_channels(b, filters, (size_t)tiles * tile, l2) <=
                                            filters * (size_t)chunks};
    chunks = cut.by_channels ? divide_up(tiles, CHANNELS_CHUNK) : chunks;
    cut.chunk = divide_up(tiles, chunks);
    return cut;
}
