#include "harness/compare/live.h"

#include "arch/clock.h"
#include "harness/compare/multiple.h"
#include "harness/compare/paired.h"
#include "harness/measure/stats.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* When there is a look, as a share of the time or the pairs, and the share of the error it may use.
 * Few starts say little of how starts differ. */
static const struct look {
    double at, error;
} looks[] = {{1.0 / 4, 0.05}, {1.0 / 2, 0.25}, {3.0 / 4, 0.25}, {1, 0.45}};

#define LOOKS (int)(sizeof looks / sizeof *looks)

/* For the networks as a whole. */
#define TOTAL_ERROR (MULTIPLE_ERROR * (1 - MULTIPLE_LAYERS_PART))
#define LAYERS_ERROR (MULTIPLE_ERROR * MULTIPLE_LAYERS_PART)

/* A verdict is of a difference that is larger: two builds of one source differ by where their code
 * lies, and single layers of some microseconds by up to 22 % (seen with scripts/compare-trust) by
 * which pages their memory got. */
#define TOTAL_TOLERANCE 0.003
#define LAYER_TOLERANCE 0.25

/* The series that are compared: wall clock, CPU time, and from here on the layers. */
enum { SERIES_WALL, SERIES_CPU, SERIES_LAYERS };

struct work {
    const struct live_options *options;
    struct live_result *result;
    struct side sides[2];
    struct side_time time;
    double *samples[2]; /* nanoseconds, [series][max_pairs] */
    double *logs, *scratch;
    uint64_t begin_ns, random;
    int start_at[LIVE_MAX_RESTARTS + 2]; /* the first pair of each start, and how many pairs */
    int starts;
};

static double *series_of(const struct work *w, int side, int series)
{
    return w->samples[side] + (size_t)series * (size_t)w->options->max_pairs;
}

/* Whether the first side goes first (xorshift64*; Vigna 2016). */
static bool toss(struct work *w)
{
    w->random ^= w->random >> 12;
    w->random ^= w->random << 25;
    w->random ^= w->random >> 27;
    return (w->random * UINT64_C(2685821657736338717)) >> 63;
}

static bool note_hash(struct differences *d, const struct side_subject *s, struct error *e)
{
    char texts[2][20];
    for (int i = 0; i < 2; i++)
        snprintf(texts[i], sizeof texts[i], "%016" PRIx64, s[i].logits_hash);
    return differences_text(d, false, "bits of the logits", texts[0], texts[1], e);
}

/* How many of the layers run otherwise, and the first of them. */
static bool note_plan(struct differences *d, const struct side_subject *s, struct error *e)
{
    for (int i = 0; i < s[0].layer_count; i++) {
        const struct side_layer *a = &s[0].layers[i], *b = &s[1].layers[i];
        char what[64], texts[2][96];
        if (strcmp(a->algo, b->algo) == 0 && strcmp(a->kernel, b->kernel) == 0)
            continue;
        snprintf(what, sizeof what, "plan, first in %s", a->name);
        snprintf(texts[0], sizeof texts[0], "%s, %s", a->algo, a->kernel);
        snprintf(texts[1], sizeof texts[1], "%s, %s", b->algo, b->kernel);
        return differences_text(d, false, what, texts[0], texts[1], e);
    }
    return true;
}

static bool same_layers(const struct side_subject *s)
{
    bool same = s[0].layer_count == s[1].layer_count;
    for (int i = 0; same && i < s[0].layer_count; i++)
        same = strcmp(s[0].layers[i].name, s[1].layers[i].name) == 0;
    return same;
}

/* The arguments are the same: what differs here, the builds chose. */
static bool note_differences(struct live_result *r, struct error *e)
{
    const struct side_subject *a = &r->subjects[0], *b = &r->subjects[1];
    struct differences *d = &r->differences;
    bool layers = same_layers(r->subjects);
    return differences_text(d, true, "network", a->network, b->network, e) &&
           differences_text(d, true, "variant", a->variant, b->variant, e) &&
           differences_number(d, true, "size", a->size, b->size, e) &&
           differences_text(d, true, "ISA", a->isa, b->isa, e) &&
           differences_text(d, true, "algorithms", a->algo, b->algo, e) &&
           differences_number(d, true, "threads", a->threads, b->threads, e) &&
           differences_number(d, true, "batch", a->batch, b->batch, e) &&
           (layers ? note_plan(d, r->subjects, e)
                   : differences_number(d, true, "layers", a->layer_count, b->layer_count, e)) &&
           differences_text(d, false, "version", a->resmark_version, b->resmark_version, e) &&
           differences_text(d, false, "compiler", a->compiler, b->compiler, e) &&
           note_hash(d, r->subjects, e);
}

