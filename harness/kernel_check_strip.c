#include "harness/kernel_check_strip.h"

#include <assert.h>

static const struct layout {
    const char *name;
    int width;      /* output pixels in a row, so that strips go over row ends; 0: all */
    int stride;     /* of the input */
    int border;     /* pixels in front of each row and above the first */
    int gap;        /* floats between an output's pixels, and where strides are odd */
    bool varied;    /* rows are of any length up to the width */
    bool permuted;  /* pixels are in no order */
    bool scattered; /* input pixels are anywhere, and overlap */
} layouts[PLACE_LAYOUTS] = {
    {"one row", 0, 1, 0, 0, false, false, false},
    {"rows", 5, 1, 1, 0, false, false, false},
    {"rows of 7", 7, 1, 1, 0, false, false, false},
    {"stride 2", 7, 2, 1, 0, false, false, false},
    {"any rows", 16, 1, 1, 0, true, false, false},
    {"any rows, stride 2", 16, 2, 1, 0, true, false, false},
    {"permuted", 4, 1, 2, 3, false, true, false},
    {"odd", 3, 2, 0, 5, false, false, false},
    {"scattered", 6, 1, 0, 1, false, true, true},
};

const char *place_name(int layout)
{
    return layouts[layout].name;
}

static void shuffle(struct check *c, int32_t *at, int count)
{
    for (int i = count - 1; i > 0; i--) {
        int other = (int)(check_random(c) % (uint64_t)(i + 1));
        int32_t swapped = at[i];
        at[i] = at[other];
        at[other] = swapped;
    }
}

/* How many pixels the next row of a strip has. */
static int row_pixels(struct check *c, const struct layout *l, int widest)
{
    return l->varied ? 1 + (int)(check_random(c) % (uint64_t)widest) : widest;
}

/* Puts the pixels on a grid of pixels `pitch` apart; span is where the last one starts. */
static void place_grid(struct check *c, struct place *place, const struct layout *l, int stride,
                       int pitch, int pixels)
{
    int widest = l->width ? l->width : pixels, left = row_pixels(c, l, widest);
    int32_t row = (widest * stride + 2 * l->border) * pitch + l->gap;
    int32_t origin = l->border * (row + pitch), line = 0, at = 0;
    for (int p = 0; p < pixels; p++, at += stride * pitch, left--) {
        if (left == 0) {
            line += stride * row;
            at = line;
            left = row_pixels(c, l, widest);
        }
        place->at[p] = at - origin;
    }
    int32_t last = place->at[pixels - 1] + origin;
    if (l->permuted)
        shuffle(c, place->at, pixels);
    place->row = (size_t)row;
    place->origin = (size_t)origin;
    place->span = (size_t)(last > origin ? last : origin);
}

bool place_input(struct check *c, struct place *place, int layout, int pixel, int pixels)
{
    const struct layout *l = &layouts[layout];
    place_grid(c, place, l, l->stride, pixel, pixels);
    for (int p = 0; l->scattered && p < pixels; p++)
        place->at[p] = (int32_t)(check_random(c) % (place->span + 1));
    return l->scattered;
}

void place_output(struct check *c, struct place *place, int layout, int pixels, int blocks)
{
    const struct layout *l = &layouts[layout];
    place_grid(c, place, l, 1, BLOCK + l->gap, pixels);
    size_t plane = place->span + BLOCK;
    place->block_stride = plane + (size_t)l->gap * (check_random(c) % 3);
    place->span = (size_t)(blocks - 1) * place->block_stride + plane;
    place->pixels =
        (struct check_pixels){place->at, pixels, blocks, place->block_stride, place->origin};
}

bool place_adjacent(const struct place *place, int pixels)
{
    for (int p = 1; p < pixels; p++) {
        if (place->at[p] != place->at[0] + p * BLOCK)
            return false;
    }
    return true;
}

void place_tensor(struct place *place, const struct tensor *t, int batch)
{
    int pixels = batch * t->height * t->width;
    assert(pixels <= PLACE_MAX_PIXELS);
    for (int p = 0; p < pixels; p++) {
        size_t row = (size_t)(p / t->width), image = row / (size_t)t->height;
        size_t y = row % (size_t)t->height, x = (size_t)(p % t->width);
        place->at[p] = (int32_t)(image * t->image_stride + y * t->row_stride + x * BLOCK);
    }
    place->origin = (size_t)t->border * (t->row_stride + BLOCK);
    place->span = tensor_floats(t, batch);
    place->block_stride = t->block_stride;
    place->pixels =
        (struct check_pixels){place->at, pixels, tensor_blocks(t), t->block_stride, place->origin};
}

struct check_output *place_check_output(struct check *c, const char *name,
                                        const struct place *place)
{
    struct check_output *output = check_output(c, name, place->span);
    output->pixels = &place->pixels;
    return output;
}
