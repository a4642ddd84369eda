/** `resmark verify`: all kernel sets, thread counts and algorithms compute the same network. */
#ifndef RESMARK_HARNESS_CMD_VERIFY_H
#define RESMARK_HARNESS_CMD_VERIFY_H

/** Returns the exit status: 0 when all agrees, 1 when not or when it cannot be done, 2 for usage.
 */
int cmd_verify(int argc, char **argv);

#endif
