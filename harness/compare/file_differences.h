/** What two result files differ in besides their speed. */
#ifndef RESMARK_HARNESS_COMPARE_FILE_DIFFERENCES_H
#define RESMARK_HARNESS_COMPARE_FILE_DIFFERENCES_H

#include "harness/compare/outcome.h"
#include "harness/result/result.h"

/** Notes machine and input size, which forbid a comparison, and build. False with `e` set. */
bool file_differences(struct differences *d, const struct result *base, const struct result *other,
                      struct error *e);

/** Whether two rows run the same in the same way, whatever made them. */
bool row_matches(const struct result_row *base, const struct result_row *other);

/** "avx2, auto, 2 threads, batch 1" and what else tells rows of a file apart. */
const char *row_name(const struct result_row *row, char name[160]);

/** Whether the layers of two rows are the same, by name and shape. */
bool row_same_layers(const struct result_row *base, const struct result_row *other);

/** Notes plan, bits and verdicts of two rows that match. False with `e` set. */
bool row_differences(struct differences *d, const struct result_row *base,
                     const struct result_row *other, struct error *e);

/**
 * The code of the first reason of a row's verdict that spoils a comparison, or NULL: time went to
 * others, which the ceilings beside the repetitions do not share. What slows both (the clock, a
 * busy sibling) or widens the interval (few repetitions) is none; nor, with `short_ones`, what
 * others took of the cores, which hits but some repetitions if these are short.
 */
const char *row_spoiled(const struct result_row *row, bool short_ones);

#endif
