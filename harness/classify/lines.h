/** A text file, line by line. */
#ifndef RESMARK_HARNESS_CLASSIFY_LINES_H
#define RESMARK_HARNESS_CLASSIFY_LINES_H

#include "arch/error.h"

struct lines {
    char *text;
    char **line; /**< [count], without their ends */
    int count;
};

/**
 * Reads a regular file of at most 64 MiB; `what` names its kind in messages. False with `e` set: it
 * cannot be read, or holds a zero byte. lines_free() releases.
 */
bool lines_read(struct lines *lines, const char *path, const char *what, struct error *e);
void lines_free(struct lines *lines);

#endif
