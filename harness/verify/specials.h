/**
 * Numbers that are special, on their way through all layers: NaN, infinities, -0, denormals and the
 * largest floats, in the weights and in the input of every layer, few enough that most outputs do
 * not become NaN.
 */
#ifndef RESMARK_HARNESS_VERIFY_SPECIALS_H
#define RESMARK_HARNESS_VERIFY_SPECIALS_H

#include "harness/plan.h"

/** A source like another one, with some weights of convolutions and dense layers replaced. */
struct specials_source {
    struct param_source from;
};

/** The source must outlive what is made with it, as must `specials`. */
struct param_source specials_source(const struct specials_source *specials);

/**
 * Replaces the input of the step behind `step` (-1: the image), inside its border, by numbers
 * around one, special ones in between: the same for the same step. For struct bits' `feed`.
 */
void specials_feed(void *context, const struct plan *plan, int step);

#endif
