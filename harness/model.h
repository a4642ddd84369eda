/** A network with its weights, ready for any kernel set. */
#ifndef RESMARK_HARNESS_MODEL_H
#define RESMARK_HARNESS_MODEL_H

#include "harness/layout.h"
#include "harness/weights.h"

/** What is benchmarked unless something else is asked for. */
#define MODEL_DEFAULT_NETWORK "resnet50_v2"
#define MODEL_DEFAULT_CLASSES 1000
#define MODEL_DEFAULT_SIZE 224

/** Of the network's input: what network_build() takes. */
#define MODEL_MIN_SIZE 32
#define MODEL_MAX_SIZE 4096
#define MODEL_MAX_CLASSES 100000

/** Most images at a time. */
#define MODEL_MAX_BATCH 1024

/** What a model is to be. */
struct model_options {
    const char *network;
    int classes, size;
    int batch;         /**< for which the algorithms are chosen */
    enum algo request; /**< algo_choose() is asked with it for each convolution */
    bool no_softmax;   /**< ends in the logits */
};

/** The weights are packed for the algorithms that the steps were given. */
struct model {
    enum algo request;
    bool tuned; /**< the algorithms are not those of the request */
    struct network net;
    struct steps steps;
    struct weights weights;
};

/** Builds the graph alone. False with `e` set; network_free() releases. */
bool model_network(struct network *net, const struct model_options *options, struct error *e);

/**
 * Builds a network and packs its parameters on all threads of the team. False with `e` set;
 * model_free() releases.
 */
bool model_make(struct model *model, const struct model_options *options,
                const struct param_source *source, struct team *team, struct error *e);

/**
 * The same with an algorithm for each convolution, in the steps' order, instead of the request's.
 * Each has to serve.
 */
bool model_make_tuned(struct model *model, const struct model_options *options,
                      const enum algo *algos, const struct param_source *source, struct team *team,
                      struct error *e);
void model_free(struct model *model);

/** What its algorithms go by: "tuned", or the name of the request. */
const char *model_algo_name(const struct model *model);

/** The name by which a step goes in tables: its node's short one. */
const char *model_step_name(const struct model *model, int step, char name[48]);

/** The network's input in a layout, its border already zero: filled before a run, kept by it. */
const struct tensor *model_image(const struct model *model, const struct layout *layout);

#endif
