/** The statistics of comparisons, held against published values and against chance itself. */
#include "harness/compare/multiple.h"
#include "harness/compare/paired.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static double scratch[PAIRED_MAX];

/** A number of 0..1 (xorshift64), the same in every run of the test. */
static double chance(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return ((double)(*state >> 11) + 0.5) / 9007199254740992.0;
}

/** Cauchy: no mean, no variance, as bad as timings get. */
static double cauchy(uint64_t *state)
{
    return tan(3.14159265358979 * (chance(state) - 0.5));
}

Test(paired, normal)
{
    cr_expect_float_eq(normal_critical(0.05), 1.959964, 1e-6);
    cr_expect_float_eq(normal_critical(0.001), 3.290527, 1e-6);
    cr_expect_float_eq(normal_two_sided(-1.959964), 0.05, 1e-7);
}

/** Quantiles of the tables (Abramowitz and Stegun, table 26.10). */
Test(paired, student)
{
    const struct {
        double p, t;
        int freedom;
    } known[] = {{0.05, 12.706, 1}, {0.05, 4.303, 2},  {0.01, 4.604, 4},
                 {0.05, 2.365, 7},  {0.02, 2.764, 10}, {0.001, 3.646, 30}};
    for (int i = 0; i < COUNT(known); i++) {
        cr_expect_float_eq(student_critical(known[i].p, known[i].freedom), known[i].t, 6e-4);
        cr_expect_float_eq(student_two_sided(-known[i].t, known[i].freedom), known[i].p, 5e-5);
    }
    cr_expect_float_eq(student_two_sided(0, 5), 1, 1e-12);
    cr_expect_float_eq(student_critical(0.05, 100000), normal_critical(0.05), 1e-4);
}

/** Mean 2, standard error 1/sqrt(3); of two degrees t = x has p = 1 - x / sqrt(2 + x^2). */
Test(paired, starts)
{
    struct paired p = starts_test((double[]){1, 2, 3}, 3, 0, 0.95);
    cr_expect_float_eq(p.estimate, 2, 1e-12);
    cr_expect_float_eq(p.p, 1 - sqrt(12.0 / 14), 1e-12);
    cr_expect_float_eq(p.high - 2, 4.302653 / sqrt(3), 1e-5);
    cr_expect_float_eq(2 - p.low, p.high - 2, 1e-12);
    p = starts_test((double[]){-1, -2, -3}, 3, 1, 0.95);
    cr_expect_float_eq(p.p, 1 - sqrt(3.0 / 5), 1e-12, "a tolerance of 1 leaves 1");
    cr_expect_eq(starts_test((double[]){1, 2, 3}, 3, 2.5, 0.95).p, 1);
    p = starts_test((double[]){5}, 1, 0, 0.95);
    cr_expect(p.p == 1 && p.estimate == 5 && isinf(p.low) && isinf(p.high));
    cr_expect_eq(starts_test((double[]){2, 2}, 2, 0, 0.95).p, 0);
}

/** Pairs that share what their start is like: as many wrong verdicts as promised, where a test of
 * the pairs would call nearly all of them different. */
Test(paired, starts_hold_their_error)
{
    enum { TRIALS = 4000, STARTS = 8 };
    uint64_t state = 7;
    int wrong = 0;
    for (int i = 0; i < TRIALS; i++) {
        double estimates[STARTS];
        for (int k = 0; k < STARTS; k++)
            estimates[k] = chance(&state) + chance(&state) + chance(&state) - 1.5;
        wrong += starts_test(estimates, STARTS, 0, 0.95).p <= 0.05;
    }
    cr_expect(wrong > TRIALS * 0.035 && wrong < TRIALS * 0.065, "%d of %d", wrong, TRIALS);
}

/** T+ of 1..16 with 3 negative is 16 * 17 / 2 - 3 = 133, z = (133 - 68 - 0.5) / sqrt(374). */
Test(paired, statistic)
{
    double d[16];
    for (int i = 0; i < 16; i++)
        d[i] = i + 1;
    d[2] = -3;
    struct paired p = paired_test(d, 16, 0.95, scratch);
    cr_expect_float_eq(p.p, normal_two_sided(64.5 / sqrt(374)), 1e-12);
    cr_expect(p.low > 0 && p.low < p.estimate && p.estimate < p.high);
    for (int i = 0; i < 16; i++)
        d[i] = -d[i];
    struct paired mirrored = paired_test(d, 16, 0.95, scratch);
    cr_expect_float_eq(mirrored.p, p.p, 1e-12);
    cr_expect_float_eq(mirrored.estimate, -p.estimate, 1e-12);
    cr_expect_float_eq(mirrored.low, -p.high, 1e-12);
}

/** Averages of 0, 2 and 10 of two: 0, 1, 2, 5, 6, 10, whose median is 3.5. */
Test(paired, estimate)
{
    double d[] = {0, 2, 10};
    cr_expect_float_eq(paired_test(d, 3, 0.95, scratch).estimate, 3.5, 1e-12);
}

/** No difference is called one as often as was asked, and the interval holds the truth, however
 * wild the noise. 2000 trials: 5 % within 3.2 standard deviations. */
Test(paired, error_is_kept)
{
    uint64_t state = 88172645463325252;
    int wrong = 0, missed = 0;
    for (int trial = 0; trial < 2000; trial++) {
        double d[30];
        for (int i = 0; i < 30; i++)
            d[i] = cauchy(&state);
        struct paired p = paired_test(d, 30, 0.95, scratch);
        wrong += p.p <= 0.05;
        missed += p.low > 0 || p.high < 0;
    }
    cr_expect(wrong >= 69 && wrong <= 131, "%d", wrong);
    cr_expect(missed >= 69 && missed <= 131, "%d", missed);
}

/** A shift that is there is found. */
Test(paired, shift_is_found)
{
    uint64_t state = 42;
    double d[200], *more = malloc(PAIRED_SCRATCH(200) * sizeof *more);
    for (int i = 0; i < 200; i++)
        d[i] = 0.02 + 0.01 * cauchy(&state);
    struct paired p = paired_test(d, 200, 0.95, more);
    cr_expect(p.p < 1e-6, "%g", p.p);
    cr_expect(p.low < 0.02 && p.high > 0.02 && p.low > 0.01, "%g..%g", p.low, p.high);
    free(more);
}

static void expect_adjusted(struct hypothesis *h, const double *want, int count)
{
    struct error e;
    cr_assert(multiple_holm(h, (size_t)count, &e));
    for (int i = 0; i < count; i++)
        cr_expect_float_eq(h[i].adjusted, want[i], 1e-12, "%d: %g", i, h[i].adjusted);
}

Test(multiple, holm)
{
    struct hypothesis h[] = {{.01, .25, 0}, {.04, .25, 0}, {.03, .25, 0}, {.005, .25, 0}};
    expect_adjusted(h, (double[]){.03, .06, .06, .02}, 4);
}

/** The heavy one is tested with 0.8 of the error, and what it leaves goes to the light ones. */
Test(multiple, weights)
{
    struct hypothesis h[] = {{.03, .8, 0}, {.009, .1, 0}, {.06, .1, 0}};
    expect_adjusted(h, (double[]){.0375, .0375 > .009 * 2 ? .0375 : .018, .06}, 3);
    struct hypothesis certain[] = {{1, .5, 0}, {.9, .5, 0}};
    expect_adjusted(certain, (double[]){1, 1}, 2);
}
