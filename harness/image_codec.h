/** What harness/image*.c share; nothing else includes it. */
#ifndef RESMARK_HARNESS_IMAGE_CODEC_H
#define RESMARK_HARNESS_IMAGE_CODEC_H

#include "harness/image.h"

/** A picture's file in memory, and its name for messages. */
struct image_source {
    const uint8_t *bytes;
    size_t size;
    const char *name;
};

/** Sets "name: message"; of a very long name only the end, so that the message is not cut. */
bool image_refuse(struct error *e, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Allocates the pixels, not initialised, after holding the size against the limits. */
bool image_allocate(struct image *img, uint32_t width, uint32_t height, const char *name,
                    struct error *e);

/** Both decode into an empty image. On false the image may hold pixels; the caller frees them. */
bool image_decode_jpeg(struct image *img, const struct image_source *source, struct error *e);
bool image_decode_png(struct image *img, const struct image_source *source, struct error *e);

#endif
