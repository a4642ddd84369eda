#include "harness/measure/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fewer are never enough for the precision, and fewer than these never for the time. */
#define MIN_FOR_PRECISION 20
#define MIN_FOR_TIME 3

/* Who grants less than this part of a repetition, as under an emulator, wants bits and not times.
 */
#define BITS_ONLY 0.1

static bool grow(struct series *s, struct error *e)
{
    int capacity = s->capacity ? 2 * s->capacity : 64;
    struct sample *samples = realloc(s->samples, (size_t)capacity * sizeof *samples);
    if (samples)
        s->samples = samples;
    size_t steps = (size_t)(s->steps > 0 ? s->steps : 1);
    float *step_ms = realloc(s->step_ms, (size_t)capacity * steps * sizeof *step_ms);
    if (step_ms)
        s->step_ms = step_ms;
    if (!samples || !step_ms)
        return error_set(e, "no memory for %d repetitions", capacity);
    s->capacity = capacity;
    return true;
}

bool series_add(struct series *s, const struct sample *sample, const uint64_t *step_ns,
                struct error *e)
{
    if (s->count == s->capacity && !grow(s, e))
        return false;
    for (int i = 0; i < s->steps; i++)
        s->step_ms[(size_t)s->count * (size_t)s->steps + (size_t)i] = (float)step_ns[i] * 1e-6F;
    s->samples[s->count++] = *sample;
    return true;
}

static void end(struct series *s, enum ended_by by)
{
    s->ended = true;
    s->ended_by = by;
}

/* Sorts a copy of the times; false when there is no memory for it, and none then is no reason to
 * stop. */
static bool is_narrow(const struct series *s, double precision)
{
    double *ms = malloc((size_t)s->count * sizeof *ms);
    if (!ms)
        return false;
    for (int i = 0; i < s->count; i++)
        ms[i] = s->samples[i].ms;
    struct summary summary = summarize(ms, s->count);
    free(ms);
    return summary_width(&summary) <= precision;
}

void series_check(struct series *s, double precision, double max_time_s)
{
    if (s->ended || s->count == 0)
        return;
    if (s->count >= MIN_FOR_PRECISION && s->count >= s->next_check) {
        s->next_check = s->count + s->count / 10;
        if (is_narrow(s, precision)) {
            end(s, ENDED_BY_PRECISION);
            return;
        }
    }
    bool bits_only = max_time_s < BITS_ONLY * s->samples[0].ms * 1e-3;
    if (s->count >= SERIES_MAX_REPETITIONS)
        end(s, ENDED_BY_REPETITIONS);
    else if (s->spent_s >= max_time_s && (s->count >= MIN_FOR_TIME || bits_only))
        end(s, ENDED_BY_MAX_TIME);
}

/* Of the times of repetitions first to first + count - 1. */
static struct summary summarize_times(const struct series *s, int first, int count, double *scratch)
{
    for (int i = 0; i < count; i++)
        scratch[i] = s->samples[first + i].ms;
    return count > 0 ? summarize(scratch, count) : (struct summary){0};
}

static void summarize_ceilings(const struct series *s, struct series_summary *out, double *scratch)
{
    for (int i = 0; i < s->count; i++)
        scratch[i] = s->samples[i].gflops;
    struct summary gflops = summarize(scratch, s->count);
    out->gflops_median = gflops.median;
    out->gflops_max = gflops.max;
    for (int i = 0; i < s->count; i++)
        scratch[i] = s->samples[i].clock_hz;
    struct summary clock = summarize(scratch, s->count);
    out->clock_min = clock.min;
    out->clock_p5 = quantile(scratch, s->count, 0.05);
    out->clock_p50 = clock.median;
    out->clock_p95 = quantile(scratch, s->count, 0.95);
    out->clock_max = clock.max;
}

static void summarize_step(const struct series *s, int step, struct series_summary *out,
                           double *scratch)
{
    const float *ms = s->step_ms + step;
    size_t steps = (size_t)s->steps;
    for (int i = 0; i < s->count; i++)
        scratch[i] = (double)ms[(size_t)i * steps];
    out->steps[step] = summarize(scratch, s->count);
    for (int i = 0; i < s->count; i++)
        scratch[i] = (double)ms[(size_t)i * steps] * s->samples[i].gflops;
    out->relative[step] = summarize(scratch, s->count);
}

bool series_summarize(const struct series *s, struct series_summary *out, struct error *e)
{
    size_t steps = (size_t)(s->steps > 0 ? s->steps : 1);
    double *scratch = malloc((size_t)s->count * sizeof *scratch);
    *out = (struct series_summary){.steps = calloc(steps, sizeof *out->steps),
                                   .relative = calloc(steps, sizeof *out->relative)};
    if (!scratch || !out->steps || !out->relative) {
        free(scratch);
        return error_set(e, "no memory to summarise %d repetitions", s->count);
    }
    out->ms = summarize_times(s, 0, s->count, scratch);
    out->early = summarize_times(s, 0, s->count / 2, scratch);
    out->late = summarize_times(s, s->count / 2, s->count - s->count / 2, scratch);
    summarize_ceilings(s, out, scratch);
    for (int i = 0; i < s->steps; i++)
        summarize_step(s, i, out, scratch);
    out->images_per_s = s->busy_s > 0 ? s->images / s->busy_s : 0;
    free(scratch);
    return true;
}

void series_summary_free(struct series_summary *summary)
{
    free(summary->steps);
    free(summary->relative);
    *summary = (struct series_summary){0};
}

void series_free(struct series *series)
{
    free(series->samples);
    free(series->step_ms);
    *series = (struct series){0};
}
