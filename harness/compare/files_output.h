/** What a comparison of result files found, for people and for programs. */
#ifndef RESMARK_HARNESS_COMPARE_FILES_OUTPUT_H
#define RESMARK_HARNESS_COMPARE_FILES_OUTPUT_H

#include "harness/compare/compare_files.h"

#include <stdio.h>

/** Prints tables: of every layer for one file, of a line for each row for several. */
void files_print(const struct file_comparison *c, const struct file_options *o, FILE *out);

/** Prints one JSON object. False with `e` set: no memory. */
bool files_print_json(const struct file_comparison *c, const struct file_options *o, FILE *out,
                      struct error *e);

#endif
