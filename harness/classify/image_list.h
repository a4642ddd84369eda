/** Which images are to be classified. */
#ifndef RESMARK_HARNESS_CLASSIFY_IMAGE_LIST_H
#define RESMARK_HARNESS_CLASSIFY_IMAGE_LIST_H

#include "arch/error.h"

struct image_list {
    char **paths;
    int count, capacity;
};

/**
 * Appends a path; of a directory the JPEG and PNG files in it, by the ends of their names, in the
 * order of their names. Whether a path leads to a picture, its reader finds out: so a directory in
 * which there is none is appended itself. False with `e` set: no memory.
 */
bool image_list_add(struct image_list *list, const char *path, struct error *e);

/** Appends what the lines of a file name; empty lines are left out. False with `e` set. */
bool image_list_add_file(struct image_list *list, const char *path, struct error *e);

void image_list_free(struct image_list *list);

#endif
