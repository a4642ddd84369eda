/** The blockings near a given one, from which tuning chooses. */
#ifndef RESMARK_HARNESS_NEIGHBOURS_H
#define RESMARK_HARNESS_NEIGHBOURS_H

#include "harness/plan.h"

/** Most neighbours of a blocking. */
#define MAX_NEIGHBOURS 12

/**
 * Writes the blockings that differ from a convolution step's own in one number (a fraction or a
 * multiple of it, or everything at once) or in the way the work is split. Returns how many.
 */
int neighbours_of(const struct plan_step *step, struct step_blocking list[MAX_NEIGHBOURS]);

#endif
