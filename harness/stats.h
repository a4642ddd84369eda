/** Order statistics of repeated measurements. */
#ifndef RESMARK_HARNESS_STATS_H
#define RESMARK_HARNESS_STATS_H

/** Of a set of samples, in their unit. */
struct summary {
    int count;
    double median;
    double ci_low, ci_high; /**< 95 % interval of the median; the extremes below 6 samples */
    double p99;             /**< nearest rank */
    double min;
};

/**
 * Summarises `count` >= 1 samples, which it sorts. The interval is distribution-free: of the order
 * statistics, those between which the median lies with at least 95 % by the binomial distribution
 * (Conover, Practical Nonparametric Statistics, 3.2).
 */
struct summary summarize(double *samples, int count);

#endif
