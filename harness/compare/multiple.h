/** Verdicts that account for how many comparisons were made. */
#ifndef RESMARK_HARNESS_COMPARE_MULTIPLE_H
#define RESMARK_HARNESS_COMPARE_MULTIPLE_H

#include "arch/error.h"

#include <stddef.h>

/** The probability that any of a command's verdicts calls equal things different, at most. */
#define MULTIPLE_ERROR 0.05

/** The part of it that the layers share; the rest is that of the whole networks. */
#define MULTIPLE_LAYERS_PART 0.2

/** One hypothesis of no difference. */
struct hypothesis {
    double p;
    double weight;   /**< its part of the error; all of them add up to at most 1 */
    double adjusted; /**< by multiple_holm(): rejected where this is at most MULTIPLE_ERROR */
};

/**
 * Holm's procedure with weights (Holm, A simple sequentially rejective multiple test procedure,
 * Scand. J. Statistics 6, 1979, section 5). It bounds the probability of even one wrong
 * rejection, and whatever the dependence: the layers of one run share its disturbances.
 * (Benjamini and Hochberg bound the share of wrong rejections among all: with one true difference,
 * a wrong one beside it would be within their promise, and a comparison of a thing with itself that
 * calls some layer different is what a user must not meet.) False with `e` set: no memory.
 */
bool multiple_holm(struct hypothesis *hypotheses, size_t count, struct error *e);

#endif
