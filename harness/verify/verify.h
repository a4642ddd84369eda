/** What `resmark verify` was asked for and what it found: shared by its parts. */
#ifndef RESMARK_HARNESS_VERIFY_VERIFY_H
#define RESMARK_HARNESS_VERIFY_VERIFY_H

#include "harness/formats/weights_file.h"
#include "harness/layer_error.h"
#include "harness/machine.h"
#include "harness/tuned_plan.h"
#include "harness/verify/bits.h"
#include "harness/verify/drift.h"
#include "harness/verify/record.h"
#include "harness/verify/weights_check.h"

#include <stdio.h>

/** Most thread counts of one verification. */
#define VERIFY_MAX_THREAD_COUNTS 8

/** Most ways to compute a model: kernel sets times thread counts. */
#define VERIFY_MAX_WAYS (ISA_COUNT * VERIFY_MAX_THREAD_COUNTS)

/** The algorithms that can be asked for, and a tuned plan's. */
#define VERIFY_MAX_MODELS (ALGO_COUNT + 1)

struct verify_options {
    const char *isa; /**< ISAs to keep, comma-separated; NULL: all that are usable */
    enum algo algos[ALGO_COUNT];
    int algo_count;
    int threads[VERIFY_MAX_THREAD_COUNTS];
    int thread_counts;   /**< 0: one, and the default number */
    const char *weights; /**< path of a file with the network; NULL: synthetic */
    const char *network; /**< … of this name */
    int size;            /**< 0: the network's own */
    int batch;
    uint64_t seed;
    const char *layer;   /**< the only one to compare; NULL: all */
    const char *plan;    /**< a tuned plan to verify as well; NULL: none */
    const char *write;   /**< where the record goes; NULL: nowhere */
    const char *against; /**< a record to compare with; NULL: none */
    bool bits_only;      /**< leave float64 out */
    bool json;
};

/** One kernel set on one number of threads. */
struct verify_run {
    const struct kernel_set *set;
    int threads;
    struct bits_result bits;
    struct bits_result specials; /**< the same with special numbers, on a small network */
};

/** One way to choose algorithms: what every layer's values are worth, and who computes them. */
struct verify_model {
    char name[16];
    struct model model; /**< its weights are kept only while it is verified */
    struct bits bits;   /**< of which the first model's snapshot is kept for the others */
    uint64_t *hashes;   /**< of each layer, as the reference computes it */
    struct weights_result weights;
    struct layer_error *alone; /**< of each layer against float64 by itself; NULL: not measured */
    struct drift *drifts;      /**< from the image on; NULL: not measured */
    struct drift *versus;      /**< against the first model; NULL: it is the first */
    struct drift_subject drift;
    int run_count;
    struct verify_run runs[VERIFY_MAX_WAYS];
};

struct verify {
    struct verify_options options;
    struct machine machine;
    struct isa_list isas;
    struct weights_file weights_file; /**< of no path when the weights are synthetic */
    int classes;                      /**< of the network */
    struct team *teams[VERIFY_MAX_THREAD_COUNTS];
    struct team *single; /**< of one thread, for the reference */
    struct tuned_plan plan;
    struct layout layout;
    int only; /**< the step that is compared; -1: all */
    int model_count;
    struct verify_model models[VERIFY_MAX_MODELS];
    struct record record; /**< of this machine */
    struct record other;  /**< of the file to compare with */
};

/** Verifies everything. False with `e` set when it cannot be done: no memory, or a plan that does
 * not fit. What was found is in the models. */
bool verify_measure(struct verify *v, struct error *e);
void verify_free(struct verify *v);

/** The step that computes a model's logits. */
int verify_logits(const struct verify_model *m);

/** The kernel sets by which the models are computed, each on all thread counts: scalar first. */
int verify_sets(const struct verify *v, const struct kernel_set **sets);

/** Whether everything is as it must be; if not, the first failure in words in `e`, and in `again`
 * the command that shows it alone. */
bool verify_verdict(const struct verify *v, char *again, size_t size, struct error *e);

/** Prints the tables for people. */
void verify_print(const struct verify *v, FILE *out);

/** Prints all of it as JSON. False with `e` set. */
bool verify_print_json(const struct verify *v, bool ok, const char *reason, FILE *out,
                       struct error *e);

#endif
