/** `resmark run`: a network on every usable ISA, layer by layer. */
#ifndef RESMARK_HARNESS_CMD_RUN_H
#define RESMARK_HARNESS_CMD_RUN_H

/**
 * Runs `run` with its own arguments, argv[0] being the command's name. Returns the exit status:
 * 0; 1 after a failure or when two ISAs disagree; 2 after a usage error. Each error is one line on
 * stderr.
 */
int cmd_run(int argc, char **argv);

#endif
