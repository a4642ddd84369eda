/** What `resmark run` was asked for and what it found: shared by its parts. */
#ifndef RESMARK_HARNESS_RUN_H
#define RESMARK_HARNESS_RUN_H

#include "harness/formats/weights_file.h"
#include "harness/layer_error.h"
#include "harness/machine.h"
#include "harness/measure/bench.h"
#include "harness/tuned_plan.h"

#include <stdint.h>
#include <stdio.h>

/** Most thread counts, batches and numbers of instances that one run compares. */
#define RUN_MAX_THREAD_COUNTS 16
#define RUN_MAX_BATCHES 16
#define RUN_MAX_INSTANCE_COUNTS 16

/** Most models: one for each algorithm and batch, and the tuned one. */
#define RUN_MAX_MODELS (ALGO_COUNT * RUN_MAX_BATCHES + 1)

/** What is measured when the options leave it open. */
enum scenario {
    SCENARIO_LATENCY,    /**< one image at a time */
    SCENARIO_THROUGHPUT, /**< a batch at a time */
    SCENARIO_INSTANCES,  /**< independent engines on all cores */
    SCENARIO_SWEEP,      /**< threads x batch x instances, and which is best */
    SCENARIO_COUNT,
};

/** "latency", "throughput", "instances" or "sweep". */
const char *scenario_name(enum scenario scenario);

struct run_options {
    const char *image;   /**< path; NULL: the built-in picture */
    const char *isa;     /**< ISAs to keep, comma-separated; NULL: all that are usable */
    const char *weights; /**< path of a file with the network; NULL: synthetic */
    const char *logits;  /**< path of a file for them; NULL: none */
    const char *json;    /**< path of the result file; NULL: none */
    const char *resume;  /**< path of an interrupted run's; NULL: begin anew */
    int threads[RUN_MAX_THREAD_COUNTS];
    int thread_counts; /**< 0: the default */
    enum algo algos[ALGO_COUNT];
    int algo_count;      /**< 0: the default */
    const char *network; /**< NULL when a weights file says which; then `classes` and … */
    int classes;
    bool no_softmax; /**< the network ends in its logits */
    int size;        /**< … this are 0 at first: of the network's square input */
    enum scenario scenario;
    int batches[RUN_MAX_BATCHES];
    int batch_count; /**< 0: the scenario's default */
    int instances[RUN_MAX_INSTANCE_COUNTS];
    int instance_counts; /**< 0: the scenario's default */
    uint64_t seed;
    double max_time;  /**< seconds of measuring for each contender */
    double precision; /**< width of the median's interval over the median, to end earlier */
    bool errors;      /**< measure every layer against float64 */
    bool tune;
    double tune_time;      /**< seconds for each ISA on each thread count */
    const char *tune_file; /**< where a tuned plan goes; NULL: nowhere */
    const char *plan_file; /**< a tuned plan to use; NULL: none */
    bool retune;           /**< make it anew when it does not fit */
    int given;             /**< how many options there were */
};

struct run {
    struct run_options options;
    struct machine machine;
    struct isa_list isas;
    struct weights_file weights_file; /**< of no path when the weights are synthetic */
    int image_width, image_height;    /**< of the picture before preprocessing */
    int model_count;
    /** Of the batches times the algorithms in the options; then the tuned one, of the first batch.
     */
    struct model models[RUN_MAX_MODELS];
    struct layer_error *errors[RUN_MAX_MODELS]; /**< [model][step]; NULL when not measured */
    struct tuned_plan tuned;                    /**< of no convolution when nothing is tuned */
    struct layout layouts[RUN_MAX_BATCHES];
    struct team *teams[RUN_MAX_THREAD_COUNTS]; /**< of the options' thread counts */
    struct bench bench;
    int argument_count;
    char **arguments; /**< as given */
    bool interrupted;
    double tune_ms;          /**< tuning; no part of start_ms */
    double weights_check_ms; /**< recognising and checking the weights file */
    double weights_ms;       /**< making, folding and packing the weights */
    size_t peak_bytes;       /**< of memory, until every contender has run once */
    double start_ms; /**< from the program's start to the end of the first image on the best ISA */
};

/** Where the weights come from: the file, or the seed. */
struct param_source run_source(const struct run *run);

/** The contender whose layers are shown: the best ISA, the last algorithm, on the most threads. */
const struct contender *run_shown(const struct run *run);

/** Seconds since the run began; those of what is resumed come before. */
double run_elapsed_s(const struct run *run);

/** The name by which a step goes in tables: its node's, without the suffix "_fwd". */
const char *run_step_name(const struct run *run, int step, char name[48]);

/** Characters of the longest of these names. */
int run_name_width(const struct run *run);

/** Of the rows measured in this run, the one with most images a second, or with the least latency;
 * NULL when there is none. */
const struct contender *run_best_throughput(const struct run *run);
const struct contender *run_best_latency(const struct run *run);

/** Whether a contender was measured before an interruption. */
bool run_is_measured(const struct contender *c);

/** Prints the tables for people. */
void run_print(const struct run *run, FILE *out);

/**
 * Whether a result file can be created at `path`, so that nobody learns it after minutes of
 * measuring. What is there and no regular file, such as a device or a link, is never replaced.
 * False with `e` set.
 */
bool run_check_json(const char *path, struct error *e);

/**
 * Writes the result file (design: Google Benchmark's schema and a `resmark` object) beside its name
 * and renames it, so that it is whole or not there. False with `e` set.
 */
bool run_write_json(const struct run *run, const char *path, struct error *e);

#endif
