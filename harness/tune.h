/**
 * Tuning: finds the algorithm and the blocking of each convolution that are fastest here, by
 * running the whole network over and over. In each pass every convolution tries another one of its
 * candidates, so each is timed in its place, with the caches as the layers before it leave them.
 */
#ifndef RESMARK_HARNESS_TUNE_H
#define RESMARK_HARNESS_TUNE_H

#include "harness/engine.h"
#include "harness/tuned_plan.h"

#include <signal.h>

/** Seconds for one ISA on one number of threads, unless another limit is asked for. */
#define TUNE_SECONDS 20

/** Most models to choose among: no convolution is served by more algorithms. */
#define TUNE_MAX_MODELS 4

struct tune_request {
    /** Of one network and seed. A convolution may get any algorithm that it has in one of them. */
    const struct model *models[TUNE_MAX_MODELS];
    int model_count;
    const struct kernel_set *set;
    struct team *team;
    const struct layout *layout; /**< with the images in it */
    const struct topology *topology;
    double seconds; /**< about; a slow set takes longer, to try everything once */
    const volatile sig_atomic_t *stop; /**< not 0: give up */
    /** Called now and then with the share of the work that is done (0..1); or NULL. */
    void (*progress)(const struct kernel_set *set, int threads, double share);
};

/**
 * Fills `cut`, which is of the same set and number of threads, and `algos`, one for each
 * convolution. What is chosen is at least a hundredth faster than what the fixed rules say when
 * both run in turns, or it is what they say. False with `e` set.
 */
bool tune(const struct tune_request *request, enum algo *algos, struct tuned_cut *cut,
          struct error *e);

#endif
