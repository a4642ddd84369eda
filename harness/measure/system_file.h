/** Small files of /proc and /sys, none of which has to be there. */
#ifndef RESMARK_HARNESS_MEASURE_SYSTEM_FILE_H
#define RESMARK_HARNESS_MEASURE_SYSTEM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Opens root + path for reading; NULL when it cannot. */
FILE *system_file_open(const char *root, const char *path);

/** The first line without its end, cut at the size. False, and "", when there is none. */
bool system_file_read(const char *root, const char *path, char *line, size_t size);

/** The finite number at the start of the file. */
bool system_file_number(const char *root, const char *path, double *value);

#endif
