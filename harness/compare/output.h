/** What both ways to compare print. */
#ifndef RESMARK_HARNESS_COMPARE_OUTPUT_H
#define RESMARK_HARNESS_COMPARE_OUTPUT_H

#include "harness/compare/outcome.h"

#include <jansson.h>
#include <stdio.h>

/** Prints what differs, one line each, under `indent`. */
void output_differences(const struct differences *d, const char *indent, FILE *out);

/** The same as a list; NULL when memory runs out. */
json_t *output_differences_json(const struct differences *d);

/** Prints a JSON value, which it releases. False with `e` set: it is NULL, or memory runs out. */
bool output_json(json_t *root, FILE *out, struct error *e);

#endif
