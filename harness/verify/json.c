#include "harness/verify/verify.h"

#include "harness/json_fields.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* JSON has no infinity: it becomes null. */
static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *place_json(int channel, int row, int column, double value, double expected)
{
    return json_pack("{s:i, s:i, s:i, s:o, s:o}", "channel", channel, "row", row, "column", column,
                     "value", number(value), "expected", number(expected));
}

static json_t *drift_json(const struct drift *d)
{
    const struct difference_at *at = &d->worst;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "max_error", number(d->max), "rms_error", number(d->rms),
        "ulps", number(d->ulps), "bound_fraction", number(d->fraction), "worst",
        place_json(at->channel, at->row, at->column, (double)at->got, (double)at->expected));
}

static json_t *alone_json(const struct layer_error *l)
{
    const struct layer_error_at *at = &l->worst;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "max_error", number(l->error), "rms_error",
                     number(l->rms), "max_ulps", number(l->ulps), "bound_fraction",
                     number(l->fraction), "worst",
                     place_json(at->channel, at->row, at->column, (double)at->value, at->exact));
}

static json_t *layer_json(const struct verify_model *m, int step)
{
    char name[48];
    const struct step *s = &m->model.steps.step[step];
    json_t *layer = json_pack("{s:s, s:s, s:o}", "name", model_step_name(&m->model, step, name),
                              "algo", s->kind == NODE_CONV ? algo_name(s->algo) : "-",
                              "output_hash", json_hash(m->hashes[step]));
    if (m->alone && m->alone[step].outputs > 0)
        json_object_set_new(layer, "by_itself", alone_json(&m->alone[step]));
    if (m->drifts)
        json_object_set_new(layer, "from_the_image", drift_json(&m->drifts[step]));
    if (m->versus)
        json_object_set_new(layer, "against_first_model", drift_json(&m->versus[step]));
    return layer;
}

static json_t *bits_json(const struct verify_model *m, const struct bits_result *r)
{
    char name[48];
    const struct difference *d = &r->difference;
    json_t *json = json_pack("{s:i, s:b, s:b}", "equal_layers", r->equal, "memory_equal",
                             !r->stray && r->first < 0, "arithmetic_right", r->faulty_thread < 0);
    if (r->first >= 0)
        json_object_set_new(json, "first_difference",
                            json_pack("{s:s, s:s, s:I, s:I, s:o}", "layer",
                                      model_step_name(&m->model, r->first, name), "where", r->where,
                                      "values", (json_int_t)d->values, "differing",
                                      (json_int_t)d->differing, "worst",
                                      place_json(d->worst.channel, d->worst.row, d->worst.column,
                                                 (double)d->worst.got, (double)d->worst.expected)));
    return json;
}

static json_t *model_json(const struct verify *v, const struct verify_model *m)
{
    json_t *layers = json_array(), *runs = json_array();
    for (int i = 0; i < m->model.steps.count; i++) {
        if (v->only < 0 || v->only == i)
            json_array_append_new(layers, layer_json(m, i));
    }
    for (int i = 0; i < m->run_count; i++) {
        const struct verify_run *r = &m->runs[i];
        json_array_append_new(runs,
                              json_pack("{s:s, s:i, s:o, s:o}", "isa", r->set->name, "threads",
                                        r->threads, "image", bits_json(m, &r->bits), "specials",
                                        bits_json(m, &r->specials)));
    }
    return json_pack("{s:s, s:I, s:I, s:o, s:o}", "name", m->name, "weights_checked",
                     (json_int_t)m->weights.checked, "weights_wrong", (json_int_t)m->weights.wrong,
                     "runs", runs, "layers", layers);
}

bool verify_print_json(const struct verify *v, bool ok, const char *reason, FILE *out,
                       struct error *e)
{
    const struct verify_options *o = &v->options;
    const struct network *net = &v->models[0].model.net;
    json_t *weights = o->weights ? json_string(v->weights_file.sha256) : json_null();
    json_t *models = json_array();
    for (int i = 0; i < v->model_count; i++)
        json_array_append_new(models, model_json(v, &v->models[i]));
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:o, s:b, s:s, s:o}",
                             "resmark_version", RESMARK_VERSION, "compiler", MACHINE_COMPILER,
                             "cpu", v->machine.cpu.brand, "network", net->name, "size", o->size,
                             "batch", o->batch, "seed", json_hash(o->seed), "weights", weights,
                             "ok", (int)ok, "reason", reason, "models", models);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    if (!text)
        return error_set(e, "no memory for the JSON");
    bool written = fprintf(out, "%s\n", text) > 0 ||
                   error_set(e, "cannot write to standard output: %s", strerror(errno));
    free(text);
    return written;
}
