/** `resmark run --errors`: every layer against float64, beside the bound derived for it. */
#ifndef RESMARK_HARNESS_RUN_ERRORS_H
#define RESMARK_HARNESS_RUN_ERRORS_H

#include "harness/run.h"

/** Measures one image by every model, if that was asked for. False with `e` set: no memory. */
bool run_errors_measure(struct run *run, struct error *e);

/** False with `e` set when a layer is outside its bound. */
bool run_errors_check(const struct run *run, struct error *e);

/** A row for each convolution, a column for each model. */
void run_errors_print(const struct run *run, FILE *out);

void run_errors_free(struct run *run);

#endif
