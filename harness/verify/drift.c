#include "harness/verify/drift.h"

#include <math.h>
#include <stdlib.h>

struct survey {
    struct drift_subject *subject;
    struct drift *drifts;
};

static int output_value(const struct step *step)
{
    return step->act >= 0 ? step->act : step->sum;
}

static size_t pixels_of(const struct tensor *t)
{
    return (size_t)t->height * (size_t)t->width;
}

static void take_in(struct drift *d, const struct difference_at *at, double difference,
                    double bound)
{
    if (isnan(difference))
        difference = INFINITY;
    double fraction = difference == 0 ? 0 : difference / bound;
    if (fraction >= d->fraction)
        d->worst = *at;
    d->max = fmax(d->max, difference);
    d->rms += difference * difference;
    d->fraction = fmax(d->fraction, fraction);
}

static void finish(struct drift *d, size_t values)
{
    d->rms = sqrt(d->rms / (double)values);
    d->ulps = difference_ulps(d->worst.expected, d->worst.got);
}

static void compare_step(const struct survey *s, int step, const double *value, const double *sigma)
{
    const struct tensor *t = snapshot_output(&s->subject->snapshot->step[step]);
    float *bounds = s->subject->bounds + s->subject->at[step];
    struct drift *d = &s->drifts[step];
    size_t count = (size_t)t->channels * pixels_of(t);
    for (size_t i = 0; i < count; i++) {
        int pixel = (int)(i % pixels_of(t)), channel = (int)(i / pixels_of(t));
        int row = pixel / t->width, column = pixel % t->width;
        float got = t->data[difference_offset(t, 0, channel, row, column)];
        struct difference_at at = {0, channel, row, column, (float)value[i], got};
        double bound = ORACLE_LAMBDA * sigma[i];
        bounds[i] = (float)bound;
        take_in(d, &at, fabs((double)got - value[i]), bound);
    }
    finish(d, count);
}

static void visit(void *context, int node, const double *value, const double *sigma)
{
    const struct survey *s = context;
    const struct steps *steps = &s->subject->model->steps;
    for (int i = 0; i < steps->count; i++) {
        if (output_value(&steps->step[i]) == node)
            compare_step(s, i, value, sigma);
    }
}

static bool make_bounds(struct drift_subject *subject, struct error *e)
{
    size_t steps = (size_t)subject->model->steps.count, values = 0;
    subject->bounds = NULL;
    subject->at = calloc(steps, sizeof *subject->at);
    for (size_t i = 0; subject->at && i < steps; i++) {
        const struct tensor *t = snapshot_output(&subject->snapshot->step[i]);
        subject->at[i] = values;
        values += (size_t)t->channels * pixels_of(t);
    }
    if (subject->at)
        subject->bounds = malloc(values * sizeof *subject->bounds);
    return subject->bounds || error_set(e, "no memory for the bounds of %zu layers", steps);
}

/* The algorithm of each node, as the oracle wants them; NULL when there is no memory. */
static enum algo *node_algos(const struct model *model)
{
    enum algo *algos = calloc((size_t)model->net.node_count, sizeof *algos);
    for (int i = 0; algos && i < model->steps.count; i++)
        algos[model->steps.step[i].node] = model->steps.step[i].algo;
    return algos;
}

bool drift_measure(struct drift_subject *subject, const struct param_source *source,
                   const float *image, int threads, struct drift *drifts, struct error *e)
{
    const struct model *model = subject->model;
    struct survey survey = {subject, drifts};
    struct oracle_result result = {0};
    enum algo *algos = node_algos(model);
    struct oracle_options options = {threads, visit, &survey, algos};
    for (int i = 0; i < model->steps.count; i++)
        drifts[i] = (struct drift){0};
    bool ok = algos || error_set(e, "no memory for %d algorithms", model->net.node_count);
    ok = ok && make_bounds(subject, e) &&
         oracle_run(&model->net, source, image, &options, &result, e);
    oracle_free(&result);
    free(algos);
    if (!ok)
        drift_free(subject);
    return ok;
}

void drift_free(struct drift_subject *subject)
{
    free(subject->bounds);
    free(subject->at);
    subject->bounds = NULL;
    subject->at = NULL;
}

static void compare_between(const struct drift_subject *expected, const struct drift_subject *got,
                            int step, struct drift *d)
{
    const struct tensor *a = snapshot_output(&expected->snapshot->step[step]);
    const struct tensor *b = snapshot_output(&got->snapshot->step[step]);
    size_t count = (size_t)a->channels * pixels_of(a);
    for (size_t i = 0; i < count; i++) {
        int pixel = (int)(i % pixels_of(a)), channel = (int)(i / pixels_of(a));
        size_t at = difference_offset(a, 0, channel, pixel / a->width, pixel % a->width);
        struct difference_at where = {0,           channel,    pixel / a->width, pixel % a->width,
                                      a->data[at], b->data[at]};
        double bound = (double)expected->bounds[expected->at[step] + i] +
                       (double)got->bounds[got->at[step] + i];
        take_in(d, &where, fabs((double)where.got - (double)where.expected), bound);
    }
    finish(d, count);
}

void drift_between(const struct drift_subject *expected, const struct drift_subject *got,
                   struct drift *drifts)
{
    for (int i = 0; i < got->model->steps.count; i++) {
        drifts[i] = (struct drift){0};
        compare_between(expected, got, i, &drifts[i]);
    }
}
