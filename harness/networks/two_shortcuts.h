/** A small network with one shortcut round two layers and one round three. */
#ifndef RESMARK_HARNESS_NETWORKS_TWO_SHORTCUTS_H
#define RESMARK_HARNESS_NETWORKS_TWO_SHORTCUTS_H

#include "harness/networks/form.h"

/**
 * Builds it. With the published 227 pixels its volumes are AlexNet's:
 *
 *     55x55x96  --pool 3x3/2-->  27x27x96  --5x5-->  27x27x256                      shortcut A
 *     27x27x256 --pool 3x3/2-->  13x13x256 --3x3-->  13x13x384 --3x3--> 13x13x384   shortcut B
 *
 * Each shortcut is a linear projection W_s, since the dimensions differ: y = relu(F(x) + W_s x),
 * equation 2 of He et al. 2015 (arXiv:1512.03385). W_s is a 1x1 convolution of stride 2 at the
 * centres of the pools' windows, which is why it leaves the outermost pixels out. No batch norm;
 * the convolutions have biases, the projections none.
 */
void two_shortcuts_expand(struct builder *b, const struct spec *spec, int size);

#endif
