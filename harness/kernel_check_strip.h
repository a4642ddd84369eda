/** Where pixels lie: those of a strip as regularly or irregularly as the contract allows. */
#ifndef RESMARK_HARNESS_KERNEL_CHECK_STRIP_H
#define RESMARK_HARNESS_KERNEL_CHECK_STRIP_H

#include "harness/kernel_check_case.h"
#include "kernels/tensor.h"

#define PLACE_MAX_PIXELS 640
#define PLACE_LAYOUTS 9

/** The pixels of one tensor: `at` and stride as in conv_args, counted from `origin`. */
struct place {
    int32_t at[PLACE_MAX_PIXELS];
    size_t origin; /**< offsets count from here: those of a border are negative */
    size_t row;
    size_t span; /**< of an input: from the first float to the last pixel; of an output: all */
    size_t block_stride;        /**< of an output */
    struct check_pixels pixels; /**< of an output */
};

/** What a layout is called in messages. */
const char *place_name(int layout);

/**
 * Places the input pixels of a strip, `pixel` floats each. Returns whether the layout is irregular:
 * then pieces of the reduction may be anywhere, too.
 */
bool place_input(struct check *c, struct place *place, int layout, int pixel, int pixels);

/** Places blocks of 16 channels for a residual or an output; no two overlap. */
void place_output(struct check *c, struct place *place, int layout, int pixels, int blocks);

/** Whether the pixels are one behind the other. */
bool place_adjacent(const struct place *place, int pixels);

/** Where the pixels of a whole batch are, in memory that starts with the tensor's border. */
void place_tensor(struct place *place, const struct tensor *t, int batch);

/** An output for a placed tensor: what lies between its pixels must not be written. */
struct check_output *place_check_output(struct check *c, const char *name,
                                        const struct place *place);

/** Index of a pixel's first channel from the start of the memory. */
static inline ptrdiff_t place_at(const struct place *place, int pixel, size_t block)
{
    return (ptrdiff_t)(place->origin + block * place->block_stride) + place->at[pixel];
}

#endif
