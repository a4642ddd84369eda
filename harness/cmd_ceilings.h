/** `resmark ceilings`: what the cores of this machine could do at most. */
#ifndef RESMARK_HARNESS_CMD_CEILINGS_H
#define RESMARK_HARNESS_CMD_CEILINGS_H

/**
 * Runs `ceilings` with its own arguments, argv[0] being the command's name. Returns the exit
 * status: 0, 1 after a failure, 2 after a usage error, each with one line on stderr.
 */
int cmd_ceilings(int argc, char **argv);

#endif
