#include "harness/kernel_bench/kernel_work.h"

#include "kernels/bilinear.h"

#include <stdio.h>
#include <stdlib.h>

/* Of all inputs and outputs of a work: the dense layer's weights are most of it. */
#define MEMORY_FLOATS ((size_t)1 << 18)

#define CIN 256           /* channels of the convolution */
#define STEM_KERNEL 7     /* its size, and … */
#define STEM_STRIDE 2     /* … stride */
#define STREAM_PIXELS 128 /* of the elementwise kernels: 8 KiB a tensor */
#define POOL_WIDTH 56     /* of a 3x3 pool of stride 2 */
#define AVG_PIXELS 49
#define FC_INPUTS 512
#define FC_BLOCKS 8
#define CLASSES 1000
#define PAIRS 30 /* of pixels, for Strassen's transforms */
#define PEAK_ROUNDS 1000

/* The next `floats` of the memory, from a cache line on. */
static float *take(struct kernel_work *w, size_t floats)
{
    float *at = w->memory + w->used;
    w->used += (floats + BLOCK - 1) / BLOCK * BLOCK;
    w->bytes += (double)floats * sizeof(float);
    return at;
}

/* A strip of several tiles whose pixels lie `step` floats apart; `channels` inputs an output. */
static void make_strip(struct kernel_work *w, int step, int pieces, int piece, size_t weights)
{
    struct conv_args *a = &w->args.conv;
    int tile = w->set->tile_pixels, blocks = w->set->tile_blocks;
    int pixels = tile > 1 ? 4 * tile : 24;
    for (int p = 0; p < pixels; p++) {
        w->in_at[p] = p * step;
        w->out_at[p] = p * BLOCK;
    }
    *a = (struct conv_args){.in_at = w->in_at,
                            .piece_at = w->piece_at,
                            .weights = take(w, weights * BLOCK * (size_t)blocks),
                            .bias = take(w, (size_t)blocks * BLOCK),
                            .weights_stride = weights * BLOCK,
                            .pixels = pixels,
                            .blocks = blocks,
                            .pieces = pieces,
                            .piece = piece,
                            .adjacent = step == BLOCK,
                            .adjacent_out = true,
                            .finish = true};
    a->prefetch = a->prefetch_end = a->weights;
    a->act = (struct strip_out){take(w, (size_t)(pixels * blocks) * BLOCK), w->out_at,
                                (size_t)pixels * BLOCK};
    w->operations = 2.0 * pixels * blocks * BLOCK * (double)weights;
}

static void make_conv(struct kernel_work *w)
{
    make_strip(w, BLOCK, CIN / BLOCK, BLOCK, CIN);
    struct conv_args *a = &w->args.conv;
    for (int k = 0; k < CIN / BLOCK; k++)
        w->piece_at[k] = k * a->pixels * BLOCK;
    a->in = take(w, (size_t)a->pixels * CIN);
    snprintf(w->shape, sizeof w->shape, "%d pixels, %d -> %d 1x1", a->pixels, CIN,
             a->blocks * BLOCK);
}

static void make_stem(struct kernel_work *w)
{
    make_strip(w, STEM_STRIDE * 3, STEM_KERNEL, STEM_KERNEL * 3, STEM_KERNEL * STEM_KERNEL * 3);
    struct conv_args *a = &w->args.conv;
    int row = (a->pixels * STEM_STRIDE + STEM_KERNEL) * 3;
    for (int k = 0; k < STEM_KERNEL; k++)
        w->piece_at[k] = k * row;
    a->in = take(w, (size_t)(row * STEM_KERNEL));
    snprintf(w->shape, sizeof w->shape, "%d pixels, 3 -> %d 7x7/2", a->pixels, a->blocks * BLOCK);
}

static void make_stream(struct kernel_work *w, int inputs, int outputs)
{
    w->blocks = STREAM_PIXELS;
    w->count = (size_t)STREAM_PIXELS * BLOCK;
    w->a = take(w, w->count);
    w->b = inputs > 1 ? take(w, w->count) : NULL;
    w->out = take(w, w->count);
    w->more = outputs > 1 ? take(w, w->count) : NULL;
    w->scale = take(w, BLOCK);
    w->shift = take(w, BLOCK);
    snprintf(w->shape, sizeof w->shape, "%d pixels", STREAM_PIXELS);
}

static void make_max_pool(struct kernel_work *w)
{
    const size_t row = (size_t)POOL_WIDTH * BLOCK;
    w->args.max_pool = (struct max_pool_args){.in = take(w, 4 * row),
                                              .row_stride = row,
                                              .height = 4,
                                              .width = POOL_WIDTH,
                                              .kernel = 3,
                                              .stride = 2,
                                              .pad = 1,
                                              .row = 1,
                                              .out_width = POOL_WIDTH / 2,
                                              .act = take(w, row / 2)};
    w->bytes -= (double)row * sizeof(float); /* the first row is not read */
    w->reads = true;
    snprintf(w->shape, sizeof w->shape, "%d pixels, 3x3/2", POOL_WIDTH / 2);
}

