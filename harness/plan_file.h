/**
 * A tuned plan as a JSON file: `format` and `version`; `resmark_version`; `network` and `machine`;
 * `convolutions`, a list of name and algo; `cuts`, one for each ISA and number of threads, with a
 * list of as many blockings (strip, group and chunk, or of Winograd chunk and by_channels) and of
 * the microseconds that each convolution took by the rule's choice and by the plan's.
 */
#ifndef RESMARK_HARNESS_PLAN_FILE_H
#define RESMARK_HARNESS_PLAN_FILE_H

#include "harness/tuned_plan.h"

#include <jansson.h>

/** The plan as it is written; NULL when memory runs out. The caller releases it. */
json_t *tuned_plan_json(const struct tuned_plan *plan);

/** A plan from a file's bytes; every value is checked. False with `e` set, which names no file. */
bool plan_file_decode(struct tuned_plan *plan, const char *bytes, size_t size, struct error *e);

/** Writes a plan, whole or not at all. False with `e` set. */
bool plan_file_write(const struct tuned_plan *plan, const char *path, struct error *e);

/** Reads a plan; whether it fits is not asked here. False with `e` set. */
bool plan_file_read(struct tuned_plan *plan, const char *path, struct error *e);

/**
 * Reads a plan that has to be for this network on this machine. False with `e` set, which names the
 * file. tuned_plan_free() releases, whatever happened.
 */
bool plan_file_use(struct tuned_plan *plan, const char *path, const struct network *net,
                   const struct steps *steps, int batch, const struct machine *machine,
                   struct error *e);

#endif
