/**
 * A plan: a network bound to a kernel set and to memory for a batch, its loops cut for this
 * machine's caches. The engine runs it.
 */
#ifndef RESMARK_HARNESS_PLAN_H
#define RESMARK_HARNESS_PLAN_H

#include "arch/topology.h"
#include "harness/layout.h"
#include "harness/weights.h"
#include "kernels/conv.h"

/** A network with its weights: what all plans of it share. Must outlive them. */
struct model {
    struct network net;
    struct steps steps;
    struct weights weights;
};

/**
 * Builds a network and packs its parameters on all threads of the team. False with `e` set;
 * model_free() releases.
 */
bool model_make(struct model *model, const char *network, int classes, int size,
                const struct param_source *source, struct team *team, struct error *e);
void model_free(struct model *model);

struct plan_step {
    enum node_kind kind;
    int node; /**< in the network, whose name the step goes by */
    const char *kernel_name;
    double macs;            /**< of the whole batch */
    int units;              /**< pieces that the engine may run in any order */
    struct conv conv;       /**< NODE_CONV */
    struct tensor in;       /**< the others */
    struct tensor sum, act; /**< what is stored */
    const struct step_weights *weights;
};

struct plan {
    const struct model *model;
    const struct kernel_set *set;
    const struct layout
        *layout; /**< where the activations are; plans that never run at once share it */
    int batch;
    int step_count;
    struct plan_step *steps;
    size_t scratch_floats; /**< of each thread */
};

/** Makes a plan; the model and the layout must outlive it. False with `e` set; plan_free()
 * releases. */
bool plan_make(struct plan *plan, const struct model *model, const struct kernel_set *set,
               const struct layout *layout, const struct topology *topology, struct error *e);
void plan_free(struct plan *plan);

/** The network's input in a layout, its border already zero: filled before a run, kept by it. */
const struct tensor *model_image(const struct model *model, const struct layout *layout);

/** Output of the dense layer: channels are the classes. */
const struct tensor *plan_logits(const struct plan *plan);

/** Output of the last step: the probabilities. */
const struct tensor *plan_output(const struct plan *plan);

#endif
