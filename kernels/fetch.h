/*
 * Prefetch of the weights to come into the L2 cache; the L1 cache's own prefetcher does the rest.
 * The lines of a panel are fetched as some streams side by side, from as many places of it: memory
 * delivers lines of different pages faster than those of one.
 */
#ifndef RESMARK_KERNELS_FETCH_H
#define RESMARK_KERNELS_FETCH_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

/* Floats from one stream of the memory to be prefetched to the next: whole lines. */
static inline size_t stream_step(const struct conv_args *a, int streams)
{
    size_t lines = (size_t)(a->prefetch_end - a->prefetch) / BLOCK;
    return (lines / (size_t)streams + 1) * BLOCK;
}

/* Fetches so many lines, 9 at most; a multiple of the streams. */
static inline __attribute__((always_inline)) void fetch(const float *ahead, size_t step,
                                                        const int lines, const int streams)
{
    UNROLLED(9)
    for (int line = 0; line < lines; line++)
        __builtin_prefetch(ahead + line / streams * BLOCK + (size_t)(line % streams) * step, 0, 2);
}

#endif
