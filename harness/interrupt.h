/**
 * Being stopped: by Ctrl-C (SIGINT), by kill, timeout or a service manager (SIGTERM), by a terminal
 * that is closed (SIGHUP).
 */
#ifndef RESMARK_HARNESS_INTERRUPT_H
#define RESMARK_HARNESS_INTERRUPT_H

#include <signal.h>

/**
 * From now on the first signal of each of these kinds but sets what is returned, and breaks off a
 * system call that waits; the second of a kind kills. A kind that was ignored from the start stays
 * so (nohup).
 */
const volatile sig_atomic_t *interrupt_watch(void);

/** From now on they do nothing. */
void interrupt_ignore(void);

#endif
