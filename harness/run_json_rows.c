#include "harness/json_fields.h"
#include "harness/run_json.h"

#include <string.h>
#include <xxhash.h>

#include <math.h>

/* Adds the members of `more` to the row, and drops `more`; without either the row is no more. */
static json_t *extend(json_t *row, json_t *more)
{
    if (!row || !more || json_object_update(row, more) != 0) {
        json_decref(row);
        row = NULL;
    }
    json_decref(more);
    return row;
}

uint64_t run_json_plan_hash(const struct plan *plan)
{
    XXH64_hash_t hash = 0;
    for (int i = 0; i < plan->step_count; i++) {
        const struct plan_step *s = &plan->steps[i];
        bool direct = s->algo == ALGO_DIRECT;
        char text[160];
        int length =
            snprintf(text, sizeof text, "%s %s %d %d %d %d", algo_name(s->algo), s->kernel_name,
                     direct ? s->conv.blocking.strip : s->bilinear.blocking.chunk,
                     direct ? s->conv.blocking.group : s->bilinear.blocking.by_channels,
                     direct ? s->conv.blocking.chunk : 0, plan->threads);
        hash = XXH3_64bits_withSeed(text, (size_t)length, hash);
    }
    return hash;
}

/* xorshift64*, as the order of turns is drawn. */
static double next_uniform(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)(*state * 2685821657736338717U >> 11) / 9007199254740992.0;
}

/* Selection sampling: Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S. */
int run_json_choose(int count, int limit, uint64_t seed, int *indices)
{
    uint64_t state = seed ? seed : 1;
    int wanted = count < limit ? count : limit, chosen = 0;
    for (int i = 0; chosen < wanted; i++) {
        if ((count - i) * next_uniform(&state) < wanted - chosen)
            indices[chosen++] = i;
    }
    return chosen;
}

static json_t *samples_json(const struct run *run, const struct series *s)
{
    int indices[RUN_JSON_SAMPLES];
    int count = run_json_choose(s->count, RUN_JSON_SAMPLES, run->bench.order_seed, indices);
    json_t *ms = json_array(), *gflops = json_array();
    json_t *clock = json_array(), *at = json_array();
    for (int i = 0; i < count; i++) {
        const struct sample *sample = &s->samples[indices[i]];
        json_array_append_new(ms, json_real(sample->ms));
        json_array_append_new(gflops, run_json_number(sample->gflops));
        json_array_append_new(clock, run_json_number(sample->clock_hz * 1e-9));
        json_array_append_new(at, json_real(sample->at_s));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "ms", ms, "ceiling_gflops", gflops, "clock_ghz", clock,
                     "at_s", at);
}

/* A count that may be unknown. */
static json_t *count_json(double value)
{
    return isfinite(value) && value >= 0 ? json_integer((json_int_t)value) : json_null();
}

static json_t *conditions_json(const struct conditions *c)
{
    return json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "measured_s", c->measured_s,
                     "steal_share", run_json_number(conditions_steal_share(c)), "others_share",
                     run_json_number(conditions_others_share(c)), "elsewhere_cores",
                     run_json_number(conditions_elsewhere_cores(c)), "sibling_share",
                     run_json_number(conditions_sibling_share(c)), "involuntary_switches",
                     count_json(c->involuntary), "migrations", c->displaced, "throttle_events",
                     count_json(c->throttles), "quota_throttled", count_json(c->quota_throttled));
}

static json_t *reasons_json(const struct reason *reasons, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o, s:o}", "code", reasons[i].code,
                                              "text", reasons[i].text, "advice", reasons[i].advice,
                                              "value", run_json_number(reasons[i].value), "limit",
                                              run_json_number(reasons[i].limit)));
    return list;
}

static json_t *energy_json(const struct run *run, const struct series *s)
{
    const struct energy_meter *meter = &run->bench.energy;
    if (meter->count == 0 || !isfinite(s->joules) || s->images <= 0)
        return json_pack("{s:b, s:s}", "available", 0, "reason",
                         meter->count ? "the counters became unreadable" : meter->reason);
    json_t *domains = json_array();
    for (int i = 0; i < meter->count; i++)
        json_array_append_new(domains, run_json_text(meter->names[i]));
    return json_pack("{s:b, s:f, s:f, s:o}", "available", 1, "joules_per_image",
                     s->joules / s->images, "watts", s->joules / s->busy_s, "domains", domains);
}

static json_t *identity_json(const struct run *run, const struct contender *c,
                             enum series_kind kind)
{
    const struct network *net = &c->model->net;
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:s, s:o, s:o}", "network", net->name,
        "variant", net->variant, "isa", c->set->name, "algo", model_algo_name(c->model), "threads",
        c->threads, "batch", c->plan->batch, "instances", instances_count(c->instances), "scenario",
        scenario_name(run->options.scenario), "cache", kind == SERIES_HOT ? "hot" : "cold",
        "precision", "fp32", "plan_hash", json_hash(run_json_plan_hash(c->plan)), "logits_hash",
        json_hash(c->logits_hash));
}

static json_t *times_json(const struct contender *c, enum series_kind kind)
{
    const struct summary *ms = &c->summary[kind].ms;
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:i, s:i, s:s, s:f}",
                     "median_ms", ms->median, "ci_low_ms", ms->ci_low, "ci_high_ms", ms->ci_high,
                     "p50_ms", ms->p50, "p90_ms", ms->p90, "p99_ms", ms->p99, "p99_9_ms", ms->p99_9,
                     "min_ms", ms->min, "max_ms", ms->max, "first_ms",
                     kind == SERIES_HOT ? json_real(c->first_ms) : json_null(), "repetitions",
                     ms->count, "outliers", ms->outliers, "ended_by",
                     ended_by_name(c->series[kind].ended_by), "ci_width_share", summary_width(ms));
}

