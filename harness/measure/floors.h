/** The roofline of a layer: the least time in which these cores could compute it. */
#ifndef RESMARK_HARNESS_MEASURE_FLOORS_H
#define RESMARK_HARNESS_MEASURE_FLOORS_H

#include "harness/measure/ceilings.h"
#include "harness/plan.h"

struct floors {
    double arithmetic_ms; /**< 0 for a layer without multiply-adds */
    double bytes;         /**< weights, inputs and outputs, each once */
    double bytes_ms;      /**< 0 when no bandwidth is known */
    int level; /**< of the bandwidth that binds, as in ceilings.h; 0 when none is known */
};

/** Multiply-adds that a step's algorithm needs: for F(m x m, 3x3) 9 m^2 / (m + 2)^2 times fewer. */
double floors_macs(const struct plan_step *step);

/** Bytes of a step's weights and of the values that it reads and writes, for the whole batch. */
void floors_bytes(const struct plan *plan, int step, double *weights, double *values);

/**
 * The floors of a step. Arithmetic: what it needs at `gflops`. Bytes: everything passes through L1;
 * and of the weights, which all others follow before they are needed again, a level that is smaller
 * than all of them (`all_weights` bytes) can at best have kept its own size, so the rest comes from
 * behind it; so does what of the layer's values does not fit. The slowest of these binds.
 */
struct floors floors_of(const struct plan *plan, int step, double gflops, double all_weights,
                        const struct ceilings *ceilings, const struct topology *topology);

#endif
