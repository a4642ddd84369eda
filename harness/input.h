/** The images that a network is run on. */
#ifndef RESMARK_HARNESS_INPUT_H
#define RESMARK_HARNESS_INPUT_H

#include "harness/image.h"
#include "harness/layout.h"
#include "harness/model.h"
#include "harness/preprocess.h"

/** Reads a picture, or paints the built-in one for NULL. False with `e` set. */
bool input_read(struct image *picture, const char *path, struct error *e);

/** The numbers that a model reads for a picture's bytes: normalised, and what its first norm does.
 */
void input_table(const struct model *model, struct pixel_table *table);

/**
 * Fills the images of a layout, a whole batch, each with the picture as preprocess() makes it, or
 * as it is if it is the built-in one and of the network's size. False with `e` set.
 */
bool input_fill(const struct model *model, const struct layout *layout, const struct image *picture,
                bool builtin, struct error *e);

/**
 * Writes one image as the network's graph reads it, [height][width][3] without gaps, before a batch
 * norm on the image that the engine has in its preprocessing. False with `e` set.
 */
bool input_plain(const struct network *net, const struct image *picture, bool builtin, float *out,
                 struct error *e);

#endif
