#include "kernels/bilinear_steps.h"

#include <assert.h>
#include <sched.h>

/* Weights of a call of the kernel, of all its output blocks: 16 KiB. */
#define CALL_FLOATS 4096

/* Products of a tile, at most: F(6x6,3x3) has most. */
#define MAX_PRODUCTS 64

/* Looks at a helper's progress between two offers of the CPU, which it may need. */
#define SPINS 4096

/* All products of a chunk for one tile's worth of output groups. */
struct products {
    const struct bilinear *b;
    const struct chunk *chunk;
    struct conv_args args; /* what those of sums have in common */
    size_t panel;          /* floats of a filter of one output group */
    int call_groups;       /* groups of input channels in a call of the kernel */
    float *out;
    size_t stride; /* from product to product in `out` */
    struct tile_range range[MAX_PRODUCTS];
    int32_t tile_at[MAX_CHUNK_TILES];
    int32_t sum_at[MAX_IN_GROUPS], raw_at[MAX_IN_GROUPS];
};

static void locate(struct products *s, int in_groups)
{
    for (int i = 0; i < s->chunk->tiles; i++)
        s->tile_at[i] = i * BLOCK;
    for (int c = 0; c < in_groups; c++) {
        s->sum_at[c] = c * s->chunk->tiles * BLOCK;
        s->raw_at[c] = (int32_t)((size_t)c * s->b->in.block_stride);
    }
}

/* The products that the chunk's last tiles in a direction of `size` need not. */
static unsigned spared(const struct bilinear *b, int size)
{
    return b->form == FORM_STRASSEN ? 0 : bilinear_spared(b->form, last_outputs(b->form, size));
}

static void find_ranges(struct products *s)
{
    const struct tensor *out = bilinear_output(s->b);
    const unsigned below = spared(s->b, out->height), right = spared(s->b, out->width);
    const int side = bilinear_side(s->b->form);
    for (int p = 0, row = 0, column = 0; p < bilinear_positions(s->b->form); p++) {
        s->range[p] = s->chunk->needing[below >> row & 1][right >> column & 1];
        if (++column == side) {
            column = 0;
            row++;
        }
    }
}

/*
 * Groups of input channels in a call of the kernel: their weights take half of the smallest L1
 * cache, since each tile of the kernel reads them again. Calls are of nearly equal size.
 */
static int call_groups(const struct bilinear *b, int in_groups)
{
    int most = CALL_FLOATS / (b->set->tile_blocks * BLOCK * BLOCK);
    return divide_up(in_groups, divide_up(in_groups, most));
}

static void make_products(struct products *s, int group, int groups)
{
    const struct bilinear *b = s->b;
    const int in_groups = bilinear_groups(b, &b->in);
    s->panel = (size_t)bilinear_inputs(b->form, b->in.channels) * BLOCK;
    s->call_groups = call_groups(b, in_groups);
    s->args = (struct conv_args){.in_at = s->tile_at,
                                 .piece_at = s->sum_at,
                                 .weights_stride = s->panel * (size_t)bilinear_filters(b->form),
                                 .partial_stride = (size_t)s->chunk->tiles * BLOCK,
                                 .blocks = groups,
                                 .pieces = in_groups,
                                 .piece = BLOCK,
                                 .adjacent = true};
    s->args.weights = b->weights + (size_t)group * s->args.weights_stride;
    locate(s, in_groups);
    find_ranges(s);
}

/* For Strassen's P5 and P6, which are no sums: the first or the last quarter of the input. */
static void use_input(const struct products *s, int part, struct conv_args *args)
{
    const struct bilinear *b = s->b;
    args->in = b->in.data + (size_t)(part * args->pieces) * b->in.block_stride;
    args->in_at = s->chunk->pairs.in[part];
    args->piece_at = s->raw_at;
    args->adjacent = tensor_adjacent(args->in_at, s->chunk->tiles);
}

/*
 * The products of one filter over all input channels: `sums` are whole ones, whose weights follow
 * each other up to those of the next filter. They are fetched one call ahead, a part by each sum.
 */
static void sum_up(const struct products *s, struct conv_args *sums, int count)
{
    const struct bilinear *b = s->b;
    const int groups = sums->pieces;
    const float *weights = sums->weights;
    for (int group = 0; group < groups; group += s->call_groups) {
        const int pieces = min(s->call_groups, groups - group);
        const ptrdiff_t panel = pieces * BLOCK * BLOCK, left = b->weights_end - weights;
        const float *next = weights + (panel < left ? panel : left);
        const float *end = weights + (2 * panel < left ? 2 * panel : left);
        const ptrdiff_t part = count > 1 ? (end - next) / BLOCK / count * BLOCK : end - next;
        for (int i = 0; i < count; i++) {
            sums[i].pieces = pieces;
            sums[i].weights = weights;
            sums[i].prefetch = next + i * part;
            sums[i].prefetch_end = i == count - 1 ? end : next + (i + 1) * part;
            sums[i].resume = group > 0;
            b->set->conv.run(&sums[i]);
            sums[i].piece_at += pieces;
        }
        weights += panel;
    }
}

