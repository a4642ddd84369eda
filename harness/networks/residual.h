/** Residual networks of four stages, and the plain networks that they are compared with. */
#ifndef RESMARK_HARNESS_NETWORKS_RESIDUAL_H
#define RESMARK_HARNESS_NETWORKS_RESIDUAL_H

#include "harness/networks/form.h"

/**
 * Builds what the spec's form, unit and blocks say. Pre-activation units are those of He et al.
 * 2016 (arXiv:1603.05027, figure 4e), post-activation ones those of He et al. 2015
 * (arXiv:1512.03385, figure 5), each with the strides and biases of its publisher.
 */
void residual_expand(struct builder *b, const struct spec *spec, int size);

#endif
