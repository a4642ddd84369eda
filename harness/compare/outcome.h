/** What a comparison says, and what makes it doubtful. */
#ifndef RESMARK_HARNESS_COMPARE_OUTCOME_H
#define RESMARK_HARNESS_COMPARE_OUTCOME_H

#include "arch/error.h"

/** Of the second thing over the first. */
enum outcome {
    OUTCOME_SAME,
    OUTCOME_FASTER,
    OUTCOME_SLOWER,
    OUTCOME_SUSPECT, /**< it would be faster or slower, but something else was measured, too */
    OUTCOME_UNKNOWN, /**< there was nothing to judge by */
};

/** "no difference", "faster", "slower", "suspect", or "-". */
const char *outcome_name(enum outcome outcome);

/** Faster or slower by a ratio of times that is known to differ from 1. */
enum outcome outcome_of(double ratio);

/** In what two things differ besides their speed. */
struct difference {
    bool refused; /**< they cannot be compared, unless --force is given */
    char what[64];
    char values[2][160];
};

struct differences {
    int count, capacity;
    struct difference *list;
};

/** Notes two texts under `what` unless they are equal. False with `e` set: no memory. */
bool differences_text(struct differences *d, bool refused, const char *what, const char *first,
                      const char *second, struct error *e);
bool differences_number(struct differences *d, bool refused, const char *what, double first,
                        double second, struct error *e);

/** False with `e` set, naming them, if any of them is refused and `force` is false. */
bool differences_allow(const struct differences *d, bool force, struct error *e);
void differences_free(struct differences *d);

#endif
