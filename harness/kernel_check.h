/**
 * Checks a kernel against the scalar one, bit for bit: all sizes modulo the register tile, every
 * variant of the contract in kernels/kernels.h, numbers that are special, and memory that tells
 * when it is touched outside of what the contract allows.
 */
#ifndef RESMARK_HARNESS_KERNEL_CHECK_H
#define RESMARK_HARNESS_KERNEL_CHECK_H

#include "arch/error.h"
#include "kernels/table.h"

struct kernel_check_options {
    uint64_t seed;     /**< of the numbers and layouts: the same seed, the same cases */
    int limit_seconds; /**< a check that takes longer has hung */
    bool in_process;   /**< do without a process of its own: a crash ends the caller */
    bool quick;        /**< fewer combinations of the same sizes, for emulators */
};

struct kernel_check_result {
    bool ok;
    bool isolated;     /**< it ran in a process of its own */
    bool finished;     /**< it came to its end: it neither crashed nor hung */
    long cases;        /**< executed */
    char at[320];      /**< the case that was executed last */
    char problem[320]; /**< what is wrong in it; empty when ok */
    char text[1024];   /**< all of that for people, in lines, with how to see it again */
};

/**
 * Checks one kernel of a set, in a process of its own, so that a crash is a result. Returns
 * result->ok. Where no process can be made, it says so in result->isolated and checks in this one.
 */
bool kernel_check(const struct kernel_set *set, enum kernel_op op,
                  const struct kernel_check_options *options, struct kernel_check_result *result);

/** The name of a set's kernel. */
const char *kernel_check_name(const struct kernel_set *set, enum kernel_op op);

#endif
