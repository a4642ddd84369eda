#include "harness/json_fields.h"
#include "harness/plan_file.h"
#include "harness/run.h"
#include "harness/whole_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Of the `resmark` object; a reader accepts its own and older ones. */
#define RESULT_VERSION 1

static json_t *caches_json(const struct topology *t)
{
    json_t *caches = json_array();
    for (int i = 0; i < CACHE_LEVELS; i++) {
        const struct cache *c = &t->caches[i];
        if (c->bytes)
            json_array_append_new(caches,
                                  json_pack("{s:s, s:i, s:I, s:i}", "type",
                                            i == 0 ? "Data" : "Unified", "level", i + 1, "size",
                                            (json_int_t)c->bytes, "num_sharing", c->sharing_pus));
    }
    return caches;
}

/* Google Benchmark's context. */
static json_t *context_json(const struct run *run)
{
    char date[40] = "", host[256] = "";
    time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local))
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S%z", &local);
    gethostname(host, sizeof host - 1);
    double load[3] = {0};
    if (getloadavg(load, 3) != 3)
        memset(load, 0, sizeof load);
    return json_pack("{s:s, s:s, s:s, s:i, s:o, s:[f,f,f], s:s}", "date", date, "host_name", host,
                     "executable", "resmark", "num_cpus", run->machine.topology.pus, "caches",
                     caches_json(&run->machine.topology), "load_avg", load[0], load[1], load[2],
                     "library_build_type", "release");
}

/* One entry a repetition, so that a reader of that schema can test the difference of two files. */
static void append_benchmarks(json_t *list, const struct run *run, const struct contender *c)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s/%s/batch:%d/threads:%d", c->model->net.name, c->set->name,
             model_algo_name(c->model), run->options.batch, team_threads(c->team));
    for (int i = 0; i < c->total.count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:f, s:f, s:s}", "name", name,
                            "run_name", name, "run_type", "iteration", "repetitions",
                            c->total.count, "repetition_index", i, "threads", team_threads(c->team),
                            "iterations", 1, "real_time", c->total_ms[i], "cpu_time",
                            c->total_ms[i] * team_threads(c->team), "time_unit", "ms"));
}

static json_t *end_to_end_json(const struct run *run, const struct contender *c)
{
    const struct network *net = &c->model->net;
    double batch = run->options.batch, ms = c->total.median;
    double gflops = bench_gflops(net->macs * batch, ms);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s}", "network", net->name,
                            "variant", net->variant, "isa", c->set->name, "algo",
                            model_algo_name(c->model), "threads", team_threads(c->team), "batch",
                            run->options.batch, "instances", 1, "precision", "fp32");
    json_t *figures = json_pack(
        "{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:s, s:f, s:i}", "median_ms", ms,
        "ci_low_ms", c->total.ci_low, "ci_high_ms", c->total.ci_high, "p99_ms", c->total.p99,
        "images_per_s", batch * 1e3 / ms, "gflops", gflops, "ceiling_gflops", c->ceiling_median,
        "over_ceiling", gflops / c->ceiling_median, "logits_hash", json_hash(c->logits_hash),
        "verdict", run_verdict(run, c), "first_ms", c->first_ms, "repetitions", c->total.count);
    json_object_update(row, figures);
    json_decref(figures);
    return row;
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

static json_t *layer_json(const struct run *run, const struct contender *c, int step)
{
    char name[48];
    const struct plan_step *s = &c->plan.steps[step];
    const struct node *node = &c->model->net.nodes[s->node];
    const struct shape *in = &c->model->net.nodes[node->inputs[0]].shape;
    double ms = c->steps[step].median, gflops = bench_gflops(s->macs, ms);
    json_t *row = json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s}", "network", c->model->net.name,
                            "isa", c->set->name, "algo", algo_name(s->algo), "threads",
                            team_threads(c->team), "batch", run->options.batch, "name",
                            run_step_name(run, step, name), "kind", kind_name(s->kind));
    json_t *shape =
        json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:f}", "cin", in->channels, "cout",
                  node->shape.channels, "kernel_size", node->kernel, "stride", node->stride,
                  "height", in->height, "width", in->width, "macs", s->macs);
    json_t *figures =
        json_pack("{s:f, s:f, s:f, s:f, s:s, s:o}", "median_ms", ms, "gflops", gflops,
                  "ceiling_gflops", c->ceiling_median, "over_ceiling", gflops / c->ceiling_median,
                  "kernel", s->kernel_name, "output_hash", json_hash(c->hashes[step]));
    json_object_update(row, shape);
    json_object_update(row, figures);
    const struct layer_error *error = run->errors[c->model - run->models];
    if (error && s->macs > 0)
        json_object_update_new(row, json_pack("{s:f, s:f}", "max_error", error[step].error,
                                              "bound_fraction", error[step].fraction));
    json_decref(shape);
    json_decref(figures);
    return row;
}

static json_t *machine_json(const struct machine *m)
{
    return json_pack("{s:s, s:i, s:i, s:f, s:s}", "cpu", m->cpu.brand, "cores", m->topology.cores,
                     "allowed_cores", m->topology.allowed_cores, "quota_cores", m->quota,
                     "huge_pages", m->huge_pages);
}

static json_t *weights_json(const struct run *run)
{
    const struct weights_file *file = &run->weights_file;
    return file->path ? json_pack("{s:s, s:s, s:s}", "source", file->format, "file", file->path,
                                  "hash", file->sha256)
                      : json_pack("{s:s, s:I}", "source", "synthetic", "seed",
                                  (json_int_t)run->options.seed);
}

static json_t *result_json(const struct run *run)
{
    json_t *benchmarks = json_array(), *rows = json_array(), *layers = json_array();
    for (int i = 0; i < run->bench.count; i++) {
        const struct contender *c = &run->bench.contenders[i];
        append_benchmarks(benchmarks, run, c);
        json_array_append_new(rows, end_to_end_json(run, c));
        for (int step = 0; step < c->plan.step_count; step++)
            json_array_append_new(layers, layer_json(run, c, step));
    }
    json_t *own =
        json_pack("{s:i, s:s, s:s, s:o, s:I, s:f, s:f, s:I, s:o, s:o}", "version", RESULT_VERSION,
                  "resmark_version", RESMARK_VERSION, "compiler", MACHINE_COMPILER, "machine",
                  machine_json(&run->machine), "seed", (json_int_t)run->options.seed, "weights_ms",
                  run->weights_ms, "start_ms", run->start_ms, "peak_memory_bytes",
                  (json_int_t)memory_peak_bytes(), "end_to_end", rows, "layers", layers);
    json_object_set_new(own, "weights", weights_json(run));
    if (run->tuned.conv_count > 0)
        json_object_set_new(own, "plan", tuned_plan_json(&run->tuned));
    return json_pack("{s:o, s:o, s:o}", "context", context_json(run), "benchmarks", benchmarks,
                     "resmark", own);
}

bool run_check_json(const char *path, struct error *e)
{
    return whole_file_check(path, "result file", e);
}

bool run_write_json(const struct run *run, const char *path, struct error *e)
{
    json_t *root = result_json(run);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    bool ok = text ? whole_file_write(path, "result file", text, e)
                   : error_set(e, "no memory for the result file");
    free(text);
    return ok;
}
