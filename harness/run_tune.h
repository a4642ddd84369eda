/** The tuned plan of a run: read from a file, or made. */
#ifndef RESMARK_HARNESS_RUN_TUNE_H
#define RESMARK_HARNESS_RUN_TUNE_H

#include "harness/run.h"

#include <signal.h>

/**
 * Before anything that takes long: whether the plan file that was asked for fits this run, and
 * whether a new one can be written. Decides whether to tune (options.tune). False with `e` set.
 */
bool run_tune_check(struct run *run, const struct model_options *options, struct error *e);

/**
 * Tunes if that was decided, writes the plan where it was asked to, and adds the tuned model to
 * those of the run, when there is to be one. The images are in the layout already. The ISAs share
 * the algorithms, which the best of them chooses on the most threads; the scalar set, which the
 * others are held against, is tuned only when it is alone. False with `e` set.
 */
bool run_tune(struct run *run, const struct model_options *options, struct team *const *teams,
              struct team *widest, const volatile sig_atomic_t *stop, struct error *e);

/** What a contender's loops are to be cut by, for bench_add(). */
const struct step_blocking *run_tune_blockings(const struct run *run, const struct model *model,
                                               enum isa isa, int threads);

#endif
