/** `resmark compare`: whether one thing is faster than another, from result files or live. */
#ifndef RESMARK_HARNESS_COMPARE_CMD_COMPARE_H
#define RESMARK_HARNESS_COMPARE_CMD_COMPARE_H

/**
 * Runs `compare` with its own arguments, argv[0] being the command's name. Returns the exit status:
 * 0 whatever the verdict, 1 after a failure, 2 after a usage error, each with one line on stderr.
 */
int cmd_compare(int argc, char **argv);

#endif
