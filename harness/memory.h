/** Large memory: page-backed, zeroed, in huge pages where the kernel grants them. */
#ifndef RESMARK_HARNESS_MEMORY_H
#define RESMARK_HARNESS_MEMORY_H

#include "arch/error.h"

#include <stddef.h>

struct memory {
    float *data; /**< aligned to 2 MiB */
    size_t floats;
    void *mapping;
    size_t mapped_bytes;
};

/** Zeroed memory for `what` (named in the error). False with `e` set when there is not enough. */
bool memory_map(struct memory *memory, size_t floats, const char *what, struct error *e);
void memory_unmap(struct memory *memory);

/** Peak resident memory of this process so far, in bytes; 0 when the system does not tell. */
size_t memory_peak_bytes(void);

#endif
