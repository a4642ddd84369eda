#include "harness/resample.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/** Fractional bits of a weight: what a signed 32-bit sum of 8-bit pixels leaves, with 2 to spare.
 */
enum { WEIGHT_BITS = 32 - 8 - 2 };

/** The input pixels that make one output pixel, `count` from `first` on, and their weights. */
struct taps {
    int first, count;
    int32_t *weights;
};

/** One direction of the resize, for the outputs inside the window. */
struct axis {
    int outputs;
    struct taps *taps;
    int32_t *weights;
};

/** Where the filter of an output pixel lies on the input, in pixels of the input. */
struct filter {
    double centre, support;
};

static struct filter place_filter(int output, int in_size, int out_size)
{
    double scale = (double)in_size / out_size;
    double support = scale < 1.0 ? 1.0 : scale;
    return (struct filter){(output + 0.5) * scale, support};
}

/** The triangle's height over the middle of an input pixel. */
static double filter_at(struct filter f, int input)
{
    // Multiplied by the reciprocal and not divided, since Pillow does: the last bit can differ.
    double distance = fabs((input - f.centre + 0.5) * (1.0 / f.support));
    return distance < 1.0 ? 1.0 - distance : 0.0;
}

static void fill_taps(struct taps *taps, struct filter f, int in_size)
{
    int first = (int)(f.centre - f.support + 0.5);
    int end = (int)(f.centre + f.support + 0.5);
    taps->first = first < 0 ? 0 : first;
    taps->count = (end > in_size ? in_size : end) - taps->first;
    double sum = 0.0;
    for (int i = 0; i < taps->count; i++)
        sum += filter_at(f, taps->first + i);
    for (int i = 0; i < taps->count; i++) {
        double weight = filter_at(f, taps->first + i) / sum;
        taps->weights[i] = (int32_t)(0.5 + weight * (1 << WEIGHT_BITS));
    }
}

static void axis_free(struct axis *axis)
{
    free(axis->taps);
    free(axis->weights);
}

/** Outputs start .. start + count - 1 of in_size pixels resized to out_size. */
static bool axis_init(struct axis *axis, int in_size, int out_size, int start, int count)
{
    size_t max_taps = (size_t)ceil(place_filter(0, in_size, out_size).support) * 2 + 1;
    axis->outputs = count;
    axis->taps = calloc((size_t)count, sizeof *axis->taps);
    axis->weights = calloc((size_t)count * max_taps, sizeof *axis->weights);
    if (!axis->taps || !axis->weights)
        return false;
    for (int i = 0; i < count; i++) {
        axis->taps[i].weights = axis->weights + (size_t)i * max_taps;
        fill_taps(&axis->taps[i], place_filter(start + i, in_size, out_size), in_size);
    }
    return true;
}

static uint8_t round_pixel(int32_t sum)
{
    int32_t value = (sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
    return value > 255 ? 255 : (uint8_t)value; // rounded up, the weights may add up to over 1
}

static void resize_row(const uint8_t *row, const struct axis *axis, uint8_t *out)
{
    for (int x = 0; x < axis->outputs; x++) {
        const struct taps *taps = &axis->taps[x];
        const uint8_t *in = row + (size_t)taps->first * 3;
        int32_t red = 0, green = 0, blue = 0;
        for (int i = 0; i < taps->count; i++) {
            red += in[i * 3] * taps->weights[i];
            green += in[i * 3 + 1] * taps->weights[i];
            blue += in[i * 3 + 2] * taps->weights[i];
        }
        out[x * 3] = round_pixel(red);
        out[x * 3 + 1] = round_pixel(green);
        out[x * 3 + 2] = round_pixel(blue);
    }
}

/** One output row of `bytes` bytes from the rows below one another from `in` on. */
static void resize_column(const uint8_t *in, const struct taps *taps, size_t bytes, uint8_t *out)
{
    for (size_t x = 0; x < bytes; x++) {
        int32_t sum = 0;
        for (int i = 0; i < taps->count; i++)
            sum += in[(size_t)i * bytes + x] * taps->weights[i];
        out[x] = round_pixel(sum);
    }
}

static bool resize_both(const struct image *img, const struct axis *across, const struct axis *down,
                        uint8_t *out)
{
    const struct taps *last = &down->taps[down->outputs - 1];
    int first_row = down->taps[0].first;
    int rows = last->first + last->count - first_row;
    size_t in_bytes = (size_t)img->width * 3, bytes = (size_t)across->outputs * 3;
    uint8_t *narrow = malloc((size_t)rows * bytes);
    if (!narrow)
        return false;
    for (int y = 0; y < rows; y++)
        resize_row(img->pixels + (size_t)(first_row + y) * in_bytes, across,
                   narrow + (size_t)y * bytes);
    for (int y = 0; y < down->outputs; y++) {
        const struct taps *taps = &down->taps[y];
        resize_column(narrow + (size_t)(taps->first - first_row) * bytes, taps, bytes,
                      out + (size_t)y * bytes);
    }
    free(narrow);
    return true;
}

bool resample_bilinear(const struct image *img, int width, int height, struct window window,
                       uint8_t *out)
{
    assert(window.x >= 0 && window.width > 0 && window.x <= width - window.width);
    assert(window.y >= 0 && window.height > 0 && window.y <= height - window.height);
    struct axis across = {0}, down = {0};
    bool ok = axis_init(&across, img->width, width, window.x, window.width) &&
              axis_init(&down, img->height, height, window.y, window.height) &&
              resize_both(img, &across, &down, out);
    axis_free(&across);
    axis_free(&down);
    return ok;
}
