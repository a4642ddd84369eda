/* When a series ends, and what it says, from made-up repetitions; which samples are kept. */
#include "harness/measure/flush.h"
#include "harness/measure/series.h"
#include "harness/run_json.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>

static void add(struct series *s, double ms, double gflops)
{
    struct error e;
    const uint64_t steps[] = {1000000, 3000000};
    struct sample sample = {.ms = ms, .gflops = gflops, .clock_hz = 3e9, .at_s = s->count};
    cr_assert(series_add(s, &sample, steps, &e), "%s", e.text);
}

Test(series, ends_by_precision_once_there_are_enough)
{
    struct series s = {0};
    for (int i = 0; i < 20; i++) {
        cr_expect_not(s.ended, "after %d", i);
        add(&s, 50 + 0.01 * (i % 5), 100);
        series_check(&s, 0.01, 1000);
    }
    cr_expect(s.ended && s.ended_by == ENDED_BY_PRECISION);
    series_free(&s);
}

Test(series, a_wide_interval_goes_on_until_the_time_is_up)
{
    struct series s = {0};
    for (int i = 0; i < 500; i++) {
        add(&s, i % 2 ? 50 : 60, 100);
        series_check(&s, 0.01, 1000);
        cr_assert_not(s.ended, "after %d", i + 1);
    }
    s.spent_s = 1000;
    series_check(&s, 0.01, 1000);
    cr_expect(s.ended && s.ended_by == ENDED_BY_MAX_TIME);
    series_free(&s);
}

Test(series, three_repetitions_are_the_least_unless_only_bits_are_wanted)
{
    struct series s = {0}, bits = {0};
    s.spent_s = bits.spent_s = 100;
    for (int i = 0; i < 3; i++) {
        cr_expect_not(s.ended, "after %d", i);
        add(&s, 4000, 100);
        series_check(&s, 0.01, 1);
    }
    cr_expect(s.ended && s.ended_by == ENDED_BY_MAX_TIME);
    add(&bits, 4000, 100);
    series_check(&bits, 0.01, 0.1);
    cr_expect(bits.ended);
    series_free(&s);
    series_free(&bits);
}

Test(series, is_bounded)
{
    struct series s = {0};
    for (int i = 0; i < SERIES_MAX_REPETITIONS; i++)
        add(&s, i % 2 ? 50 : 60, 100);
    series_check(&s, 0.01, 1000);
    cr_expect(s.ended && s.ended_by == ENDED_BY_REPETITIONS);
    series_free(&s);
}

/* A layer of 1 ms beside a ceiling of 100 or 200 GFLOP/s. */
Test(series, summaries_take_drift_out_of_layers)
{
    struct error e;
    struct series s = {.steps = 2, .images = 30, .busy_s = 2};
    struct series_summary summary;
    for (int i = 0; i < 30; i++)
        add(&s, i < 15 ? 10 : 20, i < 15 ? 200 : 100);
    cr_assert(series_summarize(&s, &summary, &e), "%s", e.text);
    cr_expect_eq(summary.ms.count, 30);
    cr_expect_eq(summary.early.median, 10);
    cr_expect_eq(summary.late.median, 20);
    cr_expect_eq(summary.gflops_max, 200);
    cr_expect_eq(summary.images_per_s, 15);
    cr_expect_float_eq(summary.steps[1].median, 3, 1e-6);
    cr_expect_float_eq(summary.relative[0].min, 100, 1e-3);
    cr_expect_float_eq(summary.relative[0].max, 200, 1e-3);
    series_summary_free(&summary);
    series_free(&s);
}

Test(series, a_random_choice_of_samples_is_ascending_and_spread)
{
    int indices[RUN_JSON_SAMPLES], other[RUN_JSON_SAMPLES], same = 0;
    cr_expect_eq(run_json_choose(7, RUN_JSON_SAMPLES, 1, indices), 7);
    for (int i = 0; i < 7; i++)
        cr_expect_eq(indices[i], i);
    cr_assert_eq(run_json_choose(10000, RUN_JSON_SAMPLES, 1, indices), RUN_JSON_SAMPLES);
    cr_assert_eq(run_json_choose(10000, RUN_JSON_SAMPLES, 2, other), RUN_JSON_SAMPLES);
    double sum = 0;
    for (int i = 0; i < RUN_JSON_SAMPLES; i++) {
        cr_expect(indices[i] < 10000 && (i == 0 || indices[i] > indices[i - 1]));
        sum += indices[i];
        same += indices[i] == other[i];
    }
    cr_expect_float_eq(sum / RUN_JSON_SAMPLES, 5000, 600, "%g", sum / RUN_JSON_SAMPLES);
    cr_expect_lt(same, RUN_JSON_SAMPLES / 2, "the seed does not matter");
}

Test(flush, leaves_memory_as_it_is)
{
    enum { BYTES = 100000 };
    unsigned char *memory = malloc(BYTES);
    cr_assert(memory);
    for (int i = 0; i < BYTES; i++)
        memory[i] = (unsigned char)(i * 7);
    flush_memory(memory + 1, BYTES - 2);
    for (int i = 0; i < BYTES; i++)
        cr_assert_eq(memory[i], (unsigned char)(i * 7), "byte %d", i);
    free(memory);
}
