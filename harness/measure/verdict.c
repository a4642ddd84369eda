#include "harness/measure/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* From where on something counts. A share of a hundredth moves a median by up to as much, which is
 * the default precision. */
#define FEWEST_REPETITIONS 6
#define CLOCK_SPREAD 0.03
#define STEAL_SHARE 0.01
#define OTHERS_SHARE 0.02
#define ELSEWHERE_CORES 0.2
#define SIBLING_SHARE 0.05
#define SWITCHES_PER_S 10.0
#define OUTLIER_SHARE 0.05

/* Fills a reason's figures, and says whether the value is over the limit; NAN never is. */
static bool exceeds(struct reason *r, double value, double limit)
{
    r->value = value;
    r->limit = limit;
    return value > limit;
}

#define TEXT(r, ...) snprintf((r)->text, sizeof(r)->text, __VA_ARGS__)
#define ADVICE(r, ...) snprintf((r)->advice, sizeof(r)->advice, __VA_ARGS__)

static bool above_ceiling(const struct evidence *e, struct reason *r)
{
    double whole = e->ms.ci_high > 0 ? e->floor_ms / e->ms.ci_high : 0;
    bool layer = e->over_layer && e->over_share > whole;
    if (!exceeds(r, layer ? e->over_share : whole, 1))
        return false;
    TEXT(r, "%s%s is %.1f %% above the FMA ceiling measured beside it",
         layer ? "layer " : "the whole", layer ? e->over_layer : "", 100 * (r->value - 1));
    ADVICE(r, "measure again: resmark run %s; if it stays, the clock or a kernel is wrong",
           e->label);
    return true;
}

static bool interrupted(const struct evidence *e, struct reason *r)
{
    if (e->ended_by != ENDED_BY_INTERRUPT)
        return false;
    TEXT(r, "interrupted after %d repetitions", e->ms.count);
    ADVICE(r, "continue it with resmark run --resume FILE, if there is a result file");
    r->value = e->ms.count;
    return true;
}

static bool few_repetitions(const struct evidence *e, struct reason *r)
{
    if (e->ms.count >= FEWEST_REPETITIONS)
        return false;
    r->value = e->ms.count;
    r->limit = FEWEST_REPETITIONS;
    TEXT(r, "only %d of the %d repetitions that an interval needs", e->ms.count,
         FEWEST_REPETITIONS);
    ADVICE(r, "give it more time: resmark run %s --max-time %.0f", e->label,
           ceil(2 * FEWEST_REPETITIONS * e->ms.median * 1e-3));
    return true;
}

/* The interval narrows with the square root of the time. */
static bool interval_not_reached(const struct evidence *e, struct reason *r)
{
    if (e->ms.count < FEWEST_REPETITIONS || !exceeds(r, summary_width(&e->ms), e->precision))
        return false;
    double ratio = r->value / r->limit, needed = ceil(e->max_time_s * ratio * ratio);
    TEXT(r, "the 95 %% interval is %.1f %% wide, %.1f %% were asked for", 100 * r->value,
         100 * r->limit);
    ADVICE(r, "resmark run %s --max-time %.0f, on a quiet machine less; or a wider --precision",
           e->label, needed < 3600 ? needed : 3600);
    return true;
}

static bool clock_drift(const struct evidence *e, struct reason *r)
{
    if (!(e->clock_p50 > 0) ||
        !exceeds(r, (e->clock_p95 - e->clock_p5) / e->clock_p50, CLOCK_SPREAD))
        return false;
    TEXT(r, "the clock went between %.2f and %.2f GHz", e->clock_p5 * 1e-9, e->clock_p95 * 1e-9);
    ADVICE(r, "fix the clock (performance governor, turbo off), or warm up: resmark run %s again",
           e->label);
    return true;
}

/* The intervals of the two halves do not meet: by chance in fewer than 1 of 100 runs. */
static bool unsteady(const struct evidence *e, struct reason *r)
{
    if (e->early.count < FEWEST_REPETITIONS || e->late.count < FEWEST_REPETITIONS ||
        (e->early.ci_low <= e->late.ci_high && e->late.ci_low <= e->early.ci_high))
        return false;
    if (!exceeds(r, fabs(e->late.median / e->early.median - 1), e->precision))
        return false;
    TEXT(r, "the second half was %.1f %% %s than the first", 100 * r->value,
         e->late.median > e->early.median ? "slower" : "faster");
    ADVICE(r, "something changed meanwhile: resmark run %s again when the machine is quiet",
           e->label);
    return true;
}

static bool steal(const struct evidence *e, struct reason *r)
{
    if (!exceeds(r, conditions_steal_share(&e->conditions), STEAL_SHARE))
        return false;
    TEXT(r, "the hypervisor took %.1f %% of the CPU time", 100 * r->value);
    ADVICE(r, "measure on a dedicated host, or at a quieter hour: resmark run %s", e->label);
    return true;
}

static bool others_on_cores(const struct evidence *e, struct reason *r)
{
    if (!exceeds(r, conditions_others_share(&e->conditions), OTHERS_SHARE))
        return false;
    TEXT(r, "others used %.1f %% of the same CPUs", 100 * r->value);
    ADVICE(r, "stop other programs (see top), or leave a core to them with fewer --threads");
    return true;
}

static bool load_elsewhere(const struct evidence *e, struct reason *r)
{
    if (!exceeds(r, conditions_elsewhere_cores(&e->conditions), ELSEWHERE_CORES))
        return false;
    TEXT(r, "others kept %.1f other CPUs busy, which share caches, memory and clock", r->value);
    ADVICE(r, "stop other programs (see top) and repeat resmark run %s", e->label);
    return true;
}

