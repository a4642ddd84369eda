#include "harness/compare/row_figures.h"

#include "harness/compare/file_differences.h"
#include "harness/measure/stats.h"

#include <math.h>
#include <stdlib.h>

/* The share of the repetitions that are taken for undisturbed. */
#define FASTEST 0.01

/* The interval is of so many repetitions at least: the gaps between them say how far the fastest of
 * a few may be from what it could be. */
#define LEAST_FASTEST 5

/* Milliseconds of a repetition that mostly ends before another program gets the core: Linux leaves
 * it for about three. */
#define SHORT_MS 2.0

/* So many short repetitions show whether the fastest agree, which then lie as close as this share:
 * with scripts/compare-trust, runs that met neither limit were up to 45 % off, those that did had a
 * standard deviation of 0.5 %. */
#define LEAST_SETTLED 100
#define SETTLED 0.01

/* The values over 0, sorted; returns how many. */
static int take(double *sorted, const double *values, int count)
{
    int taken = 0;
    for (int i = 0; values && i < count; i++) {
        if (values[i] > 0)
            sorted[taken++] = values[i];
    }
    if (taken > 0)
        summarize(sorted, taken);
    return taken;
}

static double highest(double *scratch, const double *values, int count)
{
    int taken = take(scratch, values, count);
    return taken > 0 ? quantile(scratch, taken, 1 - FASTEST) : 0;
}

static struct figure fastest(double *scratch, const struct result_samples *s)
{
    int count = take(scratch, s->ms, s->count);
    if (count == 0)
        return (struct figure){0};
    int rank = quantile_rank_above(count, FASTEST);
    rank = rank < LEAST_FASTEST ? LEAST_FASTEST : rank;
    rank = rank > count ? count : rank;
    return (struct figure){quantile(scratch, count, FASTEST), scratch[0], scratch[rank - 1]};
}

static struct figure scaled(struct figure f, double factor)
{
    return (struct figure){f.value * factor, f.low * factor, f.high * factor};
}

static const char *find_spoiled(const struct result_row *row, const struct figure *f)
{
    bool evident = row->samples.count >= LEAST_SETTLED && f->value < SHORT_MS;
    const char *code = row_spoiled(row, evident);
    return code || !evident || f->high <= f->low * (1 + SETTLED) ? code : "not_settled";
}

bool row_figures_beside(const struct result_row *row)
{
    return row->samples.ceiling_gflops != NULL;
}

bool row_figures_make(struct row_figures *figures, const struct result_row *row, bool beside,
                      struct error *e)
{
    const struct result_samples *s = &row->samples;
    double *scratch = calloc((size_t)s->count + 1, sizeof *scratch);
    if (!scratch)
        return error_set(e, "no memory for %d repetitions", s->count);
    struct figure times = fastest(scratch, s);
    double clock = highest(scratch, s->clock_ghz, s->count);
    double ceiling = beside ? highest(scratch, s->ceiling_gflops, s->count) : row->ceiling_gflops;
    free(scratch);
    *figures = (struct row_figures){.absolute = {row->median_ms, row->ci_low_ms, row->ci_high_ms},
                                    .normalised = scaled(times, ceiling),
                                    .cycles = scaled(times, clock),
                                    .spoiled = find_spoiled(row, &times)};
    double ratio = row->median_ms * row->ceiling_gflops / figures->normalised.value;
    figures->disturbance = ratio > 1 && isfinite(ratio) ? log(ratio) : 0;
    figures->per_cycle = beside && clock > 0 ? ceiling / clock : 0;
    return true;
}
