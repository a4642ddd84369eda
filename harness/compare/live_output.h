/** What a live comparison found, for people and for programs. */
#ifndef RESMARK_HARNESS_COMPARE_LIVE_OUTPUT_H
#define RESMARK_HARNESS_COMPARE_LIVE_OUTPUT_H

#include "harness/compare/live.h"

#include <stdio.h>

/** Prints the tables. */
void live_print(const struct live_result *result, const struct live_options *options, FILE *out);

/** Prints one JSON object. False with `e` set: no memory. */
bool live_print_json(const struct live_result *result, const struct live_options *options,
                     FILE *out, struct error *e);

#endif
