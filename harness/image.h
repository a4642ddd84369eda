/** Photographs from files, and the picture that is built in. */
#ifndef RESMARK_HARNESS_IMAGE_H
#define RESMARK_HARNESS_IMAGE_H

#include "arch/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IMAGE_MAX_SIDE = 65535,     /**< pixels; JPEG has no more */
    IMAGE_MAX_PIXELS = 1 << 27, /**< 134 million: 384 MiB when decoded */
    IMAGE_MAX_BYTES = 1 << 28,  /**< of a file */
    IMAGE_BUILTIN_SIDE = 224,   /**< pixels, of the built-in picture */
};

/** A picture of 8-bit RGB. `pixels` is [height][width][3] with no padding, owned by the image. */
struct image {
    int width, height;
    uint8_t *pixels;
};

/**
 * Reads a JPEG or a PNG file; which of them it is, its first bytes say. image_free() releases it.
 *
 * Colours are those of Pillow's convert("RGB"): alpha is dropped, not composited; grey is
 * replicated; of 16 bits the upper 8 stay (also of grey, which Pillow cuts off at 255 instead).
 * Colour profiles, gamma and EXIF orientation are not applied.
 *
 * False with `e` set and the image empty: the file cannot be read, is no regular file, is neither
 * JPEG nor PNG, ends early or is damaged, exceeds a limit above, is CMYK, or memory is short.
 */
bool image_read(struct image *img, const char *path, struct error *e);

/** The same for a file's bytes that are in memory already. `name` is what messages call it. */
bool image_decode(struct image *img, const uint8_t *bytes, size_t size, const char *name,
                  struct error *e);

/**
 * Paints a picture of 224x224 pixels that has what photographs have: a spectrum that falls with
 * frequency, channels that go together, edges, noise, and about ImageNet's mean and deviation.
 * Integer arithmetic alone, so it is the same on every machine. False: memory is short.
 */
bool image_builtin(struct image *img);

/** Releases the pixels and empties the image. An empty image ({0}) is fine. */
void image_free(struct image *img);

#endif
