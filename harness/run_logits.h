/** `resmark run --logits`: what other engines' logits are compared with. */
#ifndef RESMARK_HARNESS_RUN_LOGITS_H
#define RESMARK_HARNESS_RUN_LOGITS_H

#include "harness/run.h"

/** Whether the file can be created, as whole_file_check(). False with `e` set. */
bool run_logits_check(const char *path, struct error *e);

/**
 * Computes the network in float64 and writes a JSON object: `network`, `variant`, `classes`,
 * `size`, `isa`, `algo`; `image` [size][size][3], what the network's graph reads; `logits`, those
 * of the contender whose layers are shown; `exact`, those of float64; `bounds`, by which a float32
 * engine may differ from them (oracle.h). False with `e` set.
 */
bool run_logits_write(const struct run *run, const char *path, struct error *e);

#endif
