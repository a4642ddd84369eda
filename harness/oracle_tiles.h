/** One image's tiles through a bilinear algorithm in double precision (oracle_bilinear.h). */
#ifndef RESMARK_HARNESS_ORACLE_TILES_H
#define RESMARK_HARNESS_ORACLE_TILES_H

#include "harness/algo.h"
#include "harness/oracle_conv.h"

/** The factor of an output channel. */
static inline double oracle_fold(const struct oracle_conv *conv, int channel)
{
    return conv->fold ? conv->fold[channel] : 1;
}

/**
 * The convolution without its bias: `value` and `variance`, [cout][height][width], are the output
 * and the variance of what a float computation adds to its error. When `absolute`, `value` is
 * |A^T| (sum of |U| . |B^T| |d| |B|) |A|, and `variance` nothing of use.
 * False with `e` set when there is no memory or no thread.
 */
bool oracle_tiles(const struct oracle_conv *conv, enum algo algo, bool absolute, const double *in,
                  double *value, double *variance, struct error *e);

#endif
