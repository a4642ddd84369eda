/** `resmark info`: what this machine is, and what resmark can use of it. */
#ifndef RESMARK_HARNESS_CMD_INFO_H
#define RESMARK_HARNESS_CMD_INFO_H

/**
 * Runs `info` with its own arguments, argv[0] being the command's name. Returns the exit status:
 * 0, 1 after a failure, 2 after a usage error, each with one line on stderr.
 */
int cmd_info(int argc, char **argv);

#endif
