/** The parts of a result file (results/FORMAT.md), each NULL when memory runs out. */
#ifndef RESMARK_HARNESS_RUN_JSON_H
#define RESMARK_HARNESS_RUN_JSON_H

#include "harness/run.h"

#include <jansson.h>

/** Of the `resmark` object; a reader accepts its own and older ones. */
#define RUN_JSON_VERSION 2

/** Most repetitions of a row that are kept: a random choice where there were more. */
#define RUN_JSON_SAMPLES 400

/** A number, or null for NAN and infinities, which JSON has not. */
json_t *run_json_number(double value);

/** A text; bytes that are no UTF-8, as file names may have, become '?'. */
json_t *run_json_text(const char *text);

json_t *run_json_machine(const struct run *run);

/** Which of `count` repetitions are kept, ascending: fills indices[limit], returns how many. The
 * same count and seed give the same. */
int run_json_choose(int count, int limit, uint64_t seed, int *indices);

/** Over the algorithm, kernel and blocking of every layer. */
uint64_t run_json_plan_hash(const struct plan *plan);

/** Over the program's own file: what tells two builds apart; null when it cannot be read. */
json_t *run_json_executable_hash(void);

/** An entry of end_to_end. */
json_t *run_json_row(const struct run *run, const struct contender *c, enum series_kind kind);

/** An entry of layers, of the row with that index. */
json_t *run_json_layer(const struct run *run, const struct contender *c, int row, int step);

#endif
