/** The arguments of `resmark compare`. */
#ifndef RESMARK_HARNESS_COMPARE_COMPARE_OPTIONS_H
#define RESMARK_HARNESS_COMPARE_COMPARE_OPTIONS_H

#include "harness/compare/compare_files.h"
#include "harness/compare/live.h"
#include "harness/result/result_list.h"

struct compare_options {
    bool help, json, is_live;
    struct live_options live;
    struct file_options files;
    struct result_list paths; /**< of result files, the base first */
};

/** The text of --help. */
extern const char compare_options_help[];

/**
 * Reads the arguments, argv[0] being the command's name, and lists directories. Returns the exit
 * status: 0, or 1 or 2 with `e` set. result_list_free() releases `paths`, whatever happened.
 */
int compare_options_parse(int argc, char **argv, struct compare_options *o, struct error *e);

#endif
