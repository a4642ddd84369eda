/**
 * A build that is slower than it need be, on purpose: with -Dslowdown=PERCENT, every run of a
 * network takes that much more time. scripts/compare-trust measures with it whether comparisons
 * find such a slowdown. Without the option nothing of it is there.
 */
#ifndef RESMARK_HARNESS_SLOWDOWN_H
#define RESMARK_HARNESS_SLOWDOWN_H

#include <stdbool.h>
#include <stdint.h>

/** The CPU time of this thread, in nanoseconds, for slowdown_end(); 0 without the option. */
uint64_t slowdown_begin(void);

/**
 * Spins until this thread has used so many percent more of CPU time than it had since
 * slowdown_begin(). False without the option.
 */
bool slowdown_end(uint64_t begin_ns);

#endif
