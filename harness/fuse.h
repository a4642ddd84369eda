/**
 * From a network's graph of primitive nodes to the steps that the engine runs: every batch norm,
 * ReLU and residual add becomes part of a convolution or a pool.
 *
 *  - batch norm on the image: part of the preprocessing;
 *  - convolution -> batch norm [-> ReLU]: folded into the weights, ReLU in the epilogue;
 *  - convolution [-> batch norm] -> add: the residual add in the epilogue of the later of the two
 *    operands; a shortcut that takes every second pixel is read with that stride;
 *  - … [-> batch norm] -> ReLU behind an add or a pool: the dual store, which keeps the sum as well
 *    where another node reads it.
 */
#ifndef RESMARK_HARNESS_FUSE_H
#define RESMARK_HARNESS_FUSE_H

#include "harness/algo.h"

/** What a step computes. Values are named by the node whose output they are; -1 is none. */
struct step {
    enum node_kind kind; /**< NODE_CONV, NODE_MAX_POOL, NODE_AVG_POOL, NODE_DENSE, NODE_SOFTMAX */
    int node;
    enum algo algo; /**< of a convolution: direct until somebody chooses another */
    int in;
    int folded_norm;     /**< batch norm folded into the convolution's weights */
    int residual;        /**< value added to the result, … */
    int residual_stride; /**< … of which every so manieth pixel is taken */
    int sum;             /**< value stored before … */
    int norm;            /**< … this batch norm and a ReLU are applied, … */
    int act;             /**< … and value stored behind them */
};

struct steps {
    int count;
    struct step *step;
    int image;      /**< the value that preprocessing has to deliver */
    int image_norm; /**< batch norm that it has to apply; -1 for none */
};

/** False with `e` set for a graph with a node that no step can take in; steps_free() releases. */
bool steps_fuse(struct steps *steps, const struct network *net, struct error *e);
void steps_free(struct steps *steps);

#endif
