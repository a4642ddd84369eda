/**
 * A plan: a model bound to a kernel set and to memory for a batch, its loops cut for this machine's
 * caches. The engine runs it.
 */
#ifndef RESMARK_HARNESS_PLAN_H
#define RESMARK_HARNESS_PLAN_H

#include "arch/topology.h"
#include "harness/model.h"
#include "kernels/bilinear.h"
#include "kernels/conv.h"

/** How the loops of a convolution are cut; which of the two counts, its algorithm says. */
struct step_blocking {
    struct conv_blocking conv;
    struct bilinear_blocking bilinear;
};

struct plan_step {
    enum node_kind kind;
    int node; /**< in the network, whose name the step goes by */
    const char *kernel_name;
    double macs;    /**< of the whole batch, by direct convolution */
    int units[2];   /**< pieces that may run in any order, in two phases */
    enum algo algo; /**< of a convolution: which of the next two is set */
    struct conv conv;
    struct bilinear bilinear;
    float *scratch;   /**< of a convolution: of all threads, plan_scratch_stride() apart; NULL: the
                         engine's own */
    struct tensor in; /**< of every other step */
    struct tensor sum, act; /**< what is stored */
    const struct step_weights *weights;
};

struct plan {
    const struct model *model;
    const struct kernel_set *set;
    const struct layout *layout; /**< plans that never run at the same time may share it */
    const struct topology *topology;
    int threads;
    int batch;
    int step_count;
    bool scratch_apart; /**< so that nothing but values is written where values lie */
    struct plan_step *steps;
    size_t scratch_floats; /**< of each thread */
    size_t shared_floats;  /**< of all threads together, for Winograd */
    struct memory shared;
};

/** Makes a plan for so many threads; model and layout must outlive it. False with `e` set;
 * plan_free() releases. */
bool plan_make(struct plan *plan, const struct model *model, const struct kernel_set *set,
               const struct layout *layout, const struct topology *topology, int threads,
               struct error *e);
void plan_free(struct plan *plan);

/**
 * Cuts the loops of all convolutions as `blockings` says, one for each in the steps' order, instead
 * of as blocking.h does. Not under an engine. False with `e` set.
 */
bool plan_cut(struct plan *plan, const struct step_blocking *blockings, struct error *e);

/**
 * Binds a step anew: to a model of the same network, whose algorithms may be others, and to a
 * blocking (NULL: what blocking.h says). For trying alternatives: the step that was there may be
 * kept and put back. plan_map() has to follow before anything runs.
 */
void plan_bind(struct plan *plan, int step, const struct model *model,
               const struct step_blocking *blocking);

/** Maps the memory that the threads share, for whichever was bound that needs most, and places the
 * steps in it, as plan_place() does. */
bool plan_map(struct plan *plan, struct error *e);

/**
 * Says for each step where its scratch and the tiles that its threads share are: in the memory of a
 * value that a step before has needed last, if that is more likely in cache than what bilinear
 * algorithms have for themselves; not with `scratch_apart`, behind a change of which this has to
 * follow.
 */
void plan_place(struct plan *plan);

/** Floats from a thread's scratch to the next one's, of which each needs at most so many: whole
 * cache lines, on pages of their own. */
size_t plan_scratch_stride(size_t floats);

/** Output of the dense layer: channels are the classes. */
const struct tensor *plan_logits(const struct plan *plan);

/** Output of the last step: the probabilities, or the logits of a network without softmax. */
const struct tensor *plan_output(const struct plan *plan);

#endif