/*
 * One product of the stem, whose last row and column have even pixels alone. All weights of an
 * output group stay in the L2 cache.
 */
static void sum_phases(const struct products *s, int p, struct conv_args *args)
{
    const int side = bilinear_side(s->b->form), channels = s->b->in.channels;
    const int rows = p / side < side - 1 ? 2 : 1, columns = p % side < side - 1 ? 2 : 1;
    args->piece = rows * columns * channels;
    args->prefetch = args->prefetch_end = args->weights;
    s->b->set->stem.run(args);
}

/* A product's whole sum. */
static void begin_sum(const struct products *s, int p, int filter, struct conv_args *args)
{
    const struct tile_range range = s->range[p];
    const int sums = bilinear_sums(s->b->form);
    *args = s->args;
    args->in = s->chunk->in + (size_t)p * s->chunk->position_stride + range.first * BLOCK;
    if (p >= sums)
        use_input(s, p - sums, args);
    args->weights += (size_t)filter * s->panel;
    args->pixels = range.tiles;
    args->partial = s->out + (size_t)p * s->stride + range.first * BLOCK;
}

/* There is no more between two products than must be: of 64 channels one takes but 2000 cycles. */
static void compute(const struct products *s, int filter)
{
    int positions[BILINEAR_MAX_SHARING], count = 0;
    const int sharing = bilinear_sharing(s->b->form, filter, positions);
    struct conv_args sums[BILINEAR_MAX_SHARING];
    for (int i = 0; i < sharing; i++) {
        if (s->range[positions[i]].tiles)
            begin_sum(s, positions[i], filter, &sums[count++]);
    }
    if (count == 0)
        return;
    if (s->b->form == FORM_POLYPHASE4)
        sum_phases(s, filter, &sums[0]);
    else
        sum_up(s, sums, count);
}

/* Of `next` in struct bilinear_work. */
static uint64_t next_of(uint64_t round, int count)
{
    return round << 32 | (uint64_t)count << 16;
}

static int first_left(uint64_t next)
{
    int first = (int)(next & 0xffff), count = (int)(next >> 16 & 0xffff);
    return first < count ? first : -1;
}

static void await_helpers(struct bilinear_work *work, uint32_t filters)
{
    for (int i = 1; atomic_load_explicit(&work->helped, memory_order_acquire) != filters; i++) {
        if (i % SPINS == 0)
            sched_yield();
    }
}

void bilinear_multiply(const struct bilinear *b, const struct chunk *chunk, int group, int groups,
                       float *products, size_t product_stride, struct bilinear_work *work)
{
    const int count = bilinear_filters(b->form);
    const uint64_t round = (atomic_load_explicit(&work->next, memory_order_relaxed) >> 32) + 1;
    struct products s; /* all of which is set, but for the tables' ends */
    assert(bilinear_positions(b->form) <= MAX_PRODUCTS);
    s.b = b;
    s.chunk = chunk;
    s.out = products;
    s.stride = product_stride;
    make_products(&s, group, groups);
    work->products = &s;
    atomic_store_explicit(&work->helped, 0, memory_order_relaxed);
    atomic_store_explicit(&work->next, next_of(round, count), memory_order_release);
    int mine = 0;
    for (int filter;
         (filter = first_left(atomic_fetch_add_explicit(&work->next, 1, memory_order_relaxed))) >=
         0;
         mine++)
        compute(&s, filter);
    await_helpers(work, (uint32_t)(count - mine));
}

/* Takes a filter; -1 if there is none. Until it is computed, `products` stays what it is. */
static int take(struct bilinear_work *work)
{
    uint64_t next = atomic_load_explicit(&work->next, memory_order_relaxed);
    while (first_left(next) >= 0) {
        if (atomic_compare_exchange_weak_explicit(&work->next, &next, next + 1,
                                                  memory_order_acquire, memory_order_relaxed))
            return first_left(next);
    }
    return -1;
}

bool bilinear_help(struct bilinear_work *works, int count)
{
    for (int i = 0; i < count; i++) {
        int filter = take(&works[i]);
        if (filter < 0)
            continue;
        compute(works[i].products, filter);
        atomic_fetch_add_explicit(&works[i].helped, 1, memory_order_release);
        return true;
    }
    return false;
}
