/** Ceilings as results/FORMAT.md has them. */
#ifndef RESMARK_HARNESS_MEASURE_CEILINGS_JSON_H
#define RESMARK_HARNESS_MEASURE_CEILINGS_JSON_H

#include "harness/measure/ceilings.h"

#include <jansson.h>

/** The object `ceilings`; NULL when memory runs out. */
json_t *ceilings_json(const struct ceilings *ceilings);

#endif
