/**
 * Values of command-line options that several commands have. Each function returns false with `e`
 * set, which names the option and what it may be.
 */
#ifndef RESMARK_HARNESS_OPTION_VALUES_H
#define RESMARK_HARNESS_OPTION_VALUES_H

#include "harness/algo.h"

/** A whole number in digits of at most `most`; `*end` becomes what follows it. No error text. */
bool option_digits(const char *text, uint64_t most, uint64_t *value, const char **end);

/** A whole number of `low` to `high`, for --`name`. */
bool option_integer(const char *name, const char *text, int low, int high, int *value,
                    struct error *e);

/** One to `most` such numbers, separated by commas. */
bool option_integers(const char *name, const char *text, int low, int high, int *values, int most,
                     int *count, struct error *e);

/** For --seed. */
bool option_seed(const char *text, uint64_t *seed, struct error *e);

/** Thread counts separated by commas, for --threads: `*count` becomes 1 to `most`. */
bool option_threads(const char *text, int *threads, int most, int *count, struct error *e);

/** Names of algorithms separated by commas, each once, for --algo: `algos` has ALGO_COUNT. */
bool option_algos(const char *text, enum algo *algos, int *count, struct error *e);

#endif
