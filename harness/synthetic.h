/**
 * Synthetic parameters from a seed: the same bits on every machine and compiler, any part of any
 * tensor at once. Integers come from a hash of (seed, node name, parameter, index); they turn into
 * floats by IEEE basic operations in double, rounded once.
 *
 * No value is ever zero or denormal, because both change the speed of what is measured.
 */
#ifndef RESMARK_HARNESS_SYNTHETIC_H
#define RESMARK_HARNESS_SYNTHETIC_H

#include "harness/network.h"

#include <stdint.h>

/**
 * A source of parameters with which every batch norm and logit of the network stays O(1):
 *
 *  - convolutions: near normal, standard deviation sqrt(2 / fan-in) (He et al. 2015,
 *    arXiv:1502.01852, eq. 10), so a convolution doubles the mean square of its input;
 *  - dense: near normal, standard deviation sqrt(1 / inputs); bias in -0.2..0.2;
 *  - gamma in 0.5..1.5, beta in -0.2..0.2;
 *  - variance within 25 % of the variance V that the node's input has by its place in the graph (a
 *    residual sum's is the sum of its terms', so it grows along a stage); mean within 0.2 sqrt(V)
 *    of the input's. No calibration pass is needed.
 *
 * "Near normal" is a sum of four uniform integers, at most 3.47 standard deviations from zero.
 * `seed` must outlive the source.
 */
struct param_source synthetic_source(const uint64_t *seed);

#endif