static void make_avg_pool(struct kernel_work *w)
{
    w->count = AVG_PIXELS;
    w->a = take(w, w->count * BLOCK);
    w->out = take(w, BLOCK);
    w->reads = true;
    snprintf(w->shape, sizeof w->shape, "%d pixels", AVG_PIXELS);
}

static void make_fc(struct kernel_work *w)
{
    w->count = FC_INPUTS;
    w->blocks = FC_BLOCKS;
    w->a = take(w, FC_INPUTS);
    w->b = take(w, (size_t)FC_INPUTS * FC_BLOCKS * BLOCK);
    w->scale = take(w, (size_t)FC_BLOCKS * BLOCK);
    w->out = take(w, (size_t)FC_BLOCKS * BLOCK);
    w->reads = true;
    snprintf(w->shape, sizeof w->shape, "%d -> %d", FC_INPUTS, FC_BLOCKS * BLOCK);
}

static void make_softmax(struct kernel_work *w)
{
    w->count = CLASSES;
    w->a = take(w, w->count);
    w->out = take(w, w->count);
    snprintf(w->shape, sizeof w->shape, "%d classes", CLASSES);
}

static void make_patch_in(struct kernel_work *w, enum bilinear_form form)
{
    const int side = bilinear_side(form);
    size_t floats = (size_t)(side * side) * BLOCK;
    w->args.patch_in = (struct patch_in_args){.in = take(w, floats),
                                              .row_stride = (size_t)side * BLOCK,
                                              .rows = side,
                                              .columns = side,
                                              .out = take(w, floats),
                                              .position_stride = BLOCK};
    snprintf(w->shape, sizeof w->shape, "%dx%d", side, side);
}

static void make_image_in(struct kernel_work *w)
{
    const int reach = bilinear_reach(FORM_POLYPHASE4);
    w->args.patch_in =
        (struct patch_in_args){.in = take(w, (size_t)(reach * reach) * 3),
                               .row_stride = (size_t)reach * 3,
                               .rows = reach,
                               .columns = reach,
                               .out = take(w, (size_t)bilinear_positions(FORM_POLYPHASE4) * BLOCK),
                               .position_stride = BLOCK};
    snprintf(w->shape, sizeof w->shape, "%dx%d", reach, reach);
}

static void make_patch_out(struct kernel_work *w, enum bilinear_form form)
{
    const int tile = bilinear_tile(form);
    w->args.patch_out =
        (struct patch_out_args){.in = take(w, (size_t)bilinear_positions(form) * BLOCK),
                                .position_stride = BLOCK,
                                .rows = tile,
                                .columns = tile,
                                .bias = take(w, BLOCK),
                                .act = take(w, (size_t)(tile * tile) * BLOCK),
                                .act_stride = (size_t)tile * BLOCK};
    snprintf(w->shape, sizeof w->shape, "%dx%d", tile, tile);
}

/* A block is the pixels of the pairs' upper halves, then those of the lower ones. */
static void place_pairs(struct kernel_work *w)
{
    for (int i = 0; i < PAIRS; i++) {
        w->in_at[i] = i * BLOCK;
        w->out_at[i] = (PAIRS + i) * BLOCK;
    }
    snprintf(w->shape, sizeof w->shape, "%d pairs", PAIRS);
}

static void make_strassen_in(struct kernel_work *w)
{
    const size_t block = 2 * PAIRS * BLOCK;
    place_pairs(w);
    w->args.strassen_in =
        (struct strassen_in_args){.in = {take(w, 2 * block), {w->in_at, w->out_at}, block},
                                  .pairs = PAIRS,
                                  .out = take(w, 5 * PAIRS * BLOCK),
                                  .position_stride = PAIRS * BLOCK};
}

static void make_strassen_out(struct kernel_work *w)
{
    const size_t block = 2 * PAIRS * BLOCK;
    place_pairs(w);
    w->args.strassen_out =
        (struct strassen_out_args){.in = take(w, 7 * PAIRS * BLOCK),
                                   .position_stride = PAIRS * BLOCK,
                                   .pairs = PAIRS,
                                   .bias = {take(w, BLOCK), take(w, BLOCK)},
                                   .act = {take(w, 2 * block), {w->in_at, w->out_at}, block}};
}

static void make_peak(struct kernel_work *w)
{
    w->operations = w->set->peak.run(PEAK_ROUNDS);
    snprintf(w->shape, sizeof w->shape, "%d rounds", PEAK_ROUNDS);
}

