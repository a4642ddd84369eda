/** Resizing of pictures, with Pillow's own pixels. */
#ifndef RESMARK_HARNESS_RESAMPLE_H
#define RESMARK_HARNESS_RESAMPLE_H

#include "harness/image.h"

#include <stdbool.h>
#include <stdint.h>

/** A rectangle of pixels. */
struct window {
    int x, y, width, height;
};

/**
 * Resizes to `width` x `height` pixels and writes the window of that to out
 * [window.height][window.width][3]. Only what the window needs is computed.
 *
 * A triangle filter, widened by the factor of the reduction (antialias), first along the rows and
 * then along the columns, with weights of 22 fractional bits and a rounding to 8 bits between the
 * two: bit for bit what Image.resize((width, height), BILINEAR) of Pillow 9.4 to 12.1 gives.
 * Later ones do the columns first where the height is reduced much more than the width; of what
 * preprocess() asks for, that is pictures over twice as high as wide, which may differ by one
 * level.
 *
 * Preconditions: width and height from 1 to 2^30, and a window inside them that is not empty.
 * False: memory is short.
 */
bool resample_bilinear(const struct image *img, int width, int height, struct window window,
                       uint8_t *out);

#endif
