/** The parts of a result file, each read by a function of its own. All return false with `e` set.
 */
#ifndef RESMARK_HARNESS_RESULT_RESULT_PARTS_H
#define RESMARK_HARNESS_RESULT_RESULT_PARTS_H

#include "harness/json_reader.h"
#include "harness/result/result.h"

/** Threads, images, instances, channels, pixels: more is no network and no machine. */
#define RESULT_MAX_COUNT (1 << 24)

/** Most entries of a list: more does not fit into the largest file. */
#define RESULT_MAX_ENTRIES ((size_t)RESULT_MAX_BYTES / 2)

/** The entry of the row with that index: those of flushed caches follow the others. */
const struct json_value *result_row_entry(const struct json_value *resmark, size_t index);

/** Reads the `resmark` object's end_to_end and cold, without samples and layers. */
bool result_rows_read(struct result *result, const struct json_value *resmark, struct error *e);

/** Reads the rows' repetitions: version 2 has them in the rows, version 1 in `benchmarks`. */
bool result_samples_read(struct result *result, const struct json_value *root, struct error *e);

/** Reads the layers of all rows, which must be whole: by name, number and MACs. */
bool result_layers_read(struct result *result, const struct json_value *resmark, struct error *e);

/** Reads the `ceilings` of version 2. */
bool result_ceilings_read(struct result_ceilings *c, const struct json_value *resmark,
                          struct error *e);

/** Whether a median lies in its interval. */
bool result_interval_check(double low, double median, double high, struct error *e);

/** Puts an entry's place in front of a message: `list`[`index`]. Always returns false. */
bool result_in_entry(struct error *e, const char *list, size_t index);

#endif
