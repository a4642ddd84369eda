/** `resmark plan`: shows a plan file. */
#ifndef RESMARK_HARNESS_CMD_PLAN_H
#define RESMARK_HARNESS_CMD_PLAN_H

/**
 * Runs `plan` with its own arguments, argv[0] being the command's name. Returns the exit status:
 * 0; 1 when the file cannot be read; 2 after a usage error. Each error is one line on stderr.
 */
int cmd_plan(int argc, char **argv);

#endif
