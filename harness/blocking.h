/** How the loops of a convolution are cut for the caches of a machine. Changes no bit. */
#ifndef RESMARK_HARNESS_BLOCKING_H
#define RESMARK_HARNESS_BLOCKING_H

#include "arch/topology.h"
#include "kernels/bilinear.h"
#include "kernels/conv.h"

/** A blocking for a direct convolution, everything else of which is set, on so many threads. */
struct conv_blocking blocking_for_conv(const struct conv *c, const struct topology *topology,
                                       int threads);

/** The same for a bilinear algorithm. */
struct bilinear_blocking blocking_for_bilinear(const struct bilinear *b,
                                               const struct topology *topology, int threads);

/**
 * Floats of transformed tiles, at most, that each thread transforms for itself where the work is
 * split by channels. What fits half its L2 cache stays there. Two threads, like one, take up to
 * twice the cache: else each would write lines that the other one has read, and read half of its
 * tiles from the other's cache, which takes as long as to transform that half or longer (Zen 3, 590
 * to 820 KB of tiles: .90 to 1.00 of the layer's time, from process to process). The more threads,
 * the more transforms that would repeat.
 */
size_t own_tiles_floats(const struct topology *topology, int threads);

#endif
