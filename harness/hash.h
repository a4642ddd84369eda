/** Hashes of tensors, equal where the bits are equal. */
#ifndef RESMARK_HARNESS_HASH_H
#define RESMARK_HARNESS_HASH_H

#include "kernels/tensor.h"

#include <stdint.h>

/**
 * XXH3 (64 bits) over the floats inside the border of the first `batch` images, in the order in
 * which they lie in memory, as little-endian words. All NaNs count as the same one, because their
 * payload depends on the hardware.
 */
uint64_t hash_tensor(const struct tensor *t, int batch);

/** Both hashes in one, in order; for a step that stores two values. */
uint64_t hash_join(uint64_t a, uint64_t b);

/** What a step stores: the hash of `sum` or `act`, or of both joined; data is NULL for none. */
uint64_t hash_outputs(const struct tensor *sum, const struct tensor *act, int batch);

#endif
