/**
 * An independent computation of a network in double precision, from the unfolded graph and the raw
 * parameters, with a bound on what a single-precision engine may differ from it. It shares no code
 * with the plan or the kernels.
 *
 * The bound. Beside every number's value v the oracle keeps the variance s^2 of the error that a
 * float32 engine makes in it, u being 2^-24:
 *
 *  - A convolution or dense layer: s^2 = sum w^2 (s_in^2 + (u x)^2) + u^2 sum S_i^2, S_i being the
 *    partial sums of its chain; oracle_conv_variance() has the derivation and the source.
 *  - A convolution by another algorithm: the same for each stage; oracle_bilinear_variance() has
 * it.
 *  - A batch norm, folded or not: |scale| s, the rounding of scale, shift and result, and the
 *    shift's part in the chain of the convolution that it may be folded into.
 *  - ReLU passes s, or 0 where v is so far below zero that the result is 0 all the same. A max-pool
 *    takes the largest s of its window. The average pool takes the mean of s, as if the errors of
 *    a channel's pixels were equal. A sum adds variances: the branch's error has gone through
 *    convolutions, whose rows are taken as unrelated to it, here as in the first rule.
 *
 * The bound is lambda s. It is a model, not a proof: roundings count as independent, of mean zero.
 * The rigorous worst case, intervals through all layers, grows with sum |w| a layer instead of
 * sqrt(sum w^2), so over 53 layers it exceeds the values by tens of orders of magnitude and would
 * accept anything. oracle_conv() gives the rigorous bound of one layer. Underflow is neglected.
 */
#ifndef RESMARK_HARNESS_ORACLE_H
#define RESMARK_HARNESS_ORACLE_H

#include "harness/algo.h"

/**
 * Deviations in a bound. By Azuma and Hoeffding a chain errs by more with a probability under
 * 2 exp(-lambda^2 / 2) = 2.5e-14, few enough for all numbers of a network.
 */
#define ORACLE_LAMBDA 8.0

/**
 * Receives the output of a node: `value` and the deviation `sigma` of a float32 engine's error,
 * both [channels][height][width] and valid during the call. Nodes come in the order of the graph.
 */
typedef void oracle_visit(void *context, int node, const double *value, const double *sigma);

struct oracle_options {
    int threads;            /**< for convolutions, at least 1 */
    oracle_visit *visit;    /**< or NULL */
    void *context;          /**< for visit */
    const enum algo *algos; /**< by which the engine computes each node; NULL: all direct */
};

/** Of one image, `classes` numbers each. */
struct oracle_result {
    int classes;
    double *logits;
    double *bounds;  /**< on the error of a float32 engine's logits: ORACLE_LAMBDA sigma */
    double *softmax; /**< NULL when the network ends in its logits */
};

/**
 * Computes the network for one image: floats [size][size][3] with the network's size, already
 * normalised as the network's preprocessing says, BEFORE the batch norm that some networks apply to
 * the image (that is a node of the graph). The image counts as exact. The network ends in a dense
 * layer or a softmax behind it, as network_build() makes it.
 * False with `e` set when there is no memory or no thread; then `out` needs no oracle_free().
 */
bool oracle_run(const struct network *net, const struct param_source *source, const float *image,
                const struct oracle_options *options, struct oracle_result *out, struct error *e);
void oracle_free(struct oracle_result *result);

#endif
