#include "kernels/conv.h"

#include <assert.h>

/* Pieces of the reduction in a chunk, at most: 128 blocks of a 1x1, 28 of a 3x3. */
#define MAX_PIECES 256

/* Where the pixels of a strip are in each tensor, and the pieces of a chunk under each. */
struct strip {
    int pixels;
    int32_t piece[MAX_PIECES];
    int32_t in[CONV_MAX_STRIP];
    int32_t residual[CONV_MAX_STRIP];
    int32_t sum[CONV_MAX_STRIP];
    int32_t act[CONV_MAX_STRIP];
};

/* Which part of the convolution a unit is. */
struct part {
    int pixel, pixels;
    int block, block_end;
};

static const struct tensor *output_of(const struct conv *c)
{
    return c->sum.data ? &c->sum : &c->act;
}

static bool is_stem(const struct conv *c)
{
    return c->in.pixel != BLOCK;
}

static int pixels_of(const struct conv *c)
{
    const struct tensor *out = output_of(c);
    return c->batch * out->height * out->width;
}

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* Floats of one output block's weights over `cin_blocks` reduction blocks. */
static size_t panel_floats(const struct conv *c, int cin_blocks)
{
    return (size_t)cin_blocks * (size_t)(c->kernel * c->kernel * c->in.pixel * BLOCK);
}

/* Pieces of one block of input channels: a tap each, or for the image a filter row each. */
static int pieces_of_block(const struct conv *c)
{
    return is_stem(c) ? c->kernel : c->kernel * c->kernel;
}

static int cin_blocks_of(const struct conv *c)
{
    return is_stem(c) ? 1 : tensor_blocks(&c->in);
}

size_t conv_scratch_floats(const struct conv *c)
{
    return (size_t)c->blocking.strip * (size_t)c->set->tile_blocks * BLOCK;
}

int conv_units(const struct conv *c)
{
    return divide_up(pixels_of(c), c->blocking.strip) *
           divide_up(tensor_blocks(output_of(c)), c->blocking.group);
}

const char *conv_kernel_name(const struct conv *c)
{
    return is_stem(c) ? c->set->stem.name : c->set->conv.name;
}

/* Strips are of nearly equal size, so that two threads do the same. */
static struct part part_of(const struct conv *c, int unit)
{
    int pixels = pixels_of(c), blocks = tensor_blocks(output_of(c));
    int strips = divide_up(pixels, c->blocking.strip),
        groups = divide_up(blocks, c->blocking.group);
    int strip = unit / groups, group = unit % groups;
    int first = (int)((int64_t)pixels * strip / strips);
    int last = (int)((int64_t)pixels * (strip + 1) / strips);
    return (struct part){.pixel = first,
                         .pixels = last - first,
                         .block = group * c->blocking.group,
                         .block_end = min(blocks, (group + 1) * c->blocking.group)};
}

/* Offset in `t` of the pixel under the first one of an output row, rows counted over the batch. */
static ptrdiff_t row_offset(const struct tensor *t, int stride, int pad, const struct tensor *out,
                            int row)
{
    int image = row / out->height, y = row % out->height;
    return (ptrdiff_t)image * (ptrdiff_t)t->image_stride +
           (ptrdiff_t)(y * stride - pad) * (ptrdiff_t)t->row_stride - (ptrdiff_t)(pad * t->pixel);
}

/*
 * Offsets in `t` of the pixels under output pixels first, first + 1, … of an out_h x out_w map. Row
 * by row: a multiplication a pixel would cost a tenth of a convolution of 64 input channels.
 */
static void locate(const struct tensor *t, int stride, int pad, const struct tensor *out,
                   const struct part *part, int32_t *at)
{
    const int32_t step = stride * t->pixel;
    int row = part->pixel / out->width, x = part->pixel % out->width;
    for (int p = 0; p < part->pixels; row++, x = 0) {
        int32_t first = (int32_t)row_offset(t, stride, pad, out, row) + x * step;
        int end = min(part->pixels, p + out->width - x);
        for (int i = 0; p < end; p++, i++)
            at[p] = first + i * step;
    }
}

