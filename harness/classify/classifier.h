/** A network from a weights file, ready to classify batches of images on one ISA. */
#ifndef RESMARK_HARNESS_CLASSIFY_CLASSIFIER_H
#define RESMARK_HARNESS_CLASSIFY_CLASSIFIER_H

#include "harness/engine.h"
#include "harness/formats/weights_file.h"
#include "harness/machine.h"

struct classifier_options {
    const char *weights; /**< path */
    const char *isa;     /**< of which the best is taken; NULL: all that are usable */
    enum algo algo;      /**< of the 3x3 convolutions */
    int threads;         /**< 0: one for each core */
    int size;            /**< of the square images; 0: as the network was published for */
    int batch;
};

struct classifier {
    struct machine machine;
    const struct kernel_set *set;
    int threads, size, batch;
    enum algo algo;
    struct weights_file file;
    struct team *team;
    struct model model;
    struct layout layout;
    struct plan plan;
    struct engine engine;
};

/**
 * Looks at the machine and opens the file: what may be wrong with the request is found out here.
 * Returns 0, or an exit status with `e` set: 1 for failure, 2 for wrong usage; classifier_free()
 * releases in any case.
 */
int classifier_open(struct classifier *c, const struct classifier_options *o, struct error *e);

/** Starts the team, which pins the thread that calls, and packs the weights. False with `e` set. */
bool classifier_start(struct classifier *c, struct error *e);

/** Makes [size][size][3] floats image i of the batch. */
void classifier_set(struct classifier *c, int i, const float *pixels);

/** Classifies the batch. */
void classifier_run(struct classifier *c);

/** Probabilities of the classes for image i of the batch, until the next run. */
const float *classifier_output(const struct classifier *c, int i);

void classifier_free(struct classifier *c);

#endif
