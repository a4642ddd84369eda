/** Order statistics of repeated measurements. */
#ifndef RESMARK_HARNESS_MEASURE_STATS_H
#define RESMARK_HARNESS_MEASURE_STATS_H

/** Of a set of samples, in their unit. */
struct summary {
    int count;
    double median;
    double ci_low, ci_high;      /**< 95 % interval of the median; the extremes below 6 samples */
    double p50, p90, p99, p99_9; /**< nearest rank */
    double min, max;
    int outliers; /**< further from the quartiles than 3 interquartile ranges */
};

/**
 * Summarises `count` >= 1 samples, which it sorts. The interval is distribution-free: of the order
 * statistics, those between which the median lies with at least 95 % by the binomial distribution
 * (Conover, Practical Nonparametric Statistics, 3.2). The fences of outliers are Tukey's outer ones
 * (Exploratory Data Analysis, 2D); outliers stay in every figure.
 */
struct summary summarize(double *samples, int count);

/** The sample of nearest rank: the smallest with at least `share` (0..1) of all at or below it. */
double quantile(const double *sorted, int count, double share);

/**
 * The rank, from 1, of the sample that lies with at least 97.5 % at or above the quantile of
 * `share` (between 0 and 1) of what `count` samples are drawn from, whatever its distribution
 * (Conover, 3.2); `count` where no sample is that high.
 */
int quantile_rank_above(int count, double share);

/** Width of the interval over the median; 0 when the median is. */
double summary_width(const struct summary *summary);

#endif
