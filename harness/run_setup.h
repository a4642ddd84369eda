/** What a run measures, made ready: teams, weights, images, plans. */
#ifndef RESMARK_HARNESS_RUN_SETUP_H
#define RESMARK_HARNESS_RUN_SETUP_H

#include "harness/run.h"

/** The scenario's defaults for what the options leave open, and whether this machine can do what
 * they ask for. False with `e` set: an error of usage. */
bool run_setup_options(struct run *run, struct error *e);

/** What the models of the first batch are. */
struct model_options run_setup_model_options(const struct run *run);

/**
 * Makes everything; tunes, when that is asked for. Ends early when `*stop` is not 0. False with `e`
 * set; run_setup_free() releases in any case.
 */
bool run_setup(struct run *run, const volatile sig_atomic_t *stop, struct error *e);
void run_setup_free(struct run *run);

#endif
