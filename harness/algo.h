/** Which algorithm computes a convolution. */
#ifndef RESMARK_HARNESS_ALGO_H
#define RESMARK_HARNESS_ALGO_H

#include "harness/network.h"

enum algo {
    ALGO_DIRECT,
    ALGO_WINOGRAD2, /**< F(2x2,3x3) */
    ALGO_WINOGRAD4, /**< F(4x4,3x3) */
    ALGO_AUTO,      /**< as a request: what algo_rule() says for each convolution */
    ALGO_COUNT,
};

/** "direct", "winograd2", "winograd4" or "auto". */
const char *algo_name(enum algo algo);

/** The algorithm of that exact name. False when there is none. */
bool algo_parse(const char *name, enum algo *algo);

/** Whether an algorithm can compute a node: Winograd's serve 3x3 convolutions of stride 1, padded
 * by 1. */
bool algo_serves(enum algo algo, const struct node *node);

/**
 * What a request means for a node: the algorithm itself where it serves, else direct. For
 * ALGO_AUTO a fixed rule of the shape and the batch alone, so that the bits are the same on every
 * machine: F(4x4) from 16 tiles on; below, F(2x2), because there the time goes into reading the
 * transformed filters, of which F(4x4) has 2.25 times as many.
 */
enum algo algo_choose(enum algo request, const struct node *node, int batch);

/** Output pixels of a tile in each direction; 0 for direct. */
int algo_tile(enum algo algo);

#endif
