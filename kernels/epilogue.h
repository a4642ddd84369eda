/** What sums start from, and which parts their epilogue has: shared by the micro-kernels of all
 * ISAs.
 */
#ifndef RESMARK_KERNELS_EPILOGUE_H
#define RESMARK_KERNELS_EPILOGUE_H

#include "kernels/kernels.h"

/** Constants wherever an epilogue is called, so that it has no branch. */
enum {
    RESIDUAL = 1,
    SUM = 2,
    ACT = 4,
    SCALE = 8,
};

/** The parts that the last call for a tile's pixels asks for. */
static inline int epilogue_of(const struct conv_args *a)
{
    return (a->residual.data ? RESIDUAL : 0) | (a->sum.data ? SUM : 0) | (a->act.data ? ACT : 0) |
           (a->scale ? SCALE : 0);
}

/** Where the chains of an output block start, [16]. */
static inline const float *bias_of(const struct conv_args *a, int block)
{
    static const float zeros[BLOCK];
    return a->bias ? a->bias + block * BLOCK : zeros;
}

#endif
