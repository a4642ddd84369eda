#include "harness/verify/against.h"

#include "arch/cpu.h"

#include <stdlib.h>
#include <string.h>

static bool same_shape(const struct shape *a, const struct shape *b)
{
    return a->channels == b->channels && a->height == b->height && a->width == b->width;
}

/* Which lanes, blocks, rows and columns have other bands. */
static void compare_bands(const struct record_layer *here, const struct record_layer *there,
                          struct pattern *p)
{
    struct tensor shape =
        tensor_blocked(here->shape.channels, here->shape.height, here->shape.width, 0);
    size_t at = 0;
    pattern_clear(p, &shape);
    for (int axis = 0; axis < PATTERN_AXES; axis++) {
        for (int i = 0; i < p->size[axis]; i++, at++)
            p->marked[axis][i] = here->bands[at] != there->bands[at];
    }
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The sample that differs most, in words; empty when none does. */
static void describe_samples(const struct record_layer *here, const struct record_layer *there,
                             char *text, size_t size)
{
    double most = -1;
    *text = '\0';
    for (int i = 0; i < RECORD_SAMPLES; i++) {
        struct difference_at at = record_sample_at(&here->shape, i);
        at.got = float_of(here->samples[i]);
        at.expected = float_of(there->samples[i]);
        double ulps = difference_ulps(at.expected, at.got);
        if (difference_equal(at.expected, at.got) || ulps <= most)
            continue;
        most = ulps;
        difference_describe(&at, 1, text, size);
    }
}

static void describe_values(struct against_result *r, const struct record_layer *here,
                            const struct record_layer *there)
{
    char where[192], sample[160];
    struct pattern pattern;
    compare_bands(here, there, &pattern);
    pattern_describe(&pattern, where, sizeof where);
    describe_samples(here, there, sample, sizeof sample);
    snprintf(r->how, sizeof r->how, "%s%s%s", where, *sample ? "; " : "", sample);
}

static enum against_kind compare_layer(const struct record_layer *here,
                                       const struct record_layer *there)
{
    if (strcmp(here->name, there->name) != 0 || !same_shape(&here->shape, &there->shape))
        return AGAINST_OTHER_LAYERS;
    if (strcmp(here->algo, there->algo) != 0)
        return AGAINST_OTHER_PLAN;
    if (here->weights != there->weights)
        return AGAINST_OTHER_WEIGHTS;
    return here->hash == there->hash ? AGAINST_EQUAL : AGAINST_OTHER_VALUES;
}

static void describe_layer(struct against_result *r, const struct record_layer *here,
                           const struct record_layer *there)
{
    switch (r->kind) {
    case AGAINST_OTHER_LAYERS:
        snprintf(r->how, sizeof r->how, "it is %s of %dx%dx%d there", there->name,
                 there->shape.channels, there->shape.height, there->shape.width);
        break;
    case AGAINST_OTHER_PLAN:
        snprintf(r->how, sizeof r->how, "another plan: it is computed by %s here and by %s there",
                 here->algo, there->algo);
        break;
    case AGAINST_OTHER_WEIGHTS:
        snprintf(r->how, sizeof r->how, "its packed weights differ");
        break;
    default:
        describe_values(r, here, there);
    }
}

/* Kernel sets of the other machine that do not agree with its own reference. */
static void compare_runs(struct against_result *r, const struct record_model *here,
                         const struct record_model *there)
{
    for (int run = 0; run < there->run_count; run++) {
        const struct record_run *other = &there->runs[run];
        for (int i = 0; other->hashes && i < here->layer_count; i++) {
            if (other->hashes[i] == here->layers[i].hash || r->kind != AGAINST_EQUAL)
                continue;
            r->kind = AGAINST_OTHER_RUN;
            r->layer = i;
            r->run = run;
            snprintf(r->how, sizeof r->how, "%s on %d computed other bits there than scalar did",
                     isa_name(other->isa), other->threads);
        }
    }
}

struct against_result against_compare(const struct record_model *here,
                                      const struct record_model *there)
{
    struct against_result r = {.kind = AGAINST_EQUAL, .layer = -1, .run = -1};
    if (here->layer_count != there->layer_count) {
        r.kind = AGAINST_OTHER_LAYERS;
        r.layer = 0;
        snprintf(r.how, sizeof r.how, "the network has %d layers here and %d there",
                 here->layer_count, there->layer_count);
        return r;
    }
    for (int i = 0; i < here->layer_count; i++) {
        const struct record_layer *a = &here->layers[i], *b = &there->layers[i];
        enum against_kind kind = compare_layer(a, b);
        r.equal += kind == AGAINST_EQUAL;
        if (kind == AGAINST_EQUAL || r.kind != AGAINST_EQUAL)
            continue;
        r.kind = kind;
        r.layer = i;
        describe_layer(&r, a, b);
    }
    if (r.kind == AGAINST_EQUAL)
        compare_runs(&r, here, there);
    return r;
}

const struct record_model *against_find(const struct record *record, const char *name)
{
    for (int i = 0; i < record->model_count; i++) {
        if (strcmp(record->models[i].name, name) == 0)
            return &record->models[i];
    }
    return NULL;
}

static void print_runs(const struct record_model *m, FILE *out)
{
    for (int i = 0; i < m->run_count; i++)
        fprintf(out, "%s%s on %d", i > 0 ? ", " : "", isa_name(m->runs[i].isa), m->runs[i].threads);
}

static bool report_model(const struct record *here, const struct record_model *there, FILE *out,
                         struct error *e)
{
    const struct record_model *own = against_find(here, there->name);
    if (!own)
        return error_set(e, "%s: it was not computed here", there->name);
    struct against_result r = against_compare(own, there);
    if (out) {
        fprintf(out, "%-10s %3d of %-3d layers equal to those of ", there->name, r.equal,
                own->layer_count);
        print_runs(there, out);
        fprintf(out, "\n");
    }
    return r.kind == AGAINST_EQUAL ||
           error_set(e, "%s: the first layer that differs from the file's is %s: %s", there->name,
                     own->layers[r.layer].name, r.how);
}

bool against_report(const struct record *here, const struct record *there, FILE *out,
                    struct error *e)
{
    bool ok = true;
    struct error later;
    if (out)
        fprintf(out, "against   %s, %s; resmark %s, built with %s\n", there->cpu,
                there->architecture, there->resmark_version, there->compiler);
    for (int i = 0; i < there->model_count; i++)
        ok = report_model(here, &there->models[i], out, ok ? e : &later) && ok;
    return ok;
}