/* The floors of all layers, one after the other; null where they are not known. */
static json_t *floor_json(const struct run *run, const struct contender *c)
{
    double sum = 0;
    for (int i = 0; i < c->plan->step_count; i++) {
        struct floors f = bench_floors(&run->bench, c, i);
        if (f.level == 0)
            return json_null();
        sum += fmax(f.arithmetic_ms, f.bytes_ms);
    }
    return instances_count(c->instances) == 1 ? json_real(sum) : json_null();
}

static json_t *rates_json(const struct run *run, const struct contender *c, enum series_kind kind)
{
    const struct series_summary *s = &c->summary[kind];
    double images_per_s = bench_images_per_s(c, kind);
    double gflops = 2 * c->model->net.macs * images_per_s * 1e-9;
    return json_pack(
        "{s:f, s:f, s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "images_per_s", images_per_s, "gflops",
        gflops, "ceiling_gflops", run_json_number(s->gflops_median), "over_ceiling",
        run_json_number(gflops / s->gflops_median), "floor_ms", floor_json(run, c), "clock_ghz",
        "median", run_json_number(s->clock_p50 * 1e-9), "min", run_json_number(s->clock_min * 1e-9),
        "max", run_json_number(s->clock_max * 1e-9));
}

json_t *run_json_row(const struct run *run, const struct contender *c, enum series_kind kind)
{
    const struct verdict *v = &c->verdict[kind];
    const struct series *s = &c->series[kind];
    json_t *judgement = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o}", "verdict", verdict_name(v->kind), "reasons",
        reasons_json(v->reasons, v->reason_count), "notes", reasons_json(v->notes, v->note_count),
        "conditions", conditions_json(&s->conditions), "energy", energy_json(run, s), "samples",
        samples_json(run, s));
    return extend(
        extend(extend(identity_json(run, c, kind), times_json(c, kind)), rates_json(run, c, kind)),
        judgement);
}

static const char *kind_name(enum node_kind kind)
{
    switch (kind) {
    case NODE_CONV:
        return "conv";
    case NODE_MAX_POOL:
        return "max_pool";
    case NODE_AVG_POOL:
        return "avg_pool";
    case NODE_DENSE:
        return "dense";
    default:
        return "softmax";
    }
}

static json_t *shape_json(const struct run *run, const struct contender *c, int row, int step)
{
    char name[48];
    const struct plan_step *s = &c->plan->steps[step];
    const struct node *node = &c->model->net.nodes[s->node];
    const struct shape *in = &c->model->net.nodes[node->inputs[0]].shape;
    return json_pack("{s:i, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:I}",
                     "row", row, "network", c->model->net.name, "isa", c->set->name, "algo",
                     algo_name(s->algo), "threads", c->threads, "batch", c->plan->batch, "name",
                     run_step_name(run, step, name), "kind", kind_name(s->kind), "cin",
                     in->channels, "cout", node->shape.channels, "kernel_size", node->kernel,
                     "stride", node->stride, "height", in->height, "width", in->width, "macs",
                     (json_int_t)s->macs);
}

static json_t *figures_json(const struct contender *c, int step)
{
    const struct series_summary *s = &c->summary[SERIES_HOT];
    const struct summary *ms = &s->steps[step], *relative = &s->relative[step];
    int instances = instances_count(c->instances);
    double ceiling = s->gflops_median / instances;
    double gflops = bench_gflops(c->plan->steps[step].macs, ms->median);
    return json_pack("{s:f, s:f, s:f, s:o, s:o, s:o, s:f, s:o, s:o, s:s, s:o}", "median_ms",
                     ms->median, "ci_low_ms", ms->ci_low, "ci_high_ms", ms->ci_high,
                     "relative_median", run_json_number(relative->median / instances),
                     "relative_ci_low", run_json_number(relative->ci_low / instances),
                     "relative_ci_high", run_json_number(relative->ci_high / instances), "gflops",
                     gflops, "ceiling_gflops", run_json_number(ceiling), "over_ceiling",
                     run_json_number(gflops / ceiling), "kernel", c->plan->steps[step].kernel_name,
                     "output_hash", json_hash(c->hashes[step]));
}

static json_t *floors_json(const struct run *run, const struct contender *c, int step)
{
    struct floors f = bench_floors(&run->bench, c, step);
    double ms = c->summary[SERIES_HOT].steps[step].median;
    bool known = f.level > 0, bytes = f.bytes_ms > f.arithmetic_ms;
    return json_pack(
        "{s:I, s:f, s:o, s:o, s:o, s:o}", "bytes", (json_int_t)f.bytes, "floor_arithmetic_ms",
        f.arithmetic_ms, "floor_bytes_ms", known ? json_real(f.bytes_ms) : json_null(),
        "floor_level", known ? json_string(ceilings_level_name(f.level)) : json_null(), "bound_by",
        known ? json_string(bytes ? "bytes" : "arithmetic") : json_null(), "floor_share",
        known ? run_json_number(fmax(f.bytes_ms, f.arithmetic_ms) / ms) : json_null());
}

json_t *run_json_layer(const struct run *run, const struct contender *c, int row, int step)
{
    json_t *layer = extend(extend(shape_json(run, c, row, step), figures_json(c, step)),
                           floors_json(run, c, step));
    const struct layer_error *error = run->errors[c->model - run->models];
    if (error && c->plan->steps[step].macs > 0)
        layer =
            extend(layer, json_pack("{s:o, s:o}", "max_error", run_json_number(error[step].error),
                                    "bound_fraction", run_json_number(error[step].fraction)));
    return layer;
}
