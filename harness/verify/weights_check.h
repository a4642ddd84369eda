/**
 * Whether packed weights are what their definition says, each to the last bit: read again from the
 * source, folded and transformed in double without the code that packed them, and looked up where
 * conv.h and bilinear.h say that they lie.
 */
#ifndef RESMARK_HARNESS_VERIFY_WEIGHTS_CHECK_H
#define RESMARK_HARNESS_VERIFY_WEIGHTS_CHECK_H

#include "harness/model.h"

/** What was found in all steps, or in one. */
struct weights_result {
    size_t checked; /**< floats */
    size_t wrong;
    int step;        /**< of the first wrong one; -1: none is wrong */
    char where[128]; /**< in it: "filter 3 of channel 17, ky 0, kx 2", "bias of 4" */
    float packed;
    double exact;
};

/**
 * A float is right if it is within half a unit in the last place of the exact value (it was rounded
 * once, to nearest), plus 2^-48 of the sum of its terms' magnitudes, for what double precision does
 * to a sum that cancels; and zero, where it only fills a block. False with `e` set when there is no
 * memory; whether weights are wrong is in the result.
 */
bool weights_check(const struct model *model, const struct param_source *source, struct team *team,
                   struct weights_result *result, struct error *e);

/** A hash of all floats of a step: weights, bias, scale and shift; 0 when it has none. */
uint64_t weights_hash(const struct model *model, int step);

#endif