static bool make_room(struct work *w, struct error *e)
{
    size_t pairs = (size_t)w->options->max_pairs;
    size_t series = SERIES_LAYERS + (size_t)w->result->layer_count;
    w->samples[0] = calloc(series * pairs, sizeof *w->samples[0]);
    w->samples[1] = calloc(series * pairs, sizeof *w->samples[1]);
    w->logs = calloc(pairs, sizeof *w->logs);
    w->scratch = calloc(PAIRED_SCRATCH(pairs), sizeof *w->scratch);
    w->result->layers = calloc((size_t)w->result->layer_count + 1, sizeof *w->result->layers);
    return (w->samples[0] && w->samples[1] && w->logs && w->scratch && w->result->layers) ||
           error_set(e, "no memory for %zu pairs", pairs);
}

/* What both are is known from their first start; later ones are of the same programs. */
static bool begin(struct work *w, struct error *e)
{
    struct live_result *r = w->result;
    for (int i = 0; i < 2; i++)
        r->subjects[i] = w->sides[i].subject;
    r->layer_count = same_layers(r->subjects) ? r->subjects[0].layer_count : 0;
    r->cpu_clock = w->options->clock == LIVE_CLOCK_CPU ||
                   (w->options->clock == LIVE_CLOCK_AUTO && r->subjects[0].threads == 1 &&
                    r->subjects[1].threads == 1);
    return note_differences(r, e) && differences_allow(&r->differences, w->options->force, e) &&
           make_room(w, e);
}

static bool start(struct work *w, struct error *e)
{
    for (int i = 0; i < 2; i++)
        side_end(&w->sides[i]);
    int first = toss(w) ? 0 : 1;
    for (int i = 0; i < 2; i++) {
        int side = first ^ i;
        if (!side_start(&w->sides[side], w->options->programs[side], w->options->arguments, e))
            return false;
    }
    if (!w->samples[0] && !begin(w, e))
        return false;
    w->start_at[w->starts++] = w->result->pairs;
    /* The first turn after a start finds nothing where it will be later. */
    return side_run(&w->sides[0], &w->time, e) && side_run(&w->sides[1], &w->time, e);
}

static bool run_pair(struct work *w, struct error *e)
{
    int first = toss(w) ? 0 : 1, pair = w->result->pairs;
    for (int i = 0; i < 2; i++) {
        int side = first ^ i;
        if (!side_run(&w->sides[side], &w->time, e))
            return false;
        series_of(w, side, SERIES_WALL)[pair] = w->time.wall;
        series_of(w, side, SERIES_CPU)[pair] = w->time.cpu;
        for (int k = 0; k < w->result->layer_count; k++)
            series_of(w, side, SERIES_LAYERS + k)[pair] = w->time.layers[k];
    }
    w->result->pairs++;
    return true;
}

static double median(struct work *w, int side, int series)
{
    memcpy(w->scratch, series_of(w, side, series), (size_t)w->result->pairs * sizeof *w->scratch);
    return summarize(w->scratch, w->result->pairs).median;
}

static void take_logs(struct work *w, int series)
{
    const double *a = series_of(w, 0, series), *b = series_of(w, 1, series);
    for (int i = 0; i < w->result->pairs; i++)
        w->logs[i] = a[i] > 0 && b[i] > 0 ? log(b[i] / a[i]) : 0;
}

static struct live_ratio ratio_of(struct work *w, int series, const struct paired *paired)
{
    return (struct live_ratio){.ms = {median(w, 0, series) * 1e-6, median(w, 1, series) * 1e-6},
                               .ratio = exp(paired->estimate),
                               .low = exp(paired->low),
                               .high = exp(paired->high),
                               .p = paired->p};
}

/* Estimates of the starts, but of those with less than half of the pairs of the longest. */
static int estimate_starts(struct work *w, double *estimates)
{
    int longest = 0, count = 0;
    w->start_at[w->starts] = w->result->pairs;
    for (int i = 0; i < w->starts; i++) {
        int pairs = w->start_at[i + 1] - w->start_at[i];
        longest = pairs > longest ? pairs : longest;
    }
    for (int i = 0; i < w->starts; i++) {
        int pairs = w->start_at[i + 1] - w->start_at[i];
        if (2 * pairs >= longest)
            estimates[count++] =
                paired_test(w->logs + w->start_at[i], pairs, 0.95, w->scratch).estimate;
    }
    return count;
}

/* Over the starts; `p` is of a difference no larger than the tolerance. */
static struct live_ratio ratio_of_starts(struct work *w, int series, double confidence)
{
    double estimates[LIVE_MAX_RESTARTS + 1];
    take_logs(w, series);
    int count = estimate_starts(w, estimates);
    struct paired paired = starts_test(estimates, count, TOTAL_TOLERANCE, confidence);
    return ratio_of(w, series, &paired);
}

/* Over the pairs; the same of `p`. */
static struct live_ratio ratio_beyond(struct work *w, int series, double confidence,
                                      double tolerance)
{
    take_logs(w, series);
    struct paired paired = paired_test(w->logs, w->result->pairs, confidence, w->scratch);
    struct live_ratio ratio = ratio_of(w, series, &paired);
    double estimate = log(ratio.ratio), least = log(1 + tolerance);
    for (int i = 0; i < w->result->pairs; i++)
        w->logs[i] -= copysign(least, estimate);
    ratio.p = 1;
    if (fabs(estimate) > least)
        ratio.p = paired_test(w->logs, w->result->pairs, confidence, w->scratch).p;
    return ratio;
}

