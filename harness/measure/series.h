/** The repetitions of one measurement, in the order in which they were taken. */
#ifndef RESMARK_HARNESS_MEASURE_SERIES_H
#define RESMARK_HARNESS_MEASURE_SERIES_H

#include "arch/error.h"
#include "harness/measure/conditions.h"
#include "harness/measure/verdict.h"

#include <stddef.h>
#include <stdint.h>

/** Most repetitions of a series, which bounds its memory. */
#define SERIES_MAX_REPETITIONS 20000

/** One repetition. */
struct sample {
    double ms;
    double gflops;   /**< FMA ceiling of all cores used, just before it */
    double clock_hz; /**< mean of those cores, just before it */
    double at_s;     /**< when it began, since the run's start */
};

struct series {
    int steps; /**< layers that are timed in each repetition */
    int count, capacity;
    struct sample *samples; /**< [count] */
    float *step_ms;         /**< [count][steps] */
    struct conditions conditions;
    double spent_s; /**< with all that was done beside the repetitions */
    double busy_s;  /**< from the first repetition's start to the last one's end, turn by turn */
    double images;  /**< computed in that time, by all instances */
    double joules;  /**< used in that time; NAN when not known */
    int next_check; /**< count at which the interval is looked at again */
    bool ended;
    enum ended_by ended_by; /**< once `ended` */
};

/** What a series says, once it has ended. */
struct series_summary {
    struct summary ms;
    struct summary early, late;       /**< of the first and second half */
    double gflops_median, gflops_max; /**< of the ceilings */
    double clock_min, clock_p5, clock_p50, clock_p95, clock_max; /**< Hz */
    double images_per_s;                                         /**< in busy_s */
    struct summary *steps;                                       /**< [steps], ms */
    struct summary *relative; /**< [steps], ms x GFLOP/s beside it: 10^6 operations */
};

/** Adds a repetition with the nanoseconds of its steps. False with `e` set. */
bool series_add(struct series *series, const struct sample *sample, const uint64_t *step_ns,
                struct error *e);

/**
 * Whether the series is at its end, and by what: its interval is as narrow as `precision`, its time
 * is spent, or it is full. The interval is looked at when the count has grown by a tenth, so that
 * chance gets few tries to end it early.
 */
void series_check(struct series *series, double precision, double max_time_s);

/** Summarises at least one repetition. False with `e` set; series_summary_free() releases. */
bool series_summarize(const struct series *series, struct series_summary *summary, struct error *e);
void series_summary_free(struct series_summary *summary);
void series_free(struct series *series);

#endif
