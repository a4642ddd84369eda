/**
 * How far a whole network is from exact, layer by layer from the image on, and how far two
 * algorithms are from each other: errors add up on the way, and the bound with them (oracle.h).
 */
#ifndef RESMARK_HARNESS_VERIFY_DRIFT_H
#define RESMARK_HARNESS_VERIFY_DRIFT_H

#include "harness/oracle.h"
#include "harness/verify/difference.h"
#include "harness/verify/snapshot.h"

/** Of one step's output (its act, or its sum where that is all it stores), first image. */
struct drift {
    double max, rms;            /**< absolute differences */
    double ulps;                /**< at `worst`: floats that lie between the two */
    double fraction;            /**< the largest of a difference in its bound */
    struct difference_at worst; /**< where `fraction` is; expected is rounded to a float */
};

/** What a model computes, with the bound for each value. */
struct drift_subject {
    const struct model *model;
    const struct snapshot *snapshot; /**< of a run on the image in `image` */
    float *bounds; /**< for each value, ORACLE_LAMBDA deviations: of each step's output */
    size_t *at;    /**< where a step's bounds begin; [channels][height][width] */
};

/**
 * Computes the network in double precision and compares: drifts[i] becomes that of step i. `image`
 * is the normalised picture, [size][size][3], before the batch norm on the image. The subject's
 * `model` and `snapshot` are set; this sets the others, for drift_between(). False with `e` set;
 * drift_free() releases.
 */
bool drift_measure(struct drift_subject *subject, const struct param_source *source,
                   const float *image, int threads, struct drift *drifts, struct error *e);
void drift_free(struct drift_subject *subject);

/** Of two models of one network, which differ by the sum of their bounds at most. */
void drift_between(const struct drift_subject *expected, const struct drift_subject *got,
                   struct drift *drifts);

#endif
