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
    struct place *places;  /**< theirs in memory */
    int value_count;
};

/** Lays out the values of all steps for `batch` images. False with `e` set; layout_free() releases.
 */
bool layout_make(struct layout *layout, const struct network *net, const struct steps *steps,
                 int batch, struct error *e);
void layout_free(struct layout *layout);

/**
 * Memory of `floats` where no value lies during a step: of what values held until some step behind
 * `since`, the memory of the one that was needed last, which is most likely still in cache. NULL if
 * there is none.
 */
float *layout_spare(const struct layout *layout, int step, int since, size_t floats);

#endif
