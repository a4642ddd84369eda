/**
 * How far each layer of an engine is from exact, by itself: a step's output against the same step
 * in double on the inputs that the engine really had, whatever errors those carry.
 */
#ifndef RESMARK_HARNESS_LAYER_ERROR_H
#define RESMARK_HARNESS_LAYER_ERROR_H

#include "harness/engine.h"

/** An output and what it should be. */
struct layer_error_at {
    int image, channel, row, column;
    bool in_sum; /**< of the two values that a step may store, the sum */
    float value;
    double exact;
};

/** Of one step; zeros for a step that is neither a convolution nor a dense layer. */
struct layer_error {
    double error;    /**< the largest of an output; infinite for one that is not a number */
    double rms;      /**< of all outputs */
    double ulps;     /**< the largest in units in the last place of the exact output as a float */
    double fraction; /**< the largest of an error in its rigorous bound: over 1 is a fault */
    struct layer_error_at worst; /**< where `fraction` is */
    size_t outputs;              /**< measured */
};

/**
 * Runs the engine's plan on the images in model_image() and measures the first `images` of the
 * batch: steps[i] becomes that of step i. All stored outputs of a step take part, the sum and what
 * the epilogue makes of it.
 *
 * The bound. With the exact weights w, bias b and folded batch norm f, t, a step computes
 * v = f (sum of w x) + (f b + t) + residual and then relu(s v + z). All terms go through at most n
 * roundings, so the error is at most
 *
 *     gamma_n (|s| (|f| S + |f b + t| + |residual|) + |z|)
 *
 * (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., lemma 3.1). S is sum |w| |x| of
 * a direct convolution or dense layer, whose n begins with its K terms (oracle_conv()); for
 * the others S and n are those of oracle_bilinear(). To n come the rounding of f w, one for all
 * that is rounded in double, that of the residual sum, and two for the second batch norm: those of
 * s or z and of the multiply-add.
 *
 * The engine's team does the work; the thread that calls is the one that made the team. False with
 * `e` set when there is no memory.
 */
bool layer_error_measure(struct engine *engine, const struct param_source *source, int images,
                         struct layer_error *steps, struct error *e);

#endif
