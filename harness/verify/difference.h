/** How two tensors of one shape differ: how many values, by how much, and where most. */
#ifndef RESMARK_HARNESS_VERIFY_DIFFERENCE_H
#define RESMARK_HARNESS_VERIFY_DIFFERENCE_H

#include "harness/verify/pattern.h"

/** A value of a tensor, in both. */
struct difference_at {
    int image, channel, row, column;
    float expected, got;
};

struct difference {
    size_t values;    /**< compared: channels that only fill a block are not */
    size_t differing; /**< of other bits; any two NaNs are equal, +0 and -0 are not */
    double max, rms;  /**< of the absolute differences; infinite with a NaN or an infinity in one */
    double max_ulps;  /**< the most floats that lie between two; infinite in the same case */
    struct difference_at worst; /**< where the absolute difference is largest */
};

/** Floats that lie between two, counted from either; 0 for +0 and -0, infinite for one NaN. */
double difference_ulps(float a, float b);

/** Whether two values are the same bits, or both NaN. */
bool difference_equal(float a, float b);

/**
 * Compares `batch` images. `pattern`, if not NULL, is cleared and becomes where they differ, over
 * all images.
 */
struct difference difference_measure(const struct tensor *expected, const struct tensor *got,
                                     int batch, struct pattern *pattern);

/** "channel 12, row 3, column 55: 0x1.8p+1 (3) instead of …", for a message. */
void difference_describe(const struct difference_at *at, int batch, char *text, size_t size);

/** The index of an element: of a channel, row and column in an image of the batch. */
static inline size_t difference_offset(const struct tensor *t, int image, int channel, int row,
                                       int column)
{
    return (size_t)image * t->image_stride + (size_t)(channel / t->pixel) * t->block_stride +
           (size_t)row * t->row_stride + (size_t)(column * t->pixel + channel % t->pixel);
}

#endif
