/** The parts of a result file (results/FORMAT.md), each NULL when memory runs out. */
#ifndef RESMARK_HARNESS_RUN_JSON_H
#define RESMARK_HARNESS_RUN_JSON_H

#include "harness/run.h"

#include <jansson.h>

/** Most repetitions of a row that are kept: a random choice where there were more. */
#define RUN_JSON_SAMPLES 400

/** A number, or null for NAN and infinities, which JSON has not. */
json_t *run_json_number(double value);

/** A text; bytes that are no UTF-8, as file names may have, become '?'. */
json_t *run_json_text(const char *text);

json_t *run_json_machine(const struct run *run);

/** Which of a series' repetitions are kept, ascending: fills indices[RUN_JSON_SAMPLES], returns how
 * many. The same series and seed give the same. */
int run_json_choose(int count, uint64_t seed, int *indices);

/** An entry of end_to_end. */
json_t *run_json_row(const struct run *run, const struct contender *c, enum series_kind kind);

/** An entry of layers, of the row with that index. */
json_t *run_json_layer(const struct run *run, const struct contender *c, int row, int step);

#endif
