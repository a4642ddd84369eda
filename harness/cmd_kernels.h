/** `resmark kernels`: checks every kernel against the scalar one, or lists them. */
#ifndef RESMARK_HARNESS_CMD_KERNELS_H
#define RESMARK_HARNESS_CMD_KERNELS_H

/**
 * Runs the command; argv[0] is its name. Returns the exit status: 0, 1 when a kernel is wrong, 2 on
 * wrong usage.
 */
int cmd_kernels(int argc, char **argv);

#endif
