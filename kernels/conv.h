/**
 * A convolution over whole tensors: the loops around the micro-kernels, the same for every ISA.
 *
 * The output pixels of the batch, in one sequence, are cut into strips, and the blocks of output
 * channels into groups; a strip times a group is a unit, which any thread may run. In a unit the
 * reduction is cut into chunks whose weights stay in the L1 cache while a strip passes over them.
 * None of this changes a bit of the result.
 */
#ifndef RESMARK_KERNELS_CONV_H
#define RESMARK_KERNELS_CONV_H

#include "kernels/tensor.h"

/** Pixels of the longest strip. */
#define CONV_MAX_STRIP 512

/** How the loops are cut; any positive values are right, good ones are fast. */
struct conv_blocking {
    int strip; /**< output pixels, at most CONV_MAX_STRIP */
    int group; /**< blocks of 16 output channels */
    int chunk; /**< blocks of 16 input channels */
};

struct conv {
    const struct kernel_set *set;
    int batch;
    int kernel, stride, pad;  /**< square; pad is at most the input's border */
    struct tensor in;         /**< an image makes it a stem */
    struct tensor residual;   /**< added before `sum`; may share memory with it */
    int residual_stride;      /**< 2: the shortcut is every second pixel of `residual` */
    struct tensor sum;        /**< the result, with the residual; or none */
    struct tensor act;        /**< relu of it, of its batch norm where there is a scale; or none */
    const float *weights;     /**< [Cout/16][Cin/16][ky][kx][16 cin][16 cout]; stem 3 for 16 cin */
    const float *weights_end; /**< end of what may be prefetched behind the weights */
    const float *bias;        /**< [Cout/16][16] */
    const float *scale;       /**< [Cout/16][16], or NULL */
    const float *shift;
    struct conv_blocking blocking;
};

/** Floats of scratch memory that a thread needs to run a unit. */
size_t conv_scratch_floats(const struct conv *c);

/** Units that the convolution is cut into. */
int conv_units(const struct conv *c);

/** Runs one unit. Units may run in any order and at the same time, with a scratch of their own. */
void conv_run(const struct conv *c, int unit, float *scratch);

/** The name of the kernel that runs it. */
const char *conv_kernel_name(const struct conv *c);

#endif
