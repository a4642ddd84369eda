/** The arguments of `resmark verify`. */
#ifndef RESMARK_HARNESS_VERIFY_OPTIONS_H
#define RESMARK_HARNESS_VERIFY_OPTIONS_H

#include "harness/verify/verify.h"

/** What arguments ask for. */
enum verify_parsed { VERIFY_PARSED_RUN, VERIFY_PARSED_HELP, VERIFY_PARSED_ERROR };

/** The text of --help. */
extern const char verify_options_help[];

/** Reads the arguments, argv[0] being the command's name; `e` is set with VERIFY_PARSED_ERROR. */
enum verify_parsed verify_options_parse(int argc, char **argv, struct verify_options *o,
                                        struct error *e);

#endif
