/** `resmark kernels --bench`: how fast each kernel is alone, against what the core could do. */
#ifndef RESMARK_HARNESS_KERNEL_BENCH_KERNEL_BENCH_H
#define RESMARK_HARNESS_KERNEL_BENCH_KERNEL_BENCH_H

#include "kernels/table.h"

/** One state of the caches. */
struct kernel_rate {
    double cycles;   /**< of the core's clock, of one call */
    double rate;     /**< GFLOP/s, or GB/s */
    double fraction; /**< of the ceiling */
};

struct kernel_timing {
    const char *unit;        /**< "GFLOP/s", or "GB/s" of a kernel that memory bounds */
    char shape[40];          /**< what a call does, for people */
    struct kernel_rate hot;  /**< all that a call touches is in the nearest cache that holds it */
    struct kernel_rate cold; /**< it is in no cache */
};

/**
 * Measures a kernel on the calling thread, medians of calls. Its ceiling is measured beside it: the
 * chains of FMAs of the same set, also for cold caches, or reading or copying as many bytes with
 * the set's widest loads and stores in the same state of the caches. False when there is no memory.
 */
bool kernel_bench(const struct kernel_set *set, enum kernel_op op, struct kernel_timing *timing);

#endif
