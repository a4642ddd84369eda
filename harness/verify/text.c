#include "harness/verify/verify.h"

#include <inttypes.h>
#include <string.h>

static void print_subject(const struct verify *v, FILE *out)
{
    const struct verify_options *o = &v->options;
    const struct network *net = &v->models[0].model.net;
    fprintf(out, "resmark %s, built with %s\n", RESMARK_VERSION, MACHINE_COMPILER);
    fprintf(out, "machine   %s\n", v->machine.cpu.brand);
    fprintf(out, "network   %s (%s), %d classes, %dx%d, batch %d, built-in picture\n", net->name,
            net->variant, net->classes, o->size, o->size, o->batch);
    if (o->weights)
        fprintf(out, "weights   %s (%s)\n          SHA-256 %s\n", o->weights,
                v->weights_file.format, v->weights_file.sha256);
    else
        fprintf(out, "weights   synthetic, seed %" PRIu64 "\n", o->seed);
    fprintf(out, "reference scalar kernels on 1 thread\n\n");
}

/* How many of the runs have the reference's bits in a layer. */
static int equal_runs(const struct verify_model *m, uint64_t hash, int step)
{
    int equal = 0;
    for (int i = 0; i < m->run_count; i++)
        equal += m->runs[i].bits.hashes[step] == hash;
    return equal;
}

/* Behind the first model, only the layers that another algorithm computes are worth a row. */
static bool is_shown(const struct verify *v, const struct verify_model *m, int step)
{
    const struct step *first = &v->models[0].model.steps.step[step];
    if (v->only >= 0)
        return step == v->only;
    return m == v->models || m->model.steps.step[step].algo != first->algo;
}

static void print_alone(const struct layer_error *l, FILE *out)
{
    char worst[32];
    if (l->outputs == 0) {
        fprintf(out, " %9s %9s %9s %8s  %-16s %15s %15s", "-", "-", "-", "-", "-", "-", "-");
        return;
    }
    snprintf(worst, sizeof worst, "%d,%d,%d", l->worst.channel, l->worst.row, l->worst.column);
    fprintf(out, " %9.2e %9.2e %9.3g %6.2f %%  %-16s %15.9g %15.9g", l->error, l->rms, l->ulps,
            100 * l->fraction, worst, (double)l->worst.value, l->worst.exact);
}

static void print_layer(const struct verify_model *m, int step, uint64_t hash, FILE *out)
{
    char name[48];
    const struct step *s = &m->model.steps.step[step];
    fprintf(out, "%-16s %-10s", model_step_name(&m->model, step, name),
            s->kind == NODE_CONV ? algo_name(s->algo) : "-");
    if (m->alone) {
        print_alone(&m->alone[step], out);
        fprintf(out, " %6.2f %%", 100 * m->drifts[step].fraction);
    }
    fprintf(out, "  %016" PRIx64 " %d of %d\n", hash, equal_runs(m, hash, step), m->run_count);
}

static void print_layers(const struct verify *v, const struct verify_model *m, FILE *out)
{
    fprintf(out, "layers by %s%s\n", m->name,
            m == v->models ? "" : ", where it chooses another algorithm");
    if (m->alone)
        fprintf(out, "%-26s by itself, against float64 %80s\n", "", "network");
    fprintf(out, "%-16s %-10s", "layer", "algo");
    if (m->alone)
        fprintf(out, " %9s %9s %9s %8s  %-16s %15s %15s %8s", "max error", "RMS", "max ULPs",
                "of bound", "worst at c,y,x", "value", "exact", "of bound");
    fprintf(out, "  %-16s %s\n", "output", "equal");
    for (int i = 0; i < m->model.steps.count; i++) {
        if (is_shown(v, m, i))
            print_layer(m, i, m->hashes[i], out);
    }
    fprintf(out, "\n");
}

static void print_run(const struct verify *v, const struct verify_model *m,
                      const struct verify_run *r, FILE *out)
{
    char equal[24], specials[24];
    int steps = v->only >= 0 ? 1 : m->model.steps.count;
    snprintf(equal, sizeof equal, "%d of %d", r->bits.equal, steps);
    snprintf(specials, sizeof specials, "%d of %d", r->specials.equal, steps);
    bool right = r->bits.faulty_thread < 0 && r->specials.faulty_thread < 0;
    fprintf(out, "%-10s %-7s %7d  %-10s %-10s %-8s %-10s %016" PRIx64 "\n", m->name, r->set->name,
            r->threads, equal, specials,
            v->only >= 0                                 ? "-"
            : r->bits.stray || r->specials.stray         ? "DIFFERS"
            : r->bits.first < 0 && r->specials.first < 0 ? "equal"
                                                         : "-",
            right ? "IEEE" : "CHANGED", r->bits.hashes[verify_logits(m)]);
}

static void print_runs(const struct verify *v, FILE *out)
{
    fprintf(out, "%-10s %-7s %7s  %-10s %-10s %-8s %-10s %s\n", "algo", "isa", "threads", "layers",
            "specials", "memory", "arithmetic", "logits");
    for (int i = 0; i < v->model_count; i++) {
        for (int r = 0; r < v->models[i].run_count; r++)
            print_run(v, &v->models[i], &v->models[i].runs[r], out);
    }
    fprintf(out, "(layers equal to the reference's in all bits, also with NaN, infinities, -0 and "
                 "denormals\n in weights and inputs; the memory around them; the threads' rounding "
                 "and denormals)\n\n");
}

static void print_drift(const char *algo, const char *against, const struct drift *d, FILE *out)
{
    fprintf(out, "%-10s %-9s %9.2e %9.2e %9.3g %6.2f %%  class %4d %15.9g %15.9g\n", algo, against,
            d->max, d->rms, d->ulps, 100 * d->fraction, d->worst.channel, (double)d->worst.got,
            (double)d->worst.expected);
}

static void print_drifts(const struct verify *v, FILE *out)
{
    if (v->options.bits_only)
        return;
    fprintf(out, "the whole network's logits\n");
    fprintf(out, "%-10s %-9s %9s %9s %9s %8s  %-10s %15s %15s\n", "algo", "against", "max error",
            "RMS", "ULPs", "of bound", "worst", "value", "other");
    for (int i = 0; i < v->model_count; i++) {
        const struct verify_model *m = &v->models[i];
        print_drift(m->name, "float64", &m->drifts[verify_logits(m)], out);
        if (m->versus)
            print_drift(m->name, v->models[0].name, &m->versus[verify_logits(m)], out);
    }
    fprintf(out, "\n");
}

static void print_weights(const struct verify *v, FILE *out)
{
    for (int i = 0; i < v->model_count; i++) {
        const struct verify_model *m = &v->models[i];
        fprintf(out, "%s: %zu packed weights are the exact ones rounded once, %zu are not\n",
                m->name, m->weights.checked - m->weights.wrong, m->weights.wrong);
    }
}

void verify_print(const struct verify *v, FILE *out)
{
    print_subject(v, out);
    for (int i = 0; i < v->model_count; i++)
        print_layers(v, &v->models[i], out);
    print_drifts(v, out);
    print_runs(v, out);
    print_weights(v, out);
}
