#include "harness/run_json.h"

#include "harness/json_fields.h"
#include "harness/measure/ceilings_json.h"
#include "harness/plan_file.h"
#include "harness/run_resume.h"
#include "harness/whole_file.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

/* Objects and lists down to this depth have a line for each entry; those below one line. */
#define LINE_DEPTH 3

#define DUMP_FLAGS (JSON_REAL_PRECISION(7) | JSON_ENCODE_ANY | JSON_COMPACT)

json_t *run_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *run_json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    char *plain = strdup(text);
    for (char *at = plain; at && *at; at++)
        *at = *at & 0x80 ? '?' : *at;
    value = plain ? json_string(plain) : NULL;
    free(plain);
    return value;
}

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
    return json_pack("{s:s, s:o, s:s, s:i, s:o, s:[f,f,f], s:s}", "date", date, "host_name",
                     run_json_text(host), "executable", "resmark", "num_cpus",
                     run->machine.topology.pus, "caches", caches_json(&run->machine.topology),
                     "load_avg", load[0], load[1], load[2], "library_build_type", "release");
}

static void format_name(const struct contender *c, enum series_kind kind, char *name, size_t size)
{
    char instances[32] = "";
    if (instances_count(c->instances) > 1)
        snprintf(instances, sizeof instances, "/instances:%d", instances_count(c->instances));
    snprintf(name, size, "%s/%s/%s/batch:%d/threads:%d%s%s", c->model->net.name, c->set->name,
             model_algo_name(c->model), c->plan->batch, c->threads, instances,
             kind == SERIES_COLD ? "/cold" : "");
}

/* One entry a repetition, so that a reader of that schema can test the difference of two files. */
static void append_benchmarks(json_t *list, const struct run *run, const struct contender *c,
                              enum series_kind kind)
{
    char name[192];
    int indices[RUN_JSON_SAMPLES];
    int count =
        run_json_choose(c->series[kind].count, RUN_JSON_SAMPLES, run->bench.order_seed, indices);
    format_name(c, kind, name, sizeof name);
    for (int i = 0; i < count; i++) {
        double ms = c->series[kind].samples[indices[i]].ms;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:f, s:f, s:s}", "name", name,
                            "run_name", name, "run_type", "iteration", "repetitions", count,
                            "repetition_index", i, "threads", c->threads, "iterations", 1,
                            "real_time", ms, "cpu_time", ms * c->threads, "time_unit", "ms"));
    }
}

static json_t *weights_json(const struct run *run)
{
    const struct weights_file *file = &run->weights_file;
    return file->path ? json_pack("{s:s, s:o, s:s}", "source", file->format, "file",
                                  run_json_text(file->path), "hash", file->sha256)
                      : json_pack("{s:s, s:I}", "source", "synthetic", "seed",
                                  (json_int_t)run->options.seed);
}

json_t *run_json_executable_hash(void)
{
    struct stat status;
    json_t *hash = NULL;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    size_t size = fd >= 0 && fstat(fd, &status) == 0 ? (size_t)status.st_size : 0;
    void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (bytes != MAP_FAILED) {
        hash = json_hash(XXH3_64bits(bytes, size));
        munmap(bytes, size);
    }
    if (fd >= 0)
        close(fd);
    return hash ? hash : json_null();
}

static json_t *arguments_json(const struct run *run)
{
    json_t *arguments = json_array();
    for (int i = 0; i < run->argument_count; i++)
        json_array_append_new(arguments, run_json_text(run->arguments[i]));
    return arguments;
}

static json_t *request_json(const struct run *run)
{
    const struct run_options *o = &run->options;
    return json_pack(
        "{s:i, s:s, s:s, s:s, s:o, s:f, s:I, s:I, s:s, s:{s:o, s:s}, s:{s:f, s:f, s:f, s:i}}",
        "version", RUN_JSON_VERSION, "resmark_version", RESMARK_VERSION, "status",
        run->interrupted ? "interrupted" : "complete", "scenario", scenario_name(o->scenario),
        "arguments", arguments_json(run), "duration_s", run_elapsed_s(run), "seed",
        (json_int_t)o->seed, "order_seed", (json_int_t)run->bench.order_seed, "compiler",
        MACHINE_COMPILER, "build", "executable_hash", run_json_executable_hash(), "type",
        RESMARK_BUILD_TYPE, "measuring", "precision", o->precision, "max_time_s", o->max_time,
        "confidence", 0.95, "sample_limit", RUN_JSON_SAMPLES);
}

