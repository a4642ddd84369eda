/** What sysfs says about how the CPU's clock is set. */
#ifndef RESMARK_HARNESS_MEASURE_CLOCK_POLICY_H
#define RESMARK_HARNESS_MEASURE_CLOCK_POLICY_H

#include "harness/measure/verdict.h"

/** Reads the policy of a CPU (OS index); `root` is put before every path. */
void clock_policy_read(struct clock_policy *policy, const char *root, int cpu);

#endif
