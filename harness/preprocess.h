/** From a picture's bytes to the floats that a network reads. */
#ifndef RESMARK_HARNESS_PREPROCESS_H
#define RESMARK_HARNESS_PREPROCESS_H

#include "harness/image.h"

#include <stdbool.h>
#include <stddef.h>

/** What makes a pixel's byte x a number: (x / 255 - mean) / deviation, for R, G and B. */
struct normalisation {
    double mean[3], deviation[3];
};

/** Of ImageNet's training set, as torchvision and the ONNX model zoo have them. */
extern const struct normalisation normalisation_imagenet;

/** To -1..1, as TensorFlow's and timm's pre-activation networks want it. */
extern const struct normalisation normalisation_symmetric;

/** What maps a channel's normalised value v to v * scale + shift: a folded batch norm. */
struct channel_affine {
    double scale[3], shift[3];
};

/** Every value that a normalised pixel can have: value[channel][byte]. */
struct pixel_table {
    float value[3][256];
};

/** Fills the table with normalised bytes, and then `extra` if not NULL, in double, rounded once. */
void pixel_table_init(struct pixel_table *table, const struct normalisation *pixels,
                      const struct channel_affine *extra);

/** The length in pixels to which preprocess() resizes the shorter side: 256 for a 224 network. */
int preprocess_short_side(int size);

/**
 * Makes a picture of any size the input of a `size` x `size` network, as torchvision's
 * Resize(short side) and CenterCrop(size) do on a Pillow image: the shorter side is resized to
 * size * 256 / 224, the longer one in proportion, both rounded down, and the middle is cut out.
 *
 * Writes out [size][size][3], whose rows start row_stride >= 3 * size floats apart; floats between
 * the rows stay as they are. Precondition: 1 <= size <= 4096. False: memory is short, `e` set.
 */
bool preprocess(const struct image *img, int size, const struct pixel_table *table, float *out,
                size_t row_stride, struct error *e);

/**
 * The last step of preprocess() alone, for a picture that has the network's size already, as the
 * built-in one has: writes all its pixels, [height][width][3], rows row_stride floats apart.
 */
void preprocess_pixels(const struct image *img, const struct pixel_table *table, float *out,
                       size_t row_stride);

#endif
