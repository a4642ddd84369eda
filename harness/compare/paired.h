/** What pairs of measurements, taken one next to the other, say about their ratio. */
#ifndef RESMARK_HARNESS_COMPARE_PAIRED_H
#define RESMARK_HARNESS_COMPARE_PAIRED_H

/** Fewest pairs for which the normal approximation below serves. */
#define PAIRED_MIN 16

/** Most pairs: the estimate looks at all averages of two of them. */
#define PAIRED_MAX 2000

/** Of a set of paired differences. */
struct paired {
    double estimate;  /**< Hodges and Lehmann's: the median of all averages of two */
    double low, high; /**< interval of the confidence asked for */
    double p;         /**< two-sided, of a difference that is 0 */
};

/**
 * Wilcoxon's signed-rank test and the estimate that belongs to it (Hollander, Wolfe, Chicken,
 * Nonparametric Statistical Methods, 3.1 to 3.3, normal approximation). Where nothing but chance
 * decided which of a pair came first and the two are the same thing, every sign is a coin toss
 * and the test holds whatever the machine did meanwhile, however unlike the pairs are.
 *
 * `differences` are `count` numbers, PAIRED_MIN to PAIRED_MAX; `scratch` has room for count *
 * (count + 1) / 2; `confidence` is such as 0.95.
 */
struct paired paired_test(const double *differences, int count, double confidence, double *scratch);

/** Numbers in `scratch`. */
#define PAIRED_SCRATCH(count) ((size_t)(count) * ((size_t)(count) + 1) / 2)

/** The probability of a standard normal variable further from 0 than |z|. */
double normal_two_sided(double z);

/** The z that it exceeds in absolute value with probability `p`, 0 < p < 1. */
double normal_critical(double p);

#endif
