/** What a network amounts to, computed from the graph that runs. */
#ifndef RESMARK_HARNESS_NETWORK_TOTALS_H
#define RESMARK_HARNESS_NETWORK_TOTALS_H

#include "harness/network.h"

/** Of one image; parameters are counted in floats. */
struct network_totals {
    int layers; /**< convolutions and dense layers on the longest way: the 50 of ResNet-50 */
    int convolutions, batch_norms, additions;
    double macs;            /**< multiply-adds of convolutions and dense layers, padding counted */
    double addition_floats; /**< elements of all residual sums */
    size_t weights;         /**< of convolutions and dense layers */
    size_t learnable;       /**< and biases, gammas and betas */
    size_t parameters;      /**< and running statistics */
};

/** False with `e` set when there is no memory. */
bool network_count(const struct network *net, struct network_totals *totals, struct error *e);

#endif
