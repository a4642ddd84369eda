/** How the loops of a convolution are cut for the caches of a machine. Changes no bit. */
#ifndef RESMARK_HARNESS_BLOCKING_H
#define RESMARK_HARNESS_BLOCKING_H

#include "arch/topology.h"
#include "kernels/conv.h"
#include "kernels/winograd.h"

/** A blocking for a direct convolution, everything else of which is set, on so many threads. */
struct conv_blocking blocking_for_conv(const struct conv *c, const struct topology *topology,
                                       int threads);

/** The same for Winograd. */
struct winograd_blocking blocking_for_winograd(const struct winograd *w,
                                               const struct topology *topology, int threads);

#endif
