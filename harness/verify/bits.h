/**
 * Whether different ways to compute a model give the same bits: kernel sets, thread counts and
 * blockings against one of them, the reference, in every value of every layer and in all memory
 * around them.
 */
#ifndef RESMARK_HARNESS_VERIFY_BITS_H
#define RESMARK_HARNESS_VERIFY_BITS_H

#include "harness/engine.h"
#include "harness/verify/difference.h"
#include "harness/verify/snapshot.h"

/** A way to compute. */
struct bits_way {
    const struct kernel_set *set;
    struct team *team;
    const struct step_blocking *blockings; /**< for plan_cut(); NULL: as blocking.h says */
};

/** A model, the memory in which it is computed, and what the reference made of it. */
struct bits {
    const struct model *model;
    const struct layout *layout;
    const struct topology *topology;
    int only; /**< the one step that is compared; -1: all */
    /** Called behind each step and with -1 before the first, when all has been looked at: may write
     * the inputs of the next step. The same for all ways; NULL: none. */
    void (*feed)(void *context, const struct plan *plan, int step);
    void *feed_context;
    struct bits_way reference;
    struct snapshot snapshot; /**< of the reference */
    uint64_t memory_hash;     /**< of all of the layout's memory behind its run */
    float *image;             /**< the input in the layout, with its border, for every run anew */
};

/** What one way made of it. */
struct bits_result {
    uint64_t *hashes; /**< of each step */
    int equal;        /**< steps of the same bits */
    int first;        /**< the first step of other bits; -1: none */
    bool in_sum;      /**< the difference is that of the sum, not of what is made of it */
    struct difference difference; /**< of `first`, as are the next two */
    enum pattern_kind kind;
    char where[192];   /**< pattern_describe() */
    bool stray;        /**< all steps are equal, and yet memory outside of them is not, … */
    int stray_step;    /**< … first behind this one */
    int faulty_thread; /**< one that computes otherwise than it should behind the run; -1: none */
    const char *fault; /**< how */
};

/**
 * Runs the reference. The image is in the layout already; `bits` has its first five members (and
 * may have `feed`), and this sets the others. False with `e` set; bits_free() releases.
 */
bool bits_make(struct bits *bits, const struct bits_way *reference, struct error *e);
void bits_free(struct bits *bits);

/**
 * Runs a way and compares. Each run begins with memory of zeros and the image, so that nothing an
 * earlier one has computed can stand in for what this one leaves out. False with `e` set when there
 * is no memory; bits_result_free() releases.
 */
bool bits_run(const struct bits *bits, const struct bits_way *way, struct bits_result *result,
              struct error *e);
void bits_result_free(struct bits_result *result);

/** Whether everything is as it must be. */
bool bits_result_ok(const struct bits_result *result);

#endif
