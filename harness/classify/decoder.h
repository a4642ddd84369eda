/** Images read, decoded and preprocessed ahead of their use, by threads of their own. */
#ifndef RESMARK_HARNESS_CLASSIFY_DECODER_H
#define RESMARK_HARNESS_CLASSIFY_DECODER_H

#include "harness/classify/image_list.h"
#include "harness/preprocess.h"

struct decoder;

/**
 * Starts the threads, which wait for decoder_begin(). They may run where the calling thread may at
 * this moment. `list` has to outlive the decoder; at most `ahead` images of `size` x `size` pixels
 * are kept. NULL with `e` set; decoder_free() ends the threads.
 */
struct decoder *decoder_make(const struct image_list *list, int size, int threads, int ahead,
                             struct error *e);

/** Lets the threads begin. The table has to outlive the decoder. */
void decoder_begin(struct decoder *d, const struct pixel_table *table);

/**
 * The next image of the list, [size][size][3], once it is there; it stays until the next call. NULL
 * with `e` set: it cannot be read. Not called more often than the list has images.
 */
const float *decoder_next(struct decoder *d, struct error *e);

void decoder_free(struct decoder *d);

#endif
