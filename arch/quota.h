/** How much CPU time the control group of this process grants, and how many threads that feeds. */
#ifndef RESMARK_ARCH_QUOTA_H
#define RESMARK_ARCH_QUOTA_H

#include <stdbool.h>

/**
 * The tightest CPU quota on the way from the control group of this process up to its root, cgroup
 * v1 and v2 alike, in cores (1.5 is 150 ms of CPU time in 100 ms). `root` is put before every path
 * that is read: "" on a machine, a directory with a fake /proc and /sys in a test. False when
 * nothing limits the process, or when there is nothing to read; a broken file counts as no limit.
 */
bool quota_read(const char *root, double *cores);

/**
 * How often the groups on that way ran out of their CPU time so far (nr_throttled in cpu.stat),
 * summed. False when no group tells.
 */
bool quota_throttled(const char *root, double *periods);

/**
 * The threads to run when the user does not say: one for each allowed core, but no more than the
 * quota (0 for none) can feed, rounded up, and at least one. More would be throttled in the
 * middle of a layer and make the others wait.
 */
int quota_default_threads(int allowed_cores, double quota);

#endif
