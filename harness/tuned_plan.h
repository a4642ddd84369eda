/**
 * What tuning found: which algorithm each convolution of a network gets, how its loops are cut on
 * each ISA and number of threads, and for which network and machine that was measured.
 */
#ifndef RESMARK_HARNESS_TUNED_PLAN_H
#define RESMARK_HARNESS_TUNED_PLAN_H

#include "harness/machine.h"
#include "harness/plan.h"

/** Most ISAs times numbers of threads in a plan. */
#define TUNED_MAX_CUTS 64

/** Most convolutions of a plan. */
#define TUNED_MAX_CONVS 1024

/** The network that a plan is for. */
struct tuned_network {
    char name[48], variant[32];
    int classes, size, batch;
    int steps;
    uint64_t hash; /**< of the graph */
};

/** The machine that a plan is for. */
struct tuned_machine {
    char cpu[64];
    int family, model, stepping;
    size_t caches[CACHE_LEVELS]; /**< bytes; 0 where there is none */
    int allowed_cores;
};

/** How long a convolution took by the rule's choice and by the plan's: the least of runs in turns,
 * in microseconds. */
struct tuned_time {
    double rule_us, tuned_us;
};

/** The plan for one ISA on one number of threads. */
struct tuned_cut {
    enum isa isa;
    int threads;
    struct step_blocking *blockings; /**< of each convolution, as is `times` */
    struct tuned_time *times;
};

/** The convolutions are those of the steps, in their order. */
struct tuned_plan {
    char resmark_version[32]; /**< that made it */
    struct tuned_network network;
    struct tuned_machine machine;
    int conv_count;
    char (*names)[48];
    enum algo *algos;
    int cut_count;
    struct tuned_cut cuts[TUNED_MAX_CUTS];
};

/**
 * An empty plan for a network on a machine: all convolutions direct, no cuts. False with `e` set;
 * tuned_plan_free() releases, whatever made it.
 */
bool tuned_plan_make(struct tuned_plan *plan, const struct network *net, const struct steps *steps,
                     int batch, const struct machine *machine, struct error *e);
void tuned_plan_free(struct tuned_plan *plan);

/** Adds a cut of which everything is zero, for the caller to fill. NULL with `e` set. */
struct tuned_cut *tuned_plan_add(struct tuned_plan *plan, enum isa isa, int threads,
                                 struct error *e);

/** The cut for an ISA and a number of threads, or NULL. */
const struct tuned_cut *tuned_plan_find(const struct tuned_plan *plan, enum isa isa, int threads);

/** Whether a plan is for this network on this machine. False with the first difference in `e`. */
bool tuned_plan_fits(const struct tuned_plan *plan, const struct network *net,
                     const struct steps *steps, int batch, const struct machine *machine,
                     struct error *e);

#endif
