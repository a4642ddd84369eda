/** One plan, ready to run an image whenever it is asked to: what live comparisons take turns with.
 */
#ifndef RESMARK_HARNESS_COMPARE_SAMPLER_H
#define RESMARK_HARNESS_COMPARE_SAMPLER_H

#include "harness/engine.h"
#include "harness/formats/weights_file.h"
#include "harness/machine.h"
#include "harness/model.h"
#include "harness/tuned_plan.h"

/** What a sampler is to run. */
struct sampler_options {
    const char *network; /**< NULL: the default, or the one that the weights file holds */
    const char *weights; /**< a file; NULL: synthetic ones */
    const char *plan;    /**< a plan file, instead of `algo`; NULL: none */
    const char *isa;     /**< NULL: the best usable one */
    int threads;         /**< 0: one for each core */
    int batch;
    int size; /**< 0: the network's */
    enum algo algo;
    uint64_t seed; /**< of the synthetic weights */
};

struct sampler {
    struct machine machine;
    struct weights_file weights_file;
    struct tuned_plan tuned;
    int size; /**< pixels of the network's square input */
    struct team *team;
    struct model model;
    struct layout layout;
    struct plan plan;
    struct engine engine;
    uint64_t logits_hash;
    uint64_t *step_ns; /**< of the last run, [plan.step_count] */
};

/** What one run of the batch took. */
struct sampler_time {
    uint64_t wall_ns;
    uint64_t cpu_ns; /**< of all threads of the process */
};

/**
 * Makes everything and runs the images once. Returns the exit status: 0, or with `e` set 1, or 2
 * when this machine cannot do what was asked. sampler_free() releases, whatever happened.
 */
int sampler_make(struct sampler *s, const struct sampler_options *o, struct error *e);
void sampler_free(struct sampler *s);

/** Runs the images once and leaves the time of each step in step_ns. */
struct sampler_time sampler_run(struct sampler *s);

#endif
