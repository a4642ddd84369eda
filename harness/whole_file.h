/** Files that are whole or not there: results, plans, exported networks; and regular files to read.
 */
#ifndef RESMARK_HARNESS_WHOLE_FILE_H
#define RESMARK_HARNESS_WHOLE_FILE_H

#include "arch/error.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

/**
 * Whether a file can be created at `path`, so that nobody learns it after minutes of measuring.
 * What is there and no regular file, such as a device or a link, is never replaced. False with `e`
 * set, in which `what` names the file's kind ("result file").
 */
bool whole_file_check(const char *path, const char *what, struct error *e);

/** A file in the making, beside the name that it will take. */
struct whole_file {
    const char *path, *what; /**< not owned */
    char part[PATH_MAX];
    FILE *stream; /**< to be written to; its errors are found at the end */
};

/** Begins a file; whole_file_end() has to follow. False with `e` set: nothing was begun. */
bool whole_file_begin(struct whole_file *file, const char *path, const char *what, struct error *e);

/**
 * Gives the file its name if `ok` and all writing has succeeded; otherwise nothing is left of it.
 * False without a file; `e` is set unless it was for `ok`, whose error the caller has.
 */
bool whole_file_end(struct whole_file *file, bool ok, struct error *e);

/** Writes a text and a newline beside the file's name and renames it. False with `e` set. */
bool whole_file_write(const char *path, const char *what, const char *text, struct error *e);

/**
 * Opens a regular file of at most `limit` bytes for reading, without waiting for the other end of a
 * FIFO. The descriptor, or -1 with `e` set.
 */
int whole_file_open(const char *path, const char *what, size_t limit, size_t *size,
                    struct error *e);

/**
 * Reads a regular file of at most `limit` bytes. NULL with `e` set; otherwise the caller frees the
 * bytes, of which there are `*size`.
 */
char *whole_file_read(const char *path, const char *what, size_t limit, size_t *size,
                      struct error *e);

#endif
