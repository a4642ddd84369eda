/** Reads and copies memory with an ISA's widest loads and stores: what bandwidth is measured by. */
#ifndef RESMARK_HARNESS_MEASURE_STREAM_H
#define RESMARK_HARNESS_MEASURE_STREAM_H

#include "arch/isa.h"

#include <stddef.h>

/** Buffers are aligned to 64 bytes and hold a multiple of so many floats. */
#define STREAM_FLOATS 128

/** Loads `floats` floats, eight vectors at a time; nothing is computed with them. */
typedef void stream_read_fn(const float *from, size_t floats);

/** Copies with ordinary stores, as the kernels have them: a line is fetched before it is written.
 */
typedef void stream_copy_fn(const float *from, float *to, size_t floats);

struct stream {
    stream_read_fn *read;
    stream_copy_fn *copy;
};

/** The functions of an ISA that this machine can use. */
struct stream stream_get(enum isa isa);

#endif
