/**
 * Two builds of resmark compared live: one process of each runs an image in turn with the other,
 * on the same cores, who goes first decided by chance for each pair, until the verdict is clear.
 */
#ifndef RESMARK_HARNESS_COMPARE_LIVE_H
#define RESMARK_HARNESS_COMPARE_LIVE_H

#include "harness/compare/outcome.h"
#include "harness/compare/side.h"

#include <signal.h>

/** By which clock the networks are compared; layers always are by the wall clock. */
enum live_clock {
    LIVE_CLOCK_AUTO, /**< CPU time on one thread, where it is the wall clock's less what others
                        took of the core; else the wall clock */
    LIVE_CLOCK_WALL,
    LIVE_CLOCK_CPU,
};

struct live_options {
    const char *programs[2];
    char *const *arguments; /**< for `sample`, NULL-terminated */
    double max_time;        /**< seconds */
    int max_pairs;          /**< PAIRED_MIN to PAIRED_MAX */
    int restarts;           /**< how often both processes are started anew, 1 to
                               LIVE_MAX_RESTARTS */
    double margin;          /**< share: a difference that is certainly smaller is none */
    enum live_clock clock;
    bool force;                        /**< compare what does not run the same */
    const volatile sig_atomic_t *stop; /**< not 0: give the verdict that there is */
    /** Called before each pair. */
    void (*progress)(int pairs, double seconds);
};

#define LIVE_MAX_RESTARTS 100

/** Why it ended. */
enum live_end { LIVE_CLEAR, LIVE_MAX_TIME, LIVE_MAX_PAIRS, LIVE_INTERRUPTED };

/** Time of the second over time of the first. */
struct live_ratio {
    double ms[2]; /**< medians */
    double ratio, low, high;
    double p; /**< of a layer: adjusted */
    enum outcome outcome;
};

struct live_result {
    struct side_subject subjects[2];
    bool cpu_clock;
    enum live_end end;
    int pairs;
    double seconds;
    struct live_ratio total;   /**< interval: 96 % over all looks (repeated confidence interval) */
    struct live_ratio other;   /**< by the other clock, for information; interval as above */
    int layer_count;           /**< 0: the two have not the same layers */
    struct live_ratio *layers; /**< interval: 95 % each */
    struct differences differences;
};

/**
 * Compares. False with `e` set; live_free() releases, whatever happened.
 *
 * The verdict on the whole is a group-sequential test: at 1/16, 1/8, 1/4, 1/2 and all of the time
 * or pairs there is a look, which spends its part of the error (5, 10, 15, 20, 50 %) on a
 * signed-rank test of the logarithms of the paired ratios. The sum bounds the error whatever the
 * looks have to do with each other (Jennison, Turnbull, Group Sequential Methods, 2000, chapters 7
 * and 9). It ends at the first look that finds a difference, or whose interval lies within the
 * margin. The layers share a fifth of the error, and are tested once, with that look's part.
 *
 * Two processes of one build differ in speed as long as they live, by which pages their memory got:
 * the whole has to differ by more than 0.3 %, a layer by more than 25 %, for a verdict. Restarts
 * draw that anew.
 */
bool live_compare(struct live_result *result, const struct live_options *options, struct error *e);
void live_free(struct live_result *result);

#endif
