#include "harness/verify/verify.h"

#include <inttypes.h>
#include <math.h>

/* A failure, to be described. */
struct failure {
    const struct verify *v;
    const struct verify_model *model;
    char *again;
    size_t size;
    struct error *e;
};

static const char *layer_of(const struct verify_model *m, int step, char name[48])
{
    return model_step_name(&m->model, step, name);
}

/* The command that shows a failure alone. */
static void write_again(const struct failure *f, const char *isa, int threads, int step,
                        bool bits_only)
{
    const struct verify_options *o = &f->v->options;
    char name[48], layer[64] = "", plan[256] = "", network[256];
    if (step >= 0)
        snprintf(layer, sizeof layer, " --layer %s", layer_of(f->model, step, name));
    if (f->model->model.tuned)
        snprintf(plan, sizeof plan, " --plan '%.200s'", o->plan);
    else
        snprintf(plan, sizeof plan, " --algo %s", f->model->name);
    if (o->weights)
        snprintf(network, sizeof network, "--weights '%.200s'", o->weights);
    else
        snprintf(network, sizeof network, "--network %s --seed %" PRIu64, o->network, o->seed);
    snprintf(f->again, f->size,
             "resmark verify %s --isa %s --threads %d%s --size %d --batch %d%s%s", network, isa,
             threads, plan, o->size, o->batch, layer, bits_only ? " --bits" : "");
}

static bool check_weights(const struct failure *f)
{
    const struct weights_result *w = &f->model->weights;
    char name[48];
    if (w->step < 0)
        return true;
    write_again(f, isa_name(ISA_SCALAR), 1, w->step, true);
    return error_set(f->e,
                     "%s: %zu packed weights are wrong, first in layer %s %s: %.9g, exactly %.17g",
                     f->model->name, w->wrong, layer_of(f->model, w->step, name), w->where,
                     (double)w->packed, w->exact);
}

static bool check_result(const struct failure *f, const struct verify_run *run,
                         const struct bits_result *r, const char *with)
{
    char name[48], worst[160];
    const char *isa = run->set->name;
    if (bits_result_ok(r))
        return true;
    write_again(f, isa, run->threads, r->first >= 0 ? r->first : -1, true);
    if (r->faulty_thread >= 0)
        return error_set(f->e, "%s: behind %s on %d, thread %d %s", f->model->name, isa,
                         run->threads, r->faulty_thread, r->fault);
    if (r->first < 0)
        return error_set(
            f->e, "%s: %s on %d%s writes outside of what a layer stores, first in layer %s",
            f->model->name, isa, run->threads, with, layer_of(f->model, r->stray_step, name));
    difference_describe(&r->difference.worst, f->v->options.batch, worst, sizeof worst);
    return error_set(
        f->e,
        "%s: %s on %d%s computes other bits than scalar on 1, first in layer %s%s, %s: "
        "%zu of %zu values, the worst in %s",
        f->model->name, isa, run->threads, with, layer_of(f->model, r->first, name),
        r->in_sum ? " (the sum)" : "", r->where, r->difference.differing, r->difference.values,
        worst);
}

static bool check_runs(const struct failure *f)
{
    for (int i = 0; i < f->model->run_count; i++) {
        const struct verify_run *run = &f->model->runs[i];
        if (!check_result(f, run, &run->bits, "") ||
            !check_result(f, run, &run->specials, ", given special numbers,"))
            return false;
    }
    return true;
}

static bool compared(const struct failure *f, int step)
{
    return f->v->only < 0 || f->v->only == step;
}

static bool check_alone(const struct failure *f)
{
    const struct verify *v = f->v;
    char name[48];
    for (int i = 0; f->model->alone && i < f->model->model.steps.count; i++) {
        const struct layer_error *l = &f->model->alone[i];
        if (!compared(f, i) || l->fraction <= 1)
            continue;
        write_again(f, isa_name(v->isas.isas[v->isas.count - 1]),
                    v->options.threads[v->options.thread_counts - 1], i, false);
        return error_set(f->e,
                         "%s: layer %s is further from float64 than its bound allows: channel %d, "
                         "row %d, column %d is %.9g, exactly %.17g",
                         f->model->name, layer_of(f->model, i, name), l->worst.channel,
                         l->worst.row, l->worst.column, (double)l->worst.value, l->worst.exact);
    }
    return true;
}

static bool check_drifts(const struct failure *f, const struct drift *drifts, const char *what)
{
    char name[48], worst[160];
    for (int i = 0; drifts && i < f->model->model.steps.count; i++) {
        const struct drift *d = &drifts[i];
        if (!compared(f, i) || d->fraction <= 1)
            continue;
        write_again(f, isa_name(ISA_SCALAR), 1, i, false);
        difference_describe(&d->worst, 1, worst, sizeof worst);
        return error_set(
            f->e, "%s: from the image to layer %s it is further from %s than the bound allows: %s",
            f->model->name, layer_of(f->model, i, name), what, worst);
    }
    return true;
}

bool verify_verdict(const struct verify *v, char *again, size_t size, struct error *e)
{
    *again = '\0';
    for (int i = 0; i < v->model_count; i++) {
        const struct failure f = {v, &v->models[i], again, size, e};
        if (!check_weights(&f) || !check_runs(&f) || !check_alone(&f) ||
            !check_drifts(&f, f.model->drifts, "float64") ||
            !check_drifts(&f, f.model->versus, v->models[0].name))
            return false;
    }
    return true;
}
