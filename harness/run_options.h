/** The arguments of `resmark run`. */
#ifndef RESMARK_HARNESS_RUN_OPTIONS_H
#define RESMARK_HARNESS_RUN_OPTIONS_H

#include "harness/run.h"

/** What arguments ask for. */
enum run_parsed { RUN_PARSED_RUN, RUN_PARSED_HELP, RUN_PARSED_ERROR };

/** The text of --help. */
extern const char run_options_help[];

/** Reads the arguments, argv[0] being the command's name; `e` is set with RUN_PARSED_ERROR. */
enum run_parsed run_options_parse(int argc, char **argv, struct run_options *o, struct error *e);

#endif
