/** All that the steps of a plan have stored, kept beyond the run: later steps reuse its memory. */
#ifndef RESMARK_HARNESS_VERIFY_SNAPSHOT_H
#define RESMARK_HARNESS_VERIFY_SNAPSHOT_H

#include "harness/plan.h"

/** Of one step; data is NULL where nothing is stored. */
struct snapshot_step {
    struct tensor sum, act;
    uint64_t hash; /**< of both: hash_outputs() */
};

struct snapshot {
    int steps;
    int batch;
    struct snapshot_step *step;
    struct memory memory; /**< the values one behind the other, [N][C/16][H][W][16] each */
};

/** Takes memory for all steps of a model in a layout. False with `e` set; snapshot_free() releases.
 */
bool snapshot_make(struct snapshot *snapshot, const struct model *model,
                   const struct layout *layout, struct error *e);
void snapshot_free(struct snapshot *snapshot);

/** Copies what a step has just stored; an engine_hook with the snapshot as its context. */
void snapshot_take(void *context, const struct plan *plan, int step);

/** What a step passes on: its act, or its sum where that is all it stores. */
const struct tensor *snapshot_output(const struct snapshot_step *step);

#endif
