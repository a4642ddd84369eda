/** One turn of a contender: a few repetitions with all that is recorded beside them. */
#ifndef RESMARK_HARNESS_MEASURE_TURN_H
#define RESMARK_HARNESS_MEASURE_TURN_H

#include "harness/measure/bench.h"

/**
 * Measures the FMA ceiling and the clock on the contender's cores, then runs it as often as fits
 * some hundredths of a second (once with cold caches), and adds all that to the series. False with
 * `e` set when memory runs out, or when the last of these runs has computed other logits than the
 * contender's first.
 */
bool turn_run(struct bench *bench, struct contender *c, enum series_kind kind, struct error *e);

/** Judges a series that has been summarised. */
void turn_judge(const struct bench *bench, struct contender *c, enum series_kind kind);

#endif
