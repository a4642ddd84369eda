/**
 * A record as a JSON file: `format` and `version`; `resmark_version`, `compiler`, `cpu` and
 * `architecture` for people; `network`, with size, batch and seed; `models`, one for each choice of
 * algorithms, with a list of layers (name, algo, channels, height, width, hashes, 4 hexadecimal
 * digits for each band, 8 for each sample) and of runs (isa, threads, and `hashes` of the layers
 * where one of them is not the layer's).
 */
#ifndef RESMARK_HARNESS_VERIFY_RECORD_FILE_H
#define RESMARK_HARNESS_VERIFY_RECORD_FILE_H

#include "harness/verify/record.h"

#include <jansson.h>

/** The record as it is written; NULL when memory runs out. The caller releases it. */
json_t *record_json(const struct record *record);

/** Writes a record, whole or not at all. False with `e` set. */
bool record_file_write(const struct record *record, const char *path, struct error *e);

/** Reads a record; record_free() releases it. False with `e` set. */
bool record_file_read(struct record *record, const char *path, struct error *e);

/** The same for a file's bytes that are in memory already. `name` is what messages call it. */
bool record_decode(struct record *record, const char *bytes, size_t size, const char *name,
                   struct error *e);

#endif