static bool sibling_busy(const struct evidence *e, struct reason *r)
{
    if (!exceeds(r, conditions_sibling_share(&e->conditions), SIBLING_SHARE))
        return false;
    TEXT(r, "the other hardware threads of these cores were busy %.0f %% of the time",
         100 * r->value);
    ADVICE(r, "stop other programs, or switch SMT off, and repeat resmark run %s", e->label);
    return true;
}

static bool involuntary_switches(const struct evidence *e, struct reason *r)
{
    double thread_s = e->conditions.measured_s * e->threads;
    if (!(thread_s > 0) || !exceeds(r, e->conditions.involuntary / thread_s, SWITCHES_PER_S))
        return false;
    TEXT(r, "each thread lost its CPU %.0f times a second", r->value);
    ADVICE(r, "stop other programs; fewer --threads than %d may help, or nice -n -5", e->threads);
    return true;
}

static bool migrations(const struct evidence *e, struct reason *r)
{
    if (!exceeds(r, e->conditions.displaced, 0))
        return false;
    TEXT(r, "threads were on another CPU than theirs %d times", e->conditions.displaced);
    ADVICE(r, "something changes their affinity (taskset, a cpuset): repeat resmark run %s",
           e->label);
    return true;
}

static bool throttled(const struct evidence *e, struct reason *r)
{
    if (!exceeds(r, e->conditions.throttles, 0))
        return false;
    TEXT(r, "the CPU slowed down for heat or power %.0f times", r->value);
    ADVICE(r, "cool it, or measure with fewer threads: resmark run %s", e->label);
    return true;
}

static bool quota_hit(const struct evidence *e, struct reason *r)
{
    if (!exceeds(r, e->conditions.quota_throttled, 0))
        return false;
    TEXT(r, "the control group's CPU quota stopped it in %.0f periods", r->value);
    ADVICE(r, "raise the quota, or use fewer --threads than %d", e->threads);
    return true;
}

static bool governor(const struct evidence *e, struct reason *r)
{
    const char *name = e->policy.governor;
    if (!*name || strcmp(name, "performance") == 0)
        return false;
    TEXT(r, "the clock is governed by \"%s\"", name);
    ADVICE(r, "cpupower frequency-set -g performance makes it steadier");
    return true;
}

static bool turbo(const struct evidence *e, struct reason *r)
{
    if (e->policy.turbo != 1)
        return false;
    TEXT(r, "turbo is on: the clock depends on heat and on how many cores work");
    ADVICE(r, "for comparisons over days, switch it off; for the best figure, leave it on");
    return true;
}

static bool not_pinned(const struct evidence *e, struct reason *r)
{
    if (!exceeds(r, e->conditions.unpinned, 0))
        return false;
    TEXT(r, "the system refused to pin threads");
    ADVICE(r, "allow sched_setaffinity where it is filtered, as in a container");
    return true;
}

static bool outliers(const struct evidence *e, struct reason *r)
{
    if (!exceeds(r, (double)e->ms.outliers / e->ms.count, OUTLIER_SHARE))
        return false;
    TEXT(r, "%d of %d repetitions are far outliers, up to %.2f ms; none was dropped",
         e->ms.outliers, e->ms.count, e->ms.max);
    ADVICE(r, "look at p99 before promising a latency");
    return true;
}

struct rule {
    const char *code;
    enum verdict_kind kind; /* VERDICT_VALID: a note */
    bool (*applies)(const struct evidence *evidence, struct reason *reason);
};

static const struct rule rules[] = {
    {"above_ceiling", VERDICT_INVALID, above_ceiling},
    {"interrupted", VERDICT_SUSPECT, interrupted},
    {"few_repetitions", VERDICT_SUSPECT, few_repetitions},
    {"interval_not_reached", VERDICT_SUSPECT, interval_not_reached},
    {"clock_drift", VERDICT_SUSPECT, clock_drift},
    {"unsteady", VERDICT_SUSPECT, unsteady},
    {"steal", VERDICT_SUSPECT, steal},
    {"others_on_cores", VERDICT_SUSPECT, others_on_cores},
    {"load_elsewhere", VERDICT_SUSPECT, load_elsewhere},
    {"sibling_busy", VERDICT_SUSPECT, sibling_busy},
    {"involuntary_switches", VERDICT_SUSPECT, involuntary_switches},
    {"migrations", VERDICT_SUSPECT, migrations},
    {"throttled", VERDICT_SUSPECT, throttled},
    {"quota_throttled", VERDICT_SUSPECT, quota_hit},
    {"governor", VERDICT_VALID, governor},
    {"turbo", VERDICT_VALID, turbo},
    {"not_pinned", VERDICT_VALID, not_pinned},
    {"outliers", VERDICT_VALID, outliers},
};
_Static_assert(sizeof rules / sizeof *rules <= VERDICT_MAX_REASONS + 4,
               "at most 16 rules of either sort");

void verdict_judge(const struct evidence *evidence, struct verdict *verdict)
{
    *verdict = (struct verdict){0};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct reason reason = {.code = rules[i].code};
        if (!rules[i].applies(evidence, &reason))
            continue;
        if (rules[i].kind == VERDICT_VALID)
            verdict->notes[verdict->note_count++] = reason;
        else
            verdict->reasons[verdict->reason_count++] = reason;
        if (rules[i].kind > verdict->kind)
            verdict->kind = rules[i].kind;
    }
}

const char *verdict_name(enum verdict_kind kind)
{
    static const char *const names[] = {"VALID", "SUSPECT", "INVALID"};
    return names[kind];
}

const char *ended_by_name(enum ended_by ended_by)
{
    static const char *const names[] = {"precision", "max_time", "repetitions", "interrupted"};
    return names[ended_by];
}
