/** Takes memory out of all caches, so that the next to read it finds them cold. */
#ifndef RESMARK_HARNESS_MEASURE_FLUSH_H
#define RESMARK_HARNESS_MEASURE_FLUSH_H

#include <stddef.h>

/** Writes back and evicts every line of these bytes, from the caches of all cores. */
void flush_memory(const void *memory, size_t bytes);

#endif
