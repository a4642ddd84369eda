/* Each reason from recorded inputs: given when it is over its limit, and not below. */
#include "harness/measure/verdict.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A measurement with nothing to say against it: 100 repetitions of 50 ms on two threads. */
static struct evidence clean(void)
{
    struct summary half = {.count = 50, .median = 50, .ci_low = 49.9, .ci_high = 50.1};
    return (struct evidence){
        .label = "--isa avx2 --algo auto --threads 2",
        .ms = {.count = 100, .median = 50, .ci_low = 49.9, .ci_high = 50.1, .max = 60},
        .early = half,
        .late = half,
        .clock_p5 = 2.99e9,
        .clock_p50 = 3e9,
        .clock_p95 = 3.01e9,
        .precision = 0.01,
        .max_time_s = 8,
        .floor_ms = 40,
        .threads = 2,
        .conditions = {.measured_s = 5, .cpus = 2, .own_s = 10},
        .policy = {.governor = "performance", .turbo = 0, .smt = 0},
    };
}

/* Expects this one reason or note, and no other. */
static void expect_only(const struct evidence *e, enum verdict_kind kind, const char *code)
{
    struct verdict v;
    verdict_judge(e, &v);
    cr_expect_eq(v.kind, kind, "%s: %s", code, verdict_name(v.kind));
    cr_assert_eq(v.reason_count + v.note_count, 1, "%s: %d reasons, %d notes", code, v.reason_count,
                 v.note_count);
    const struct reason *r = v.reason_count ? &v.reasons[0] : &v.notes[0];
    cr_expect_eq(v.note_count, kind == VERDICT_VALID, "%s", code);
    cr_expect_str_eq(r->code, code);
    cr_expect(*r->text && *r->advice, "%s has no text", code);
    cr_expect(strlen(r->text) < sizeof r->text - 1 && strlen(r->advice) < sizeof r->advice - 1,
              "%s: cut off", code);
}

static void expect_none(const struct evidence *e, const char *what)
{
    struct verdict v;
    verdict_judge(e, &v);
    cr_expect(v.kind == VERDICT_VALID && v.reason_count == 0 && v.note_count == 0, "%s: %s", what,
              v.reason_count ? v.reasons[0].code
              : v.note_count ? v.notes[0].code
                             : "");
}

Test(verdict, a_clean_measurement_is_valid)
{
    struct evidence e = clean();
    expect_none(&e, "clean");
}

Test(verdict, what_is_unknown_is_no_reason)
{
    struct evidence e = clean();
    e.conditions = (struct conditions){.steal_s = NAN,
                                       .others_s = NAN,
                                       .own_s = NAN,
                                       .sibling_s = NAN,
                                       .elsewhere_s = NAN,
                                       .involuntary = NAN,
                                       .throttles = NAN,
                                       .quota_throttled = NAN};
    e.clock_p5 = e.clock_p50 = e.clock_p95 = 0;
    e.floor_ms = 0;
    e.policy = (struct clock_policy){.turbo = -1, .smt = -1};
    expect_none(&e, "unknown");
    e.conditions.measured_s = 5;
    e.conditions.cpus = 2;
    expect_none(&e, "unknown counters");
}

Test(verdict, above_the_ceiling_is_invalid)
{
    struct evidence e = clean();
    e.floor_ms = 50.05; /* within the interval: cannot be told from it */
    expect_none(&e, "at the ceiling");
    e.floor_ms = 50.2;
    expect_only(&e, VERDICT_INVALID, "above_ceiling");
    e.floor_ms = 40;
    e.over_layer = "conv0";
    e.over_share = 1.1;
    expect_only(&e, VERDICT_INVALID, "above_ceiling");
}

Test(verdict, invalid_outweighs_suspect)
{
    struct verdict v;
    struct evidence e = clean();
    e.floor_ms = 60;
    e.conditions.throttles = 1;
    verdict_judge(&e, &v);
    cr_expect_eq(v.kind, VERDICT_INVALID);
    cr_expect_eq(v.reason_count, 2);
}

