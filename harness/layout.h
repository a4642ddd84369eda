/**
 * Where the values of a network lie in memory: values whose lives do not overlap share it, a
 * residual sum takes the place of the shortcut that it is added to, and values with a zero border
 * share only with others of the same geometry, so that a border is never written.
 */
#ifndef RESMARK_HARNESS_LAYOUT_H
#define RESMARK_HARNESS_LAYOUT_H

#include "harness/fuse.h"
#include "harness/memory.h"
#include "kernels/tensor.h"

struct layout {
    int batch;
    struct memory memory;
    struct tensor *values; /**< one a node; data is NULL for a value that is never stored */
};

/** Lays out the values of all steps for `batch` images. False with `e` set; layout_free() releases.
 */
bool layout_make(struct layout *layout, const struct network *net, const struct steps *steps,
                 int batch, struct error *e);
void layout_free(struct layout *layout);

#endif
