/** Compares what two machines computed. */
#ifndef RESMARK_HARNESS_VERIFY_AGAINST_H
#define RESMARK_HARNESS_VERIFY_AGAINST_H

#include "harness/verify/record.h"

#include <stdio.h>

/** Where the first difference of two models lies. */
enum against_kind {
    AGAINST_EQUAL,
    AGAINST_OTHER_LAYERS,  /**< other names or shapes: another network */
    AGAINST_OTHER_PLAN,    /**< a layer is computed by another algorithm */
    AGAINST_OTHER_WEIGHTS, /**< packed before anything was computed */
    AGAINST_OTHER_VALUES,  /**< the layer's, by the reference */
    AGAINST_OTHER_RUN,     /**< the reference's agree, but not those of a kernel set of the other */
};

struct against_result {
    enum against_kind kind;
    int layer;     /**< the first that differs */
    int run;       /**< of the other record, with AGAINST_OTHER_RUN */
    char how[320]; /**< which values differ, for people; empty when equal */
    int equal;     /**< layers that agree in the reference's values */
};

/** Compares one model as two machines computed it. */
struct against_result against_compare(const struct record_model *here,
                                      const struct record_model *there);

/** The model of a name, or NULL. */
const struct record_model *against_find(const struct record *record, const char *name);

/**
 * Prints a row for each model of the other machine (`out` may be NULL). False with the first
 * difference in `e`; a model that this machine has not computed is one.
 */
bool against_report(const struct record *here, const struct record *there, FILE *out,
                    struct error *e);

#endif
