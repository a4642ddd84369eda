/**
 * A network's parameters as the kernels read them: batch norms folded, panels packed, in the order
 * in which the steps run. Every kernel set reads the same, and any number of engines share them.
 */
#ifndef RESMARK_HARNESS_WEIGHTS_H
#define RESMARK_HARNESS_WEIGHTS_H

#include "harness/fuse.h"
#include "harness/memory.h"
#include "harness/team.h"

/**
 * Of one step. Folding is done in double and rounded once: with s = gamma / sqrt(variance +
 * epsilon) and t = beta - mean * s, weight * s, bias * s + t for a folded norm; s and t for one
 * that follows.
 */
struct step_weights {
    float *weights; /**< panels as conv.h or bilinear.h says, by the step's algorithm; dense as a
                       1x1 convolution; or NULL */
    float *bias;    /**< [blocks][16], zeros behind the last channel; or NULL */
    float *scale;   /**< s of the step's `norm`, zeros behind the last channel; or NULL */
    float *shift;   /**< t of it */
};

struct weights {
    struct memory memory;
    const float *end;          /**< of the last panel */
    struct step_weights *step; /**< as many as there are steps */
    double image_scale[3];     /**< of the batch norm on the image; 1 where there is none */
    double image_shift[3];
};

/** Reads and packs everything, on all threads. False with `e` set; weights_free() releases. */
bool weights_pack(struct weights *weights, const struct network *net, const struct steps *steps,
                  const struct param_source *source, struct team *team, struct error *e);
void weights_free(struct weights *weights);

#endif
