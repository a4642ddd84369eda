#include "harness/preprocess.h"
#include "harness/resample.h"

#include <assert.h>
#include <stdlib.h>

const struct normalisation normalisation_imagenet = {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
const struct normalisation normalisation_symmetric = {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};

void pixel_table_init(struct pixel_table *table, const struct normalisation *pixels,
                      const struct channel_affine *extra)
{
    for (int c = 0; c < 3; c++) {
        for (int x = 0; x < 256; x++) {
            double value = (x / 255.0 - pixels->mean[c]) / pixels->deviation[c];
            if (extra)
                value = value * extra->scale[c] + extra->shift[c];
            table->value[c][x] = (float)value;
        }
    }
}

int preprocess_short_side(int size)
{
    return size * 256 / 224;
}

/** A side after the resize that makes `shorter` pixels `target` pixels. */
static int resized_side(int side, int shorter, int target)
{
    return (int)((int64_t)target * side / shorter);
}

/** Pixels left out before the centre: half of the rest, rounded to even as Python's round() does.
 */
static int crop_start(int side, int size)
{
    int rest = side - size;
    int half = rest / 2;
    return rest % 2 ? half + half % 2 : half;
}

void preprocess_pixels(const struct image *img, const struct pixel_table *table, float *out,
                       size_t row_stride)
{
    const uint8_t *in = img->pixels;
    assert(row_stride >= (size_t)img->width * 3);
    for (int y = 0; y < img->height; y++) {
        float *row = out + (size_t)y * row_stride;
        for (int x = 0; x < img->width; x++) {
            for (int c = 0; c < 3; c++)
                *row++ = table->value[c][*in++];
        }
    }
}

bool preprocess(const struct image *img, int size, const struct pixel_table *table, float *out,
                size_t row_stride, struct error *e)
{
    assert(size >= 1 && size <= 4096);
    int shorter = img->width < img->height ? img->width : img->height;
    int target = preprocess_short_side(size);
    int width = resized_side(img->width, shorter, target);
    int height = resized_side(img->height, shorter, target);
    struct window centre = {crop_start(width, size), crop_start(height, size), size, size};
    struct image crop = {size, size, malloc((size_t)size * (size_t)size * 3)};
    bool ok = crop.pixels && resample_bilinear(img, width, height, centre, crop.pixels);
    if (ok)
        preprocess_pixels(&crop, table, out, row_stride);
    else
        error_set(e, "no memory to resize a picture of %d x %d pixels; give a smaller one",
                  img->width, img->height);
    image_free(&crop);
    return ok;
}
