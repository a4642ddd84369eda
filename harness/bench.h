/**
 * Measures plans side by side: every contender (a kernel set on a number of threads) runs the same
 * images once to be hashed layer by layer, and then in turns with the others, each repetition next
 * to a measurement of its FMA ceiling on the same cores.
 */
#ifndef RESMARK_HARNESS_BENCH_H
#define RESMARK_HARNESS_BENCH_H

#include "harness/engine.h"
#include "harness/measure/stats.h"

#include <signal.h>

/** Most kernel sets times algorithms times thread counts in one run. */
#define BENCH_MAX_CONTENDERS 64

/** One kernel set on one team, by one model's algorithms. */
struct contender {
    const struct model *model;
    const struct kernel_set *set;
    struct team *team;
    struct plan plan;
    struct engine engine;
    double first_ms;  /**< the first run, nothing warm */
    uint64_t *hashes; /**< of each step's output: of act and sum joined where both are stored */
    uint64_t logits_hash;
    int repetitions; /**< to be measured */
    int done;
    double *total_ms;     /**< [repetitions] */
    double *step_ms;      /**< [step][repetitions] */
    double *ceiling;      /**< GFLOP/s, [repetitions] */
    struct summary total; /**< these three once bench_run() has returned */
    struct summary *steps;
    double ceiling_median; /**< GFLOP/s */
};

struct bench {
    const struct layout *layout; /**< for all models, which are of one network */
    const struct topology *topology;
    int count;
    struct contender contenders[BENCH_MAX_CONTENDERS];
    double
        budget_s; /**< measuring time for each contender: repetitions are at least 3, at most 200 */
    /** Called before every run of a contender, with the share of the work that is done (0..1). */
    void (*progress)(const struct contender *contender, double share);
    uint64_t first_end_ns;             /**< clock_ns() when the first of all runs ended */
    const volatile sig_atomic_t *stop; /**< not 0: finish early, with what there is */
};

/**
 * Adds a contender; model and team must outlive the bench, `blockings` are for plan_cut(), or
 * NULL. False with `e` set.
 */
bool bench_add(struct bench *bench, const struct model *model, const struct kernel_set *set,
               struct team *team, const struct step_blocking *blockings, struct error *e);

/**
 * Runs everything, the last contender first. False with `e` set when memory runs out, or when it
 * was stopped before each contender was measured once.
 */
bool bench_run(struct bench *bench, struct error *e);
void bench_free(struct bench *bench);

/** Operations of direct convolution, 2 a MAC, in GFLOP/s. */
double bench_gflops(double macs, double ms);

/**
 * Of the contenders of one model, the first one with other bits in this step than one before it, or
 * -1 when all agree. `*with`, if not NULL, becomes the one it differs from.
 */
int bench_disagreement(const struct bench *bench, const struct model *model, int step, int *with);

#endif
