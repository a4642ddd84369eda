/**
 * What else happened on the machine while something was measured, from the system's counters: read
 * before and behind it, and the difference summed over all repetitions.
 */
#ifndef RESMARK_HARNESS_MEASURE_CONDITIONS_H
#define RESMARK_HARNESS_MEASURE_CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>

/** Sums over the repetitions. NAN is what the system does not tell. */
struct conditions {
    double measured_s;
    double steal_s;     /**< taken by the hypervisor from the CPUs used, summed over them, … */
    double others_s;    /**< … by other processes and the kernel, … */
    double own_s;       /**< … and used by this process */
    double sibling_s;   /**< busy time of the SMT siblings of the CPUs used, when they are not */
    double elsewhere_s; /**< busy time of all other CPUs */
    double involuntary; /**< context switches of this process that it did not ask for */
    double throttles;   /**< thermal throttling events of the CPUs used */
    double quota_throttled; /**< periods in which the control group ran out of CPU time */
    int displaced;          /**< threads found on another CPU than theirs, summed */
    int unpinned;           /**< threads that the system refused to pin */
    int cpus;               /**< used */
};

/** What the CPUs of a measurement are to the reader. */
enum cpu_role { CPU_ROLE_ELSEWHERE, CPU_ROLE_SIBLING, CPU_ROLE_USED };

/** CPUs above are counted as none of ours. */
#define CONDITIONS_MAX_CPUS 8192

struct conditions_reader {
    const char *root; /**< before every path: "" on a machine, a fake /proc and /sys in a test */
    int cpus;         /**< used */
    uint8_t role[CONDITIONS_MAX_CPUS]; /**< enum cpu_role, by OS index */
};

/** The counters at one moment. */
struct counters {
    uint64_t ns;
    double steal_s, used_s, sibling_s, elsewhere_s;
    double own_s;
    double involuntary, throttles, quota_throttled;
};

/** Prepares to watch the measurement of `count` threads pinned to `used` (OS indices; -1 skipped).
 */
void conditions_watch(struct conditions_reader *reader, const char *root, const int *used,
                      int count);

/** Reads all counters; those that are not there become NAN. */
void conditions_read(const struct conditions_reader *reader, struct counters *counters);

/** Adds what happened between two readings. */
void conditions_add(struct conditions *sum, const struct conditions_reader *reader,
                    const struct counters *before, const struct counters *after);

/** Shares of the time of the CPUs used, and cores kept busy by others; NAN when not known. */
double conditions_steal_share(const struct conditions *c);
double conditions_others_share(const struct conditions *c);
double conditions_sibling_share(const struct conditions *c);
double conditions_elsewhere_cores(const struct conditions *c);

#endif