static void make_arguments(struct kernel_work *w)
{
    switch (w->op) {
    case KERNEL_conv:
        make_conv(w);
        break;
    case KERNEL_stem:
        make_stem(w);
        break;
    case KERNEL_add:
        make_stream(w, 2, 1);
        break;
    case KERNEL_bn_relu:
        make_stream(w, 1, 1);
        break;
    case KERNEL_add_bn_relu:
        make_stream(w, 2, 2);
        break;
    case KERNEL_max_pool:
        make_max_pool(w);
        break;
    case KERNEL_avg_pool:
        make_avg_pool(w);
        break;
    case KERNEL_fc:
        make_fc(w);
        break;
    case KERNEL_softmax:
        make_softmax(w);
        break;
    case KERNEL_winograd2_in:
        make_patch_in(w, FORM_WINOGRAD2);
        break;
    case KERNEL_winograd4_in:
        make_patch_in(w, FORM_WINOGRAD4);
        break;
    case KERNEL_winograd6_in:
        make_patch_in(w, FORM_WINOGRAD6);
        break;
    case KERNEL_polyphase2_in:
        make_patch_in(w, FORM_POLYPHASE2);
        break;
    case KERNEL_polyphase4_in:
        make_image_in(w);
        break;
    case KERNEL_winograd2_out:
        make_patch_out(w, FORM_WINOGRAD2);
        break;
    case KERNEL_winograd4_out:
        make_patch_out(w, FORM_WINOGRAD4);
        break;
    case KERNEL_winograd6_out:
        make_patch_out(w, FORM_WINOGRAD6);
        break;
    case KERNEL_polyphase2_out:
        make_patch_out(w, FORM_POLYPHASE2);
        break;
    case KERNEL_polyphase4_out:
        make_patch_out(w, FORM_POLYPHASE4);
        break;
    case KERNEL_strassen_in:
        make_strassen_in(w);
        break;
    case KERNEL_strassen_out:
        make_strassen_out(w);
        break;
    default:
        make_peak(w);
    }
}

bool kernel_work_make(struct kernel_work *w, const struct kernel_set *set, enum kernel_op op)
{
    *w = (struct kernel_work){.set = set, .op = op, .floats = MEMORY_FLOATS};
    w->memory = aligned_alloc(64, MEMORY_FLOATS * sizeof *w->memory);
    if (!w->memory)
        return false;
    /* Zeros would be faster than numbers on some CPUs, and denormals slower. */
    for (size_t i = 0; i < MEMORY_FLOATS; i++)
        w->memory[i] = (float)(int)(i * 37 % 255) * 0x1p-7F - 0.97F;
    make_arguments(w);
    return true;
}

void kernel_work_free(struct kernel_work *w)
{
    free(w->memory);
    w->memory = NULL;
}

void kernel_work_run(const struct kernel_work *w)
{
    const struct kernel_set *set = w->set;
    switch (w->op) {
    case KERNEL_conv:
        set->conv.run(&w->args.conv);
        break;
    case KERNEL_stem:
        set->stem.run(&w->args.conv);
        break;
    case KERNEL_add:
        set->add.run(w->a, w->b, w->out, w->count);
        break;
    case KERNEL_bn_relu:
        set->bn_relu.run(w->a, w->scale, w->shift, w->out, w->blocks);
        break;
    case KERNEL_add_bn_relu:
        set->add_bn_relu.run(w->a, w->b, w->scale, w->shift, w->out, w->more, w->blocks);
        break;
    case KERNEL_max_pool:
        set->max_pool.run(&w->args.max_pool);
        break;
    case KERNEL_avg_pool:
        set->avg_pool.run(w->a, w->count, w->out);
        break;
    case KERNEL_fc:
        set->fc.run(w->a, w->b, w->scale, w->out, w->count, w->blocks);
        break;
    case KERNEL_softmax:
        set->softmax.run(w->a, w->out, w->count);
        break;
    case KERNEL_winograd2_in:
        set->winograd2_in.run(&w->args.patch_in);
        break;
    case KERNEL_winograd4_in:
        set->winograd4_in.run(&w->args.patch_in);
        break;
    case KERNEL_winograd6_in:
        set->winograd6_in.run(&w->args.patch_in);
        break;
    case KERNEL_polyphase2_in:
        set->polyphase2_in.run(&w->args.patch_in);
        break;
    case KERNEL_polyphase4_in:
        set->polyphase4_in.run(&w->args.patch_in);
        break;
    case KERNEL_winograd2_out:
        set->winograd2_out.run(&w->args.patch_out);
        break;
    case KERNEL_winograd4_out:
        set->winograd4_out.run(&w->args.patch_out);
        break;
    case KERNEL_winograd6_out:
        set->winograd6_out.run(&w->args.patch_out);
        break;
    case KERNEL_polyphase2_out:
        set->polyphase2_out.run(&w->args.patch_out);
        break;
    case KERNEL_polyphase4_out:
        set->polyphase4_out.run(&w->args.patch_out);
        break;
    case KERNEL_strassen_in:
        set->strassen_in.run(&w->args.strassen_in);
        break;
    case KERNEL_strassen_out:
        set->strassen_out.run(&w->args.strassen_out);
        break;
    default:
        set->peak.run(PEAK_ROUNDS);
    }
}
