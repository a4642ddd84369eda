/** The result files that arguments name: files, and what is in directories. */
#ifndef RESMARK_HARNESS_RESULT_RESULT_LIST_H
#define RESMARK_HARNESS_RESULT_RESULT_LIST_H

#include "arch/error.h"

#include <stddef.h>

struct result_list {
    size_t count, capacity;
    char **paths;
};

/**
 * Adds a path; of a directory, all files directly in it whose names end in .json, sorted by name.
 * False with `e` set: the directory cannot be read or has none, or no memory. result_list_free()
 * releases.
 */
bool result_list_add(struct result_list *list, const char *path, struct error *e);
void result_list_free(struct result_list *list);

#endif
