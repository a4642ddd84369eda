#include "harness/kernel_check_strip.h"

static const struct layout {
    const char *name;
    int width;      /* output pixels in a row, so that strips go over row ends; 0: all */
    int stride;     /* of the input */
    int border;     /* pixels in front of each row and above the first */
    int gap;        /* floats between an output's pixels, and where strides are odd */
    bool permuted;  /* pixels are in no order */
    bool scattered; /* input pixels are anywhere, and overlap */
} layouts[PLACE_LAYOUTS] = {
    {"one row", 0, 1, 0, 0, false, false},   {"rows", 5, 1, 1, 0, false, false},
    {"rows of 7", 7, 1, 1, 0, false, false}, {"stride 2", 7, 2, 1, 0, false, false},
    {"permuted", 4, 1, 2, 3, true, false},   {"odd", 3, 2, 0, 5, false, false},
    {"scattered", 6, 1, 0, 1, true, true},
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

/* Puts the pixels on a grid of pixels `pitch` apart; span is where the last one starts. */
static void place_grid(struct check *c, struct place *place, const struct layout *l, int stride,
                       int pitch, int pixels)
{
    int width = l->width ? l->width : pixels;
    int32_t row = (width * stride + 2 * l->border) * pitch + l->gap;
    int32_t origin = l->border * (row + pitch), last = 0;
    for (int p = 0; p < pixels; p++) {
        int32_t at = p / width * stride * row + p % width * stride * pitch;
        last = at > last ? at : last;
        place->at[p] = at - origin;
    }
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
