/**
 * Whether a figure can be trusted, as a pure function of what was recorded while it was measured.
 */
#ifndef RESMARK_HARNESS_MEASURE_VERDICT_H
#define RESMARK_HARNESS_MEASURE_VERDICT_H

#include "harness/measure/conditions.h"
#include "harness/measure/stats.h"

#include <stdbool.h>

/** Most reasons, and most notes. */
#define VERDICT_MAX_REASONS 16

/** Why a measurement ended. */
enum ended_by { ENDED_BY_PRECISION, ENDED_BY_MAX_TIME, ENDED_BY_REPETITIONS, ENDED_BY_INTERRUPT };

/** What a machine says about its clock; each may be unknown. */
struct clock_policy {
    char governor[32]; /**< "" when unknown */
    int turbo;         /**< 1, 0; -1 when unknown */
    int smt;           /**< 1, 0; -1 when unknown */
};

/** All that was recorded of one measurement. */
struct evidence {
    const char *label; /**< what to ask `resmark run` for again: "--isa avx2 --threads 2" */
    struct summary ms; /**< of all repetitions */
    struct summary early, late;            /**< of the first and the second half of them, in time */
    double clock_p5, clock_p50, clock_p95; /**< Hz beside the repetitions; 0 when unknown */
    double precision;                      /**< asked width of the interval over the median */
    double max_time_s;
    enum ended_by ended_by;
    double floor_ms;        /**< at the highest ceiling measured beside it; 0 when unknown */
    const char *over_layer; /**< a layer faster than its own such floor, or NULL */
    double over_share;      /**< its floor over its time */
    int threads;            /**< all instances' */
    struct conditions conditions;
    struct clock_policy policy;
};

struct reason {
    const char *code;    /**< as in results/FORMAT.md */
    char text[160];      /**< what was seen */
    char advice[300];    /**< what to do */
    double value, limit; /**< what was measured, and from where on it counts */
};

enum verdict_kind { VERDICT_VALID, VERDICT_SUSPECT, VERDICT_INVALID };

struct verdict {
    enum verdict_kind kind;
    int reason_count;
    struct reason reasons[VERDICT_MAX_REASONS];
    int note_count; /**< notes tell, and leave a figure VALID */
    struct reason notes[VERDICT_MAX_REASONS];
};

/** Judges; what is unknown is never a reason. */
void verdict_judge(const struct evidence *evidence, struct verdict *verdict);

/** "VALID", "SUSPECT" or "INVALID". */
const char *verdict_name(enum verdict_kind kind);

/** "precision", "max_time", "repetitions" or "interrupted". */
const char *ended_by_name(enum ended_by ended_by);

#endif
