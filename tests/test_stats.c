/* Order statistics against published tables and by coverage. */
#include "harness/measure/stats.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdint.h>

/* 1 to count in an order that is not sorted. */
static struct summary summarize_numbers(int count)
{
    double samples[1000];
    for (int i = 0; i < count; i++)
        samples[(i * 7 + 3) % count] = i + 1;
    return summarize(samples, count);
}

/* The ranks of 95 % intervals of the median: Conover, table A3 with p = 1/2. */
Test(stats, interval_is_between_the_ranks_of_the_tables)
{
    const struct {
        int count, low, high;
    } known[] = {{6, 1, 6}, {9, 2, 8}, {12, 3, 10}, {20, 6, 15}, {30, 10, 21}, {100, 40, 61}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct summary s = summarize_numbers(known[i].count);
        cr_expect_eq(s.ci_low, known[i].low, "%d samples: from %g", known[i].count, s.ci_low);
        cr_expect_eq(s.ci_high, known[i].high, "%d samples: to %g", known[i].count, s.ci_high);
    }
}

Test(stats, too_few_samples_give_the_extremes)
{
    struct summary one = summarize((double[]){5}, 1), two = summarize((double[]){7, 3}, 2);
    cr_expect(one.median == 5 && one.ci_low == 5 && one.ci_high == 5 && one.p99_9 == 5);
    cr_expect(two.median == 5 && two.ci_low == 3 && two.ci_high == 7 && two.outliers == 0);
}

Test(stats, quantiles_are_of_nearest_rank)
{
    struct summary s = summarize_numbers(1000);
    cr_expect(s.p50 == 500 && s.median == 500.5);
    cr_expect(s.p90 == 900 && s.p99 == 990 && s.p99_9 == 999, "%g %g %g", s.p90, s.p99, s.p99_9);
    cr_expect(s.min == 1 && s.max == 1000);
    cr_expect_eq(summarize_numbers(100).p99_9, 100);
}

Test(stats, outliers_are_counted_and_kept)
{
    double samples[] = {10, 11, 10, 11, 10, 11, 10, 20, 11, 10, 13};
    struct summary s = summarize(samples, 11);
    cr_expect_eq(s.outliers, 1, "%d", s.outliers);
    cr_expect(s.max == 20 && s.count == 11);
}

static double next_uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Of a skewed distribution with a known median: what "distribution-free" promises. */
Test(stats, interval_covers_the_median_19_times_in_20)
{
    enum { TRIALS = 4000, SAMPLES = 40 };
    uint64_t state = 1;
    int covered = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double samples[SAMPLES];
        for (int i = 0; i < SAMPLES; i++)
            samples[i] = -log(1 - next_uniform(&state));
        struct summary s = summarize(samples, SAMPLES);
        covered += s.ci_low <= log(2) && log(2) <= s.ci_high;
    }
    /* 40 samples, ranks 14 and 27: 96.15 %. */
    cr_expect(covered > TRIALS * 0.95 && covered < TRIALS * 0.975, "%d of %d", covered, TRIALS);
}

/* By the cumulative binomial distribution: of 400 at 1 %, 8 or fewer lie below with 97.9 %, 7 or
 * fewer with 95.0 %; of 20 at 50 % the median's interval of the tables again. */
Test(stats, ranks_above_a_quantile)
{
    const struct {
        int count;
        double share;
        int rank;
    } known[] = {{400, 0.01, 9}, {100, 0.01, 4}, {20, 0.01, 2},         {1, 0.01, 1},
                 {20, 0.5, 15},  {3, 0.9, 3},    {1000000, 0.01, 10196}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int rank = quantile_rank_above(known[i].count, known[i].share);
        cr_expect_eq(rank, known[i].rank, "%d at %g: %d", known[i].count, known[i].share, rank);
    }
}

Test(stats, width_is_relative)
{
    struct summary s = {.median = 50, .ci_low = 49, .ci_high = 51}, zero = {0};
    cr_expect_float_eq(summary_width(&s), 0.04, 1e-12);
    cr_expect_eq(summary_width(&zero), 0);
}