Test(verdict, repetitions_and_interval)
{
    struct evidence e = clean();
    e.ms.count = 5;
    expect_only(&e, VERDICT_SUSPECT, "few_repetitions");
    e = clean();
    e.ms.ci_high = 50.4;
    expect_none(&e, "just narrow enough");
    e.ms.ci_high = 50.5;
    expect_only(&e, VERDICT_SUSPECT, "interval_not_reached");
    e = clean();
    e.ended_by = ENDED_BY_INTERRUPT;
    expect_only(&e, VERDICT_SUSPECT, "interrupted");
}

/* What narrows an interval by half takes four times as long. */
Test(verdict, the_advice_names_what_to_run_and_for_how_long)
{
    struct verdict v;
    struct evidence e = clean();
    e.ms.ci_low = 49.5;
    e.ms.ci_high = 50.5;
    verdict_judge(&e, &v);
    cr_assert_eq(v.reason_count, 1);
    cr_expect(
        strstr(v.reasons[0].advice, "resmark run --isa avx2 --algo auto --threads 2 --max-time 32"),
        "%s", v.reasons[0].advice);
    cr_expect_float_eq(v.reasons[0].value, 0.02, 1e-9);
    cr_expect_eq(v.reasons[0].limit, 0.01);
}

Test(verdict, clock_and_steadiness)
{
    struct evidence e = clean();
    e.clock_p5 = 2.92e9;
    expect_none(&e, "3 %");
    e.clock_p5 = 2.9e9;
    expect_only(&e, VERDICT_SUSPECT, "clock_drift");
    e = clean();
    e.late.median = 51;
    expect_none(&e, "intervals that meet");
    e.late.ci_low = 50.8;
    e.late.ci_high = 51.2;
    expect_only(&e, VERDICT_SUSPECT, "unsteady");
    e.late.median = 50.4;
    expect_none(&e, "a change below the precision");
}

Test(verdict, each_condition_has_its_limit)
{
    const struct {
        const char *code;
        size_t offset;
        double below, above; /* of 5 s on two CPUs */
    } cases[] = {
        {"steal", offsetof(struct conditions, steal_s), 0.099, 0.101},
        {"others_on_cores", offsetof(struct conditions, others_s), 0.199, 0.201},
        {"sibling_busy", offsetof(struct conditions, sibling_s), 0.49, 0.51},
        {"load_elsewhere", offsetof(struct conditions, elsewhere_s), 0.99, 1.01},
        {"involuntary_switches", offsetof(struct conditions, involuntary), 100, 101},
        {"throttled", offsetof(struct conditions, throttles), 0, 1},
        {"quota_throttled", offsetof(struct conditions, quota_throttled), 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct evidence e = clean();
        double *value = (double *)((char *)&e.conditions + cases[i].offset);
        *value = cases[i].below;
        expect_none(&e, cases[i].code);
        *value = cases[i].above;
        expect_only(&e, VERDICT_SUSPECT, cases[i].code);
    }
    struct evidence e = clean();
    e.conditions.displaced = 1;
    expect_only(&e, VERDICT_SUSPECT, "migrations");
}

/* /proc/stat counts in hundredths of a second, the process's own time exactly. */
Test(verdict, negative_differences_of_counters_are_nothing)
{
    struct evidence e = clean();
    e.conditions.others_s = -0.02;
    expect_none(&e, "others");
}

Test(verdict, notes_leave_a_figure_valid)
{
    struct evidence e = clean();
    strcpy(e.policy.governor, "powersave");
    expect_only(&e, VERDICT_VALID, "governor");
    e = clean();
    e.policy.turbo = 1;
    expect_only(&e, VERDICT_VALID, "turbo");
    e = clean();
    e.conditions.unpinned = 1;
    expect_only(&e, VERDICT_VALID, "not_pinned");
    e = clean();
    e.ms.outliers = 5;
    expect_none(&e, "5 of 100 outliers");
    e.ms.outliers = 6;
    expect_only(&e, VERDICT_VALID, "outliers");
}
