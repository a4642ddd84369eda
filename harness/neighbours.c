#include "harness/neighbours.h"

/* A list that takes nothing twice. */
struct list {
    struct step_blocking base;
    struct step_blocking *at;
    int count;
};

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* value * quarters / 4, a whole number of `unit`. */
static int scaled(int value, int quarters, int unit, int most)
{
    int units = (value * quarters / 4 + unit / 2) / unit;
    return clamp(units * unit, unit < most ? unit : most, most);
}

static bool equal(const struct step_blocking *a, const struct step_blocking *b)
{
    return a->conv.strip == b->conv.strip && a->conv.group == b->conv.group &&
           a->conv.chunk == b->conv.chunk && a->bilinear.chunk == b->bilinear.chunk &&
           a->bilinear.by_channels == b->bilinear.by_channels;
}

static void add(struct list *list, struct step_blocking blocking)
{
    if (equal(&blocking, &list->base))
        return;
    for (int i = 0; i < list->count; i++) {
        if (equal(&blocking, &list->at[i]))
            return;
    }
    list->at[list->count++] = blocking;
}

static void add_conv(struct list *list, int strip, int group, int chunk)
{
    struct step_blocking b = list->base;
    b.conv = (struct conv_blocking){strip, group, chunk};
    add(list, b);
}

static void add_bilinear(struct list *list, int chunk, bool by_channels)
{
    struct step_blocking b = list->base;
    b.bilinear = (struct bilinear_blocking){chunk, by_channels};
    add(list, b);
}

static void around_conv(struct list *list, const struct conv *c)
{
    static const int quarters[] = {2, 3, 6, 8};
    const struct tensor *out = c->sum.data ? &c->sum : &c->act;
    const struct conv_blocking b = c->blocking;
    int64_t all = (int64_t)c->batch * out->height * out->width;
    int pixels = all < CONV_MAX_STRIP ? (int)all : CONV_MAX_STRIP;
    int cin = c->in.pixel == BLOCK ? tensor_blocks(&c->in) : 1, cout = tensor_blocks(out);
    for (int i = 0; i < 4; i++)
        add_conv(list, scaled(b.strip, quarters[i], c->set->tile_pixels, pixels), b.group, b.chunk);
    for (int i = 0; i < 4; i += 3) {
        add_conv(list, b.strip, scaled(b.group, quarters[i], c->set->tile_blocks, cout), b.chunk);
        add_conv(list, b.strip, b.group, scaled(b.chunk, quarters[i], 1, cin));
    }
    add_conv(list, b.strip, c->set->tile_blocks, b.chunk);
    add_conv(list, b.strip, cout, b.chunk);
    add_conv(list, b.strip, b.group, cin);
}

static void around_bilinear(struct list *list, const struct bilinear *w)
{
    static const int quarters[] = {2, 3, 6, 8};
    const struct bilinear_blocking b = w->blocking;
    for (int i = 0; i < 4; i++)
        add_bilinear(list, scaled(b.chunk, quarters[i], w->set->tile_pixels, BILINEAR_MAX_CHUNK),
                     b.by_channels);
    add_bilinear(list, b.chunk, !b.by_channels);
}

int neighbours_of(const struct plan_step *step, struct step_blocking list[MAX_NEIGHBOURS])
{
    struct list all = {{step->conv.blocking, step->bilinear.blocking}, list, 0};
    if (step->algo == ALGO_DIRECT)
        around_conv(&all, &step->conv);
    else
        around_bilinear(&all, &step->bilinear);
    return all.count;
}
