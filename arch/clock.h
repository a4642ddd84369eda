/** Time, the CPU's own counter, and the clock at which a core really runs. */
#ifndef RESMARK_ARCH_CLOCK_H
#define RESMARK_ARCH_CLOCK_H

#include <stdint.h>

/** Nanoseconds since some fixed moment, never going back. */
uint64_t clock_ns(void);

/**
 * The CPU's counter (TSC, or CNTVCT_EL0), read after everything before it has finished and before
 * anything after it begins. It ticks at a rate of its own, not at the core's clock.
 */
uint64_t clock_ticks(void);

/** Ticks a second of clock_ticks(), measured against clock_ns() in about 20 ms of spinning. */
double clock_tick_hz(void);

/**
 * Cycles a second of the core that this thread runs on, now, from a chain of additions that each
 * wait for the one before: one a cycle on every core of either architecture. Takes about half a
 * millisecond and does not warm the core up: after idling it reports the clock of an idle core.
 */
double clock_core_hz(void);

#endif
