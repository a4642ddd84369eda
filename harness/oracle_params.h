/** Parameters of a network as the float64 references take them. */
#ifndef RESMARK_HARNESS_ORACLE_PARAMS_H
#define RESMARK_HARNESS_ORACLE_PARAMS_H

#include "harness/network.h"

/** A batch norm as a scale and a shift a channel. */
struct oracle_affine {
    double *scale, *shift;
};

/** A whole parameter tensor, to be freed by the caller; NULL when there is no memory. */
float *oracle_param(const struct network *net, const struct param_source *source, int node,
                    enum param param);

/**
 * Of batch norm `node` scale = gamma / sqrt(variance + epsilon), shift = beta - mean scale; of none
 * (-1) the identity of so many channels. False when there is no memory; oracle_affine_free()
 * releases.
 */
bool oracle_affine_load(struct oracle_affine *affine, const struct network *net,
                        const struct param_source *source, int node, int channels);
void oracle_affine_free(struct oracle_affine *affine);

#endif
