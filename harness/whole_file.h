/** Small text files that are whole or not there: results and plans. */
#ifndef RESMARK_HARNESS_WHOLE_FILE_H
#define RESMARK_HARNESS_WHOLE_FILE_H

#include "arch/error.h"

#include <stddef.h>

/**
 * Whether a file can be created at `path`, so that nobody learns it after minutes of measuring.
 * What is there and no regular file, such as a device or a link, is never replaced. False with `e`
 * set, in which `what` names the file's kind ("result file").
 */
bool whole_file_check(const char *path, const char *what, struct error *e);

/** Writes a text and a newline beside the file's name and renames it. False with `e` set. */
bool whole_file_write(const char *path, const char *what, const char *text, struct error *e);

/**
 * Reads a regular file of at most `limit` bytes. NULL with `e` set; otherwise the caller frees the
 * bytes, of which there are `*size`.
 */
char *whole_file_read(const char *path, const char *what, size_t limit, size_t *size,
                      struct error *e);

#endif
