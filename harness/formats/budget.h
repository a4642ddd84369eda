/**
 * An allowance of memory for parsers of strangers' files, so that a small file that claims much
 * cannot take the machine's memory. One parser at a time, in one thread.
 */
#ifndef RESMARK_HARNESS_FORMATS_BUDGET_H
#define RESMARK_HARNESS_FORMATS_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

/** From now on budget_malloc() gives at most the file's size, and a constant for small files. */
void budget_begin(size_t file_size);

/** malloc() and free() within the allowance; NULL beyond it. free() serves the blocks as well. */
void *budget_malloc(size_t size);
void budget_free(void *block);

/** Whether something was refused since the beginning. */
bool budget_exceeded(void);

#endif
