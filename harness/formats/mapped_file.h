/** A file's bytes in memory, without a copy of them. */
#ifndef RESMARK_HARNESS_FORMATS_MAPPED_FILE_H
#define RESMARK_HARNESS_FORMATS_MAPPED_FILE_H

#include "arch/error.h"

#include <stddef.h>

/** Read-only; the pages belong to the system's cache, so they take no memory of this process. */
struct mapped_file {
    const unsigned char *bytes; /**< NULL: not open, or an empty file */
    size_t size;
};

/** False with `e` set: what is at `path` cannot be read or is no regular file. */
bool mapped_file_open(struct mapped_file *file, const char *path, struct error *e);
void mapped_file_close(struct mapped_file *file);

/**
 * Gives back the memory of the pages that lie wholly in a range of the file. They may still be
 * read: that fetches them again.
 */
void mapped_bytes_drop(const void *bytes, size_t size);

/** A SHA-256 in the making; sha256_end() releases it, also after a failure. */
struct sha256 {
    struct evp_md_ctx_st *context;
};

bool sha256_begin(struct sha256 *hash, struct error *e);

/** Takes a whole file in, and gives its pages' memory back. */
bool sha256_add(struct sha256 *hash, const struct mapped_file *file, struct error *e);

/** As sha256sum prints it. */
bool sha256_end(struct sha256 *hash, char text[65], struct error *e);

#endif
