/** Errors as one line of text for the person at the terminal. */
#ifndef RESMARK_ARCH_ERROR_H
#define RESMARK_ARCH_ERROR_H

#include <stdbool.h>

/** What went wrong, where, and what to do about it, in one line without a newline. */
struct error {
    char text[512];
};

/**
 * Formats a message into `e` (cut at its size; control characters become '?', so that a hostile
 * file name cannot write to the terminal). Always returns false, so that a failing function can
 * end in `return error_set(e, …)`.
 */
bool error_set(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