static json_t *subject_json(const struct run *run)
{
    const struct network *net = &run->models[0].net;
    const char *image = run->options.image ? run->options.image : "built-in";
    return json_pack(
        "{s:o, s:{s:s, s:s, s:i, s:i, s:i, s:I, s:I}, s:o, s:{s:o, s:i, s:i}, s:f, s:f, s:I, s:o}",
        "machine", run_json_machine(run), "network", "name", net->name, "variant", net->variant,
        "classes", net->classes, "size", run->options.size, "layers", run->models[0].steps.count,
        "macs", (json_int_t)net->macs, "parameters", (json_int_t)net->parameters, "weights",
        weights_json(run), "image", "source", run_json_text(image), "width", run->image_width,
        "height", run->image_height, "weights_ms", run->weights_ms, "start_ms", run->start_ms,
        "peak_memory_bytes", (json_int_t)run->peak_bytes, "ceilings",
        ceilings_json(&run->bench.ceilings));
}

/* The lists that hold what was measured. */
struct lists {
    json_t *benchmarks, *rows, *cold, *layers;
    int best_throughput, best_latency; /* of the rows */
};

static void append_rows(const struct run *run, struct lists *lists)
{
    const struct contender *most = run_best_throughput(run), *least = run_best_latency(run);
    for (int i = 0; i < run->bench.count; i++) {
        const struct contender *c = &run->bench.contenders[i];
        int row = (int)json_array_size(lists->rows);
        if (!run_is_measured(c))
            continue;
        lists->best_throughput = c == most ? row : lists->best_throughput;
        lists->best_latency = c == least ? row : lists->best_latency;
        append_benchmarks(lists->benchmarks, run, c, SERIES_HOT);
        json_array_append_new(lists->rows, run_json_row(run, c, SERIES_HOT));
        for (int step = 0; step < c->plan->step_count; step++)
            json_array_append_new(lists->layers, run_json_layer(run, c, row, step));
        if (c->series[SERIES_COLD].count > 0) {
            append_benchmarks(lists->benchmarks, run, c, SERIES_COLD);
            json_array_append_new(lists->cold, run_json_row(run, c, SERIES_COLD));
        }
    }
}

static json_t *result_json(const struct run *run)
{
    struct lists lists = {json_array(), json_array(), json_array(), json_array(), 0, 0};
    append_rows(run, &lists);
    json_t *own = request_json(run), *subject = subject_json(run);
    if (!own || !subject || json_object_update(own, subject) != 0) {
        json_decref(own);
        own = NULL;
    }
    json_decref(subject);
    json_object_set_new(own, "end_to_end", lists.rows);
    json_object_set_new(own, "cold", lists.cold);
    json_object_set_new(own, "layers", lists.layers);
    if (run->options.scenario == SCENARIO_SWEEP)
        json_object_set_new(own, "sweep",
                            json_pack("{s:i, s:i}", "best_images_per_s", lists.best_throughput,
                                      "best_latency", lists.best_latency));
    if (run->interrupted)
        json_object_set_new(own, "resume", run_resume_json(run));
    if (run->tuned.conv_count > 0)
        json_object_set_new(own, "plan", tuned_plan_json(&run->tuned));
    return json_pack("{s:o, s:o, s:o}", "context", context_json(run), "benchmarks",
                     lists.benchmarks, "resmark", own);
}

static void begin_line(FILE *out, bool first, int depth)
{
    fprintf(out, "%s\n%*s", first ? "" : ",", depth, "");
}

/* A line for each row and layer, so that people and diff can read it. */
static bool dump(FILE *out, const json_t *value, int depth)
{
    const char *key;
    json_t *member;
    size_t index;
    bool ok = true, first = true;
    if (depth >= LINE_DEPTH || !(json_is_object(value) || json_is_array(value)))
        return json_dumpf(value, out, DUMP_FLAGS) == 0;
    fputc(json_is_object(value) ? '{' : '[', out);
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, member)
        {
            begin_line(out, first, depth + 1);
            fprintf(out, "\"%s\": ", key);
            ok = dump(out, member, depth + 1) && ok;
            first = false;
        }
    } else {
        json_array_foreach(value, index, member)
        {
            begin_line(out, first, depth + 1);
            ok = dump(out, member, depth + 1) && ok;
            first = false;
        }
    }
    fprintf(out, "\n%*s%c", depth, "", json_is_object(value) ? '}' : ']');
    return ok;
}

bool run_check_json(const char *path, struct error *e)
{
    return whole_file_check(path, "result file", e);
}

bool run_write_json(const struct run *run, const char *path, struct error *e)
{
    json_t *root = result_json(run);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool ok = root && out && dump(out, root, 0);
    ok = out && fclose(out) == 0 && ok;
    json_decref(root);
    ok = ok ? whole_file_write(path, "result file", text, e)
            : error_set(e, "no memory for the result file");
    free(text);
    return ok;
}
