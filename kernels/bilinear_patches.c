#include "kernels/bilinear_steps.h"

/* Only the first is divided for: a transform takes hardly longer than the divisions. */
static struct spot first_spot(const struct tensor *out, int tile, int first)
{
    int columns = divide_up(out->width, tile), rows = divide_up(out->height, tile);
    int row = first / columns;
    return (struct spot){row / rows, row % rows * tile, first % columns * tile};
}

static struct spot next_spot(const struct tensor *out, int tile, struct spot s)
{
    s.x += tile;
    if (s.x >= out->width) {
        s.x = 0;
        s.y += tile;
    }
    if (s.y >= out->height) {
        s.y = 0;
        s.image++;
    }
    return s;
}

static enum cut cut_of(const struct tensor *out, int tile, struct spot s)
{
    bool below = s.y + tile > out->height, right = s.x + tile > out->width;
    return right ? below ? CUT_BOTH : CUT_RIGHT : below ? CUT_BELOW : CUT_NOWHERE;
}

/* `end` is behind the last tile of each cut. */
static void find_needing(const int end[CUTS], struct tile_range needing[2][2])
{
    const int firsts[2] = {0, end[CUT_BELOW]};
    const int ends[2][2] = {{end[CUT_BOTH], end[CUT_NOWHERE]}, {end[CUT_RIGHT], end[CUT_NOWHERE]}};
    for (int row = 0; row < 2; row++) {
        for (int column = 0; column < 2; column++)
            needing[row][column] =
                (struct tile_range){firsts[row], ends[row][column] - firsts[row]};
    }
}

void patches_locate(const struct bilinear *b, int first, struct chunk *chunk)
{
    const struct tensor *out = bilinear_output(b);
    const int tile = bilinear_tile(b->form);
    const struct spot begin = first_spot(out, tile, first);
    int counts[CUTS] = {0}, end[CUTS] = {0};
    struct spot s = begin;
    for (int i = 0; i < chunk->tiles; i++, s = next_spot(out, tile, s))
        counts[cut_of(out, tile, s)]++;
    for (int cut = 1; cut < CUTS; cut++)
        end[cut] = end[cut - 1] + counts[cut - 1];
    s = begin;
    for (int i = 0; i < chunk->tiles; i++, s = next_spot(out, tile, s))
        chunk->spots[end[cut_of(out, tile, s)]++] = s;
    find_needing(end, chunk->needing);
}

static void run_in(const struct bilinear *b, const struct patch_in_args *args)
{
    switch (b->form) {
    case FORM_WINOGRAD2:
        b->set->winograd2_in.run(args);
        break;
    case FORM_WINOGRAD4:
        b->set->winograd4_in.run(args);
        break;
    case FORM_WINOGRAD6:
        b->set->winograd6_in.run(args);
        break;
    case FORM_POLYPHASE2:
        b->set->polyphase2_in.run(args);
        break;
    default:
        b->set->polyphase4_in.run(args);
    }
}

void patches_transform_input(const struct bilinear *b, const struct chunk *chunk, int group)
{
    const struct tensor *in = &b->in;
    const int reach = bilinear_reach(b->form), pad = bilinear_pad(b->form), stride = b->stride;
    for (int i = 0; i < chunk->tiles; i++) {
        struct spot s = chunk->spots[i];
        const float *corner =
            in->data + (size_t)s.image * in->image_stride + (size_t)group * in->block_stride;
        ptrdiff_t y = s.y * stride - pad, x = s.x * stride - pad;
        struct patch_in_args args = {
            .in = corner + y * (ptrdiff_t)in->row_stride + x * in->pixel,
            .row_stride = in->row_stride,
            .rows = min(reach, in->height + pad - (int)y),
            .columns = min(reach, in->width + pad - (int)x),
            .out = chunk->in + ((size_t)group * (size_t)chunk->tiles + (size_t)i) * BLOCK,
            .position_stride = chunk->position_stride};
        run_in(b, &args);
    }
}

static void run_out(const struct bilinear *b, const struct patch_out_args *args)
{
    switch (b->form) {
    case FORM_WINOGRAD2:
        b->set->winograd2_out.run(args);
        break;
    case FORM_WINOGRAD4:
        b->set->winograd4_out.run(args);
        break;
    case FORM_WINOGRAD6:
        b->set->winograd6_out.run(args);
        break;
    case FORM_POLYPHASE2:
        b->set->polyphase2_out.run(args);
        break;
    default:
        b->set->polyphase4_out.run(args);
    }
}

/* Where tensor t has the tile's first pixel in a block; NULL if there is no such tensor. */
static float *spot_in(const struct tensor *t, struct spot s, int block)
{
    return t->data ? t->data + (size_t)s.image * t->image_stride + (size_t)block * t->block_stride +
                         (size_t)s.y * t->row_stride + (size_t)(s.x * BLOCK)
                   : NULL;
}

void patches_transform_output(const struct bilinear *b, const struct chunk *chunk, int group,
                              const float *products, size_t position_stride)
{
    const struct tensor *out = bilinear_output(b);
    const int tile = bilinear_tile(b->form);
    size_t channel = (size_t)group * BLOCK;
    for (int i = 0; i < chunk->tiles; i++) {
        struct spot s = chunk->spots[i];
        struct patch_out_args args = {.in = products + i * BLOCK,
                                      .position_stride = position_stride,
                                      .rows = min(tile, out->height - s.y),
                                      .columns = min(tile, out->width - s.x),
                                      .bias = b->bias + channel,
                                      .scale = b->scale ? b->scale + channel : NULL,
                                      .shift = b->scale ? b->shift + channel : NULL,
                                      .residual = spot_in(&b->residual, s, group),
                                      .sum = spot_in(&b->sum, s, group),
                                      .act = spot_in(&b->act, s, group),
                                      .residual_stride = b->residual.row_stride,
                                      .sum_stride = b->sum.row_stride,
                                      .act_stride = b->act.row_stride};
        run_out(b, &args);
    }
}
