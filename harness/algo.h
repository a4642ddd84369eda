/** Which algorithm computes a convolution. */
#ifndef RESMARK_HARNESS_ALGO_H
#define RESMARK_HARNESS_ALGO_H

#include "harness/network.h"

enum algo {
    ALGO_DIRECT,
    ALGO_WINOGRAD2, /**< F(2x2,3x3) */
    ALGO_WINOGRAD4, /**< F(4x4,3x3) */
    ALGO_WINOGRAD6, /**< F(6x6,3x3) */
    ALGO_POLYPHASE2,
    ALGO_POLYPHASE4,
    ALGO_STRASSEN,
    ALGO_AUTO, /**< as a request: what algo_choose() says for each convolution */
    ALGO_COUNT,
};

/** All but "auto", for people. */
#define ALGO_NAMES "direct, winograd2, winograd4, winograd6, polyphase2, polyphase4, strassen"

/** One of ALGO_NAMES, or "auto". */
const char *algo_name(enum algo algo);

/** The algorithm of that exact name. False when there is none. */
bool algo_parse(const char *name, enum algo *algo);

/** Whether an algorithm can compute a node: Winograd's serve 3x3 convolutions of stride 1, the
 * polyphase form of tiles of 2x2 those of stride 2, padded by 1; that of 4x4 serves the stem, 7x7
 * of stride 2 on the image, padded by 3; Strassen's serves 1x1 convolutions whose channels, of both
 * sides, are multiples of 32. */
bool algo_serves(enum algo algo, const struct network *net, int node);

/**
 * What a request means for a convolution: the algorithm itself where it serves, else direct. For
 * ALGO_AUTO a fixed rule of the shape and the batch alone, so that the bits are the same on every
 * machine:
 *  - 3x3, stride 1: F(6x6) from 64 tiles an image on; below, F(4x4) from 16 tiles of the batch on,
 * and below that F(2x2), because there the time goes into reading the transformed filters, of which
 * F(6x6) has 4 and F(4x4) 2.25 times as many as F(2x2);
 *  - 3x3, stride 2: the polyphase form from 16 tiles on, if few of them reach over the edge;
 *  - the stem: the polyphase form;
 *  - 1x1: Strassen's from 256 channels on either side and 64 pairs of pixels on.
 */
enum algo algo_choose(enum algo request, const struct network *net, int node, int batch);

/** Multiplications of an algorithm, those of whole tiles, over direct convolution's. */
double algo_macs_share(enum algo algo);

/** Its transformed weights, over direct convolution's. */
double algo_weights_share(enum algo algo);

#endif
