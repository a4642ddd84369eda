/** `resmark networks`: lists the networks and what they amount to. */
#ifndef RESMARK_HARNESS_CMD_NETWORKS_H
#define RESMARK_HARNESS_CMD_NETWORKS_H

/** Runs the command; argv[0] is its name. Returns the exit status: 0, 1 for failure, 2 for usage.
 */
int cmd_networks(int argc, char **argv);

#endif