static int chunk_of(const struct conv *c)
{
    int chunk = min(c->blocking.chunk, MAX_PIECES / pieces_of_block(c));
    return min(chunk, cin_blocks_of(c));
}

static void locate_pieces(const struct conv *c, int32_t *at)
{
    int columns = is_stem(c) ? 1 : c->kernel;
    for (int block = 0; block < chunk_of(c); block++) {
        for (int y = 0; y < c->kernel; y++) {
            for (int x = 0; x < columns; x++)
                *at++ = (int32_t)((size_t)block * c->in.block_stride +
                                  (size_t)y * c->in.row_stride + (size_t)(x * c->in.pixel));
        }
    }
}

static void locate_all(const struct conv *c, const struct part *part, struct strip *s)
{
    const struct tensor *out = output_of(c);
    s->pixels = part->pixels;
    locate_pieces(c, s->piece);
    locate(&c->in, c->stride, c->pad, out, part, s->in);
    if (c->residual.data)
        locate(&c->residual, c->residual_stride, 0, out, part, s->residual);
    if (c->sum.data)
        locate(&c->sum, 1, 0, out, part, s->sum);
    if (c->act.data)
        locate(&c->act, 1, 0, out, part, s->act);
}

static float *block_of(const struct tensor *t, int block)
{
    return t->data ? t->data + (size_t)block * t->block_stride : NULL;
}

static struct conv_args args_for(const struct conv *c, const struct strip *s, int block, int blocks)
{
    size_t channel = (size_t)block * BLOCK;
    return (struct conv_args){
        .in_at = s->in,
        .piece_at = s->piece,
        .bias = c->bias + channel,
        .weights_stride = panel_floats(c, cin_blocks_of(c)),
        .pixels = s->pixels,
        .blocks = blocks,
        .adjacent = !is_stem(c) && tensor_adjacent(s->in, s->pixels),
        .adjacent_out = (!c->residual.data || tensor_adjacent(s->residual, s->pixels)) &&
                        (!c->sum.data || tensor_adjacent(s->sum, s->pixels)) &&
                        (!c->act.data || tensor_adjacent(s->act, s->pixels)),
        .piece = is_stem(c) ? c->kernel * c->in.pixel : BLOCK,
        .residual = {block_of(&c->residual, block), s->residual, c->residual.block_stride},
        .sum = {block_of(&c->sum, block), s->sum, c->sum.block_stride},
        .act = {block_of(&c->act, block), s->act, c->act.block_stride},
        .scale = c->scale ? c->scale + channel : NULL,
        .shift = c->scale ? c->shift + channel : NULL,
    };
}

/* All chunks of the reduction for one tile's worth of output blocks. */
static void run_blocks(const struct conv *c, const struct strip *s, int block, int blocks,
                       float *scratch)
{
    struct conv_args args = args_for(c, s, block, blocks);
    int all = cin_blocks_of(c), chunk = chunk_of(c);
    const float *weights = c->weights + (size_t)block * args.weights_stride;
    args.partial = scratch;
    args.partial_stride = (size_t)args.pixels * BLOCK;
    for (int cin = 0; cin < all; cin += chunk) {
        int n = min(chunk, all - cin);
        size_t ahead = panel_floats(c, n);
        args.in = c->in.data + (size_t)cin * c->in.block_stride;
        args.weights = weights + panel_floats(c, cin);
        args.prefetch = args.weights + ahead;
        args.prefetch_end =
            args.prefetch + ahead < c->weights_end ? args.prefetch + ahead : c->weights_end;
        args.pieces = n * pieces_of_block(c);
        args.resume = cin > 0;
        args.finish = cin + n == all;
        (is_stem(c) ? c->set->stem.run : c->set->conv.run)(&args);
    }
}

void conv_run(const struct conv *c, int unit, float *scratch)
{
    struct part part = part_of(c, unit);
    struct strip strip;
    assert(part.pixels <= CONV_MAX_STRIP && c->pad <= c->in.border);
    locate_all(c, &part, &strip);
    for (int block = part.block; block < part.block_end; block += c->set->tile_blocks)
        run_blocks(c, &strip, block, min(c->set->tile_blocks, part.block_end - block), scratch);
}