/* Takes a look: whether the verdict is clear. */
static bool look(struct work *w, double error)
{
    struct live_result *r = w->result;
    double limit = TOTAL_ERROR * error, margin = w->options->margin;
    r->total = ratio_of_starts(w, r->cpu_clock ? SERIES_CPU : SERIES_WALL, 1 - limit);
    r->other = ratio_of_starts(w, r->cpu_clock ? SERIES_WALL : SERIES_CPU, 1 - limit);
    bool differs = r->total.p <= limit;
    r->total.outcome = differs ? outcome_of(r->total.ratio) : OUTCOME_SAME;
    r->other.outcome = OUTCOME_UNKNOWN;
    return differs || (r->total.low > 1 / (1 + margin) && r->total.high < 1 + margin);
}

static bool judge_layers(struct work *w, double error, struct error *e)
{
    struct live_result *r = w->result;
    size_t count = (size_t)r->layer_count;
    struct hypothesis *h = calloc(count + 1, sizeof *h);
    if (!h)
        return error_set(e, "no memory for %zu layers", count);
    for (size_t i = 0; i < count; i++) {
        r->layers[i] = ratio_beyond(w, SERIES_LAYERS + (int)i, 1 - MULTIPLE_ERROR, LAYER_TOLERANCE);
        h[i] = (struct hypothesis){.p = r->layers[i].p, .weight = 1.0 / (double)count};
    }
    bool ok = multiple_holm(h, count, e);
    for (size_t i = 0; i < count; i++) {
        r->layers[i].p = h[i].adjusted;
        r->layers[i].outcome =
            h[i].adjusted <= LAYERS_ERROR * error ? outcome_of(r->layers[i].ratio) : OUTCOME_SAME;
    }
    free(h);
    return ok;
}

/* How far it is: the larger of the shares of the time and of the pairs. */
static double progress(struct work *w)
{
    const struct live_options *o = w->options;
    w->result->seconds = (double)(clock_ns() - w->begin_ns) * 1e-9;
    if (o->progress)
        o->progress(w->result->pairs, w->result->seconds);
    double time = w->result->seconds / o->max_time, pairs = (double)w->result->pairs / o->max_pairs;
    return time > pairs ? time : pairs;
}

static bool restart_when_due(struct work *w, double done, struct error *e)
{
    return done < (double)w->starts / (w->options->restarts + 1) || start(w, e);
}

/* Pairs until a look finds the verdict clear, or until the last look. */
static bool run_pairs(struct work *w, int *next, struct error *e)
{
    w->begin_ns = clock_ns();
    for (*next = 0;;) {
        double done = progress(w);
        bool last = *w->options->stop || done >= 1;
        bool due = done >= looks[*next].at;
        while (*next < LOOKS - 1 && (last || done >= looks[*next + 1].at))
            ++*next;
        if ((due || last) && w->result->pairs >= PAIRED_MIN && look(w, looks[*next].error)) {
            w->result->end = LIVE_CLEAR;
            return true;
        }
        if (last)
            return true;
        *next += due;
        /* Ctrl-C breaks an answer off: then there is a last look. */
        if ((!restart_when_due(w, done, e) || !run_pair(w, e)) && !*w->options->stop)
            return false;
    }
}

static bool conclude(struct work *w, int last_look, struct error *e)
{
    struct live_result *r = w->result;
    const struct live_options *o = w->options;
    if (r->pairs < PAIRED_MIN || !isfinite(r->total.high))
        return error_set(e, "%s after %d pairs of %d starts: a verdict needs %d, and 2 starts%s",
                         *o->stop ? "interrupted" : "the time is up", r->pairs, w->starts,
                         PAIRED_MIN, *o->stop ? "" : "; grant more with --max-time");
    if (r->end != LIVE_CLEAR)
        r->end = *o->stop                   ? LIVE_INTERRUPTED
                 : r->pairs >= o->max_pairs ? LIVE_MAX_PAIRS
                                            : LIVE_MAX_TIME;
    return judge_layers(w, looks[last_look].error, e);
}

bool live_compare(struct live_result *result, const struct live_options *options, struct error *e)
{
    struct work *w = calloc(1, sizeof *w);
    *result = (struct live_result){0};
    if (!w)
        return error_set(e, "no memory for a comparison");
    w->options = options;
    w->result = result;
    w->random = clock_ns() | 1;
    result->end = LIVE_MAX_TIME;
    int last_look;
    bool ok = run_pairs(w, &last_look, e) && conclude(w, last_look, e);
    for (int i = 0; i < 2; i++) {
        side_end(&w->sides[i]);
        free(w->samples[i]);
    }
    free(w->logs);
    free(w->scratch);
    free(w);
    return ok;
}

void live_free(struct live_result *result)
{
    differences_free(&result->differences);
    free(result->layers);
    *result = (struct live_result){0};
}
