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

/**
 * Student's t-test of `count` >= 1 estimates, each of another start of the programs: what is the
 * same all through a start (which pages its memory got) or for a part of it (what others do
 * meanwhile) is no chance of the single pair, and shows in how the starts differ. `p` is of a
 * difference no larger than `tolerance`. One estimate alone says nothing: `p` is 1, and the
 * interval all numbers (-HUGE_VAL to HUGE_VAL).
 */
struct paired starts_test(const double *estimates, int count, double tolerance, double confidence);

/** Numbers in `scratch`. */
#define PAIRED_SCRATCH(count) ((size_t)(count) * ((size_t)(count) + 1) / 2)

/** The probability of a standard normal variable further from 0 than |z|. */
double normal_two_sided(double z);

/** The z that it exceeds in absolute value with probability `p`, 0 < p < 1. */
double normal_critical(double p);

/**
 * The probability of Student's t with `freedom` >= 1 degrees further from 0 than |t| (Abramowitz
 * and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4).
 */
double student_two_sided(double t, int freedom);

/** The t that it exceeds in absolute value with probability `p`, 0 < p < 1. */
double student_critical(double p, int freedom);

#endif
