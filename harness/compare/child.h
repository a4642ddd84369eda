/** A child process that answers lines with lines. */
#ifndef RESMARK_HARNESS_COMPARE_CHILD_H
#define RESMARK_HARNESS_COMPARE_CHILD_H

#include "arch/error.h"

#include <stddef.h>
#include <sys/types.h>

struct child {
    const char *program;
    pid_t pid;                   /**< 0: none */
    int to, from, complaints;    /**< its stdin, stdout and stderr */
    char *line;                  /**< what has been read, [capacity] */
    size_t begin, end, capacity; /**< of what has not been given out yet */
};

/**
 * Starts a program, found as the shell would, with a NULL-terminated argument list. False with `e`
 * set. child_end() releases, whatever happened.
 */
bool child_start(struct child *child, const char *program, char *const *arguments, struct error *e);

/** Writes a text to its stdin. False with `e` set, to its own complaint when it has ended. */
bool child_tell(struct child *child, const char *text, struct error *e);

/**
 * The next line of its stdout, without the newline, valid until the next call. NULL with `e` set:
 * it has ended (then `e` has its last complaint), says nothing for two minutes, a line is longer
 * than a MiB, or a signal came.
 */
char *child_line(struct child *child, struct error *e);

/** Closes its stdin, which ends it, and waits; after ten seconds kills it. */
void child_end(struct child *child);

#endif
