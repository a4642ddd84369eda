/**
 * The innermost loop of oracle_conv.h: sums of a few output channels over a few pixels. One source,
 * built once for each instruction set: how many pixels one instruction takes is all that differs.
 * The operations of a pixel, all in double, and their order are the same, and so are the bits.
 */
#ifndef RESMARK_HARNESS_ORACLE_SUMS_H
#define RESMARK_HARNESS_ORACLE_SUMS_H

#include "arch/isa.h"

#include <stddef.h>

enum {
    ORACLE_GROUP = 4, /**< output channels; their sums fit the registers of every ISA */
    ORACLE_CHUNK = 8, /**< pixels */
};

struct oracle_sums {
    double value[ORACLE_GROUP][ORACLE_CHUNK];
    double chain[ORACLE_GROUP][ORACLE_CHUNK]; /**< of the squares of `value` after each tap */
    double spread[ORACLE_GROUP][ORACLE_CHUNK];
};

/** One element of the filters of a group. */
struct oracle_tap {
    size_t at; /**< where its inputs for the first pixel lie; those of the others follow */
    double weight[ORACLE_GROUP];
    double spread[ORACLE_GROUP];
};

/**
 * For each tap, in order: value += weight x, chain += value^2, spread += tap's spread times y, with
 * the chunk's inputs at x[at] and y[at]. The first `chunk` pixels are added.
 */
typedef void oracle_sums_add(struct oracle_sums *sums, const struct oracle_tap *taps, size_t count,
                             const double *x, const double *y);

/** NULL for an ISA that this build has none for. ISA_SCALAR's runs on every CPU. */
oracle_sums_add *oracle_sums_get(enum isa isa);

/** The fastest that this CPU may use, within RESMARK_ISA. */
oracle_sums_add *oracle_sums_best(void);

#endif
