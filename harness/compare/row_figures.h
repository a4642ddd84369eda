/** What the repetitions of a row of a result file say of its time, however much others disturbed.
 */
#ifndef RESMARK_HARNESS_COMPARE_ROW_FIGURES_H
#define RESMARK_HARNESS_COMPARE_ROW_FIGURES_H

#include "arch/error.h"
#include "harness/result/result.h"

/** A figure with its 95 % interval; 0, 0, 0: not known. */
struct figure {
    double value, low, high;
};

struct row_figures {
    struct figure absolute;   /**< the median, ms */
    struct figure normalised; /**< of the fastest repetitions, ms x GFLOP/s of the ceiling */
    struct figure cycles;     /**< of the fastest repetitions, 10^6; not known in version 1 */
    double disturbance;       /**< logarithm of median over fastest, both normalised; 0 or more */
    double per_cycle;         /**< operations a cycle of the ceiling; 0: not known */
    const char *spoiled;      /**< the code of why the fastest may be disturbed, or NULL */
};

/**
 * Disturbances only ever add to the time of a fixed work, so that the fastest repetitions say what
 * the program takes, and the median what the machine was like (Chen and Revels, Robust benchmarking
 * in noisy environments, IEEE HPEC 2016): the figures are of the 1 % quantile of the times, times
 * the 99 % quantile of the ceilings or clocks, which disturbances lower. The interval ends at the
 * fastest repetition, and above with the distribution-free bound of that quantile, but at the fifth
 * at least.
 *
 * Where a repetition is shorter than the time for which a system leaves a program its core, others
 * on the core do not spoil it: enough repetitions lie between. There the fastest have to agree
 * ("not_settled" otherwise). Longer or few repetitions are spoiled by what the run's verdict says.
 *
 * `beside`: use the ceilings beside the repetitions, and not their median over the run, which is
 * all that version 1 has. False with `e` set: no memory.
 */
bool row_figures_make(struct row_figures *figures, const struct result_row *row, bool beside,
                      struct error *e);

/** Whether the row has the ceilings beside its repetitions. */
bool row_figures_beside(const struct result_row *row);

#endif
