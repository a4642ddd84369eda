#include "harness/run_resume.h"

#include "harness/json_fields.h"
#include "harness/run_json.h"
#include "harness/whole_file.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Most repetitions of a series that are kept: a random choice where there were more. */
#define MAX_REPETITIONS 2000

/* What 64 contenders with so many repetitions of 200 layers can take. */
#define MAX_BYTES ((size_t)512 << 20)

/* A sample's figures in the file, before those of its layers. */
#define SAMPLE_FIGURES 4

static const size_t condition_offsets[] = {
    offsetof(struct conditions, measured_s),     offsetof(struct conditions, steal_s),
    offsetof(struct conditions, others_s),       offsetof(struct conditions, own_s),
    offsetof(struct conditions, sibling_s),      offsetof(struct conditions, elsewhere_s),
    offsetof(struct conditions, involuntary),    offsetof(struct conditions, throttles),
    offsetof(struct conditions, quota_throttled)};
#define CONDITIONS (sizeof condition_offsets / sizeof *condition_offsets)

static json_t *repetitions_json(const struct run *run, const struct series *s)
{
    int indices[MAX_REPETITIONS];
    int count = run_json_choose(s->count, MAX_REPETITIONS, run->bench.order_seed, indices);
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        const struct sample *sample = &s->samples[indices[i]];
        const float *ms = s->step_ms + (size_t)indices[i] * (size_t)s->steps;
        json_t *figures = json_pack("[f, f, f, f]", sample->ms, sample->gflops,
                                    sample->clock_hz * 1e-9, sample->at_s);
        for (int step = 0; step < s->steps; step++)
            json_array_append_new(figures, json_real((double)ms[step]));
        json_array_append_new(list, figures);
    }
    return list;
}

static json_t *series_json(const struct run *run, int contender, int kind)
{
    const struct contender *c = &run->bench.contenders[contender];
    const struct series *s = &c->series[kind];
    json_t *conditions = json_array();
    for (size_t i = 0; i < CONDITIONS; i++) {
        const double *value = (const void *)((const char *)&s->conditions + condition_offsets[i]);
        json_array_append_new(conditions, run_json_number(*value));
    }
    return json_pack(
        "{s:i, s:i, s:o, s:o, s:o, s:i, s:i, s:f, s:f, s:f, s:o, s:b, s:i, s:o}", "contender",
        contender, "kind", kind, "plan_hash", json_hash(run_json_plan_hash(c->plan)), "logits_hash",
        json_hash(c->logits_hash), "conditions", conditions, "displaced", s->conditions.displaced,
        "unpinned", s->conditions.unpinned, "spent_s", s->spent_s, "busy_s", s->busy_s, "images",
        s->images, "joules", run_json_number(s->joules), "ended", s->ended, "ended_by",
        (int)s->ended_by, "repetitions", repetitions_json(run, s));
}

json_t *run_resume_json(const struct run *run)
{
    json_t *list = json_array();
    for (int i = 0; i < run->bench.count * SERIES_KINDS; i++) {
        const struct contender *c = &run->bench.contenders[i / SERIES_KINDS];
        if (c->series[i % SERIES_KINDS].count > 0)
            json_array_append_new(list, series_json(run, i / SERIES_KINDS, i % SERIES_KINDS));
    }
    return json_pack("{s:i, s:f, s:o}", "contenders", run->bench.count, "elapsed_s",
                     run_elapsed_s(run), "series", list);
}

static bool read_arguments(struct run_resume *resume, const struct json_value *resmark,
                           struct error *e)
{
    static char command[] = "run";
    const struct json_value *list;
    if (!json_get_list(resmark, "arguments", 0, RUN_RESUME_MAX_ARGUMENTS - 1, &list, e))
        return false;
    resume->argv[resume->argc++] = command;
    for (size_t i = 0; i < json_entries(list); i++) {
        const char *text = json_text(json_entry(list, i));
        if (!text)
            return error_set(e, "\"arguments\" holds something that is no text");
        resume->argv[resume->argc++] = (char *)text; /* getopt moves the pointers only */
    }
    return true;
}

/* Whether it is what this program left when it was interrupted. */
static bool check_file(struct run_resume *resume, struct error *e)
{
    int version;
    const struct json_value *resmark = json_member(resume->document.root, "resmark");
    const char *status = json_text(json_member(resmark, "status"));
    if (!json_is(resmark, JSON_KIND_OBJECT))
        return error_set(e, "it is no result file");
    if (!json_get_integer(resmark, "version", 1, 1 << 20, &version, e))
        return false;
    if (version != RUN_JSON_VERSION)
        return error_set(e, "it is of format version %d, and this resmark resumes version %d",
                         version, RUN_JSON_VERSION);
    if (!status || strcmp(status, "interrupted") != 0)
        return error_set(e, "its run was not interrupted: there is nothing to resume");
    return read_arguments(resume, resmark, e);
}

bool run_resume_open(struct run_resume *resume, const char *path, struct error *e)
{
    size_t size;
    *resume = (struct run_resume){.path = path};
    char *bytes = whole_file_read(path, "result file", MAX_BYTES, &size, e);
    if (!bytes)
        return false;
    bool ok = json_parse(&resume->document, bytes, size, NULL, e) && check_file(resume, e);
    free(bytes);
    struct error inner = *e;
    return ok || error_set(e, "cannot resume %.200s: %s", path, inner.text);
}

void run_resume_close(struct run_resume *resume)
{
    json_document_free(&resume->document);
    *resume = (struct run_resume){0};
}

/* What makes the repetitions of two runs those of one. */
static bool same_program(const struct json_value *resmark, const struct run *run, struct error *e)
{
    const struct json_value *build = json_member(resmark, "build");
    const struct json_value *machine = json_member(resmark, "machine");
    const struct json_value *hash = json_member(build, "executable_hash");
    json_t *own = run_json_executable_hash();
    const char *text = json_string_value(own), *there = json_text(hash);
    bool same = text ? there && strcmp(text, there) == 0 : json_is(hash, JSON_KIND_NULL);
    json_decref(own);
    if (!same)
        return error_set(e, "another build of resmark made it");
    const char *cpu = json_text(json_member(machine, "cpu"));
    long long cores;
    json_integer_of(json_member(machine, "allowed_cores"), &cores);
    return (cpu && strcmp(cpu, run->machine.cpu.brand) == 0 &&
            cores == run->machine.topology.allowed_cores) ||
           error_set(e, "it was made on %.64s with %d cores allowed", cpu ? cpu : "another machine",
                     (int)cores);
}

static bool read_conditions(const struct json_value *object, struct conditions *c, struct error *e)
{
    const struct json_value *list;
    if (!json_get_list(object, "conditions", CONDITIONS, CONDITIONS, &list, e))
        return false;
    for (size_t i = 0; i < CONDITIONS; i++) {
        double *value = (double *)((char *)c + condition_offsets[i]);
        if (!json_number(json_entry(list, i), value))
            *value = (double)NAN;
    }
    return json_get_integer(object, "displaced", 0, INT32_MAX, &c->displaced, e) &&
           json_get_integer(object, "unpinned", 0, INT32_MAX, &c->unpinned, e);
}

static bool read_repetition(struct series *s, const struct json_value *figures, uint64_t *step_ns,
                            struct error *e)
{
    size_t count = SAMPLE_FIGURES + (size_t)s->steps;
    double values[SAMPLE_FIGURES];
    if (json_entries(figures) != count)
        return error_set(e, "a repetition has %zu figures, not %zu", json_entries(figures), count);
    for (size_t i = 0; i < count; i++) {
        double number;
        if (!json_number(json_entry(figures, i), &number) || number < 0 || number > 1e9)
            return error_set(e, "a repetition holds a figure that cannot be");
        if (i < SAMPLE_FIGURES)
            values[i] = number;
        else
            step_ns[i - SAMPLE_FIGURES] = (uint64_t)(number * 1e6);
    }
    struct sample sample = {values[0], values[1], values[2] * 1e9, values[3]};
    return series_add(s, &sample, step_ns, e);
}

static bool read_repetitions(struct series *s, const struct json_value *object, struct error *e)
{
    const struct json_value *list;
    if (!json_get_list(object, "repetitions", 1, MAX_REPETITIONS, &list, e))
        return false;
    uint64_t *step_ns = calloc((size_t)s->steps + 1, sizeof *step_ns);
    bool ok = step_ns || error_set(e, "no memory for %d layers", s->steps);
    for (size_t i = 0; ok && i < json_entries(list); i++)
        ok = read_repetition(s, json_entry(list, i), step_ns, e);
    free(step_ns);
    return ok;
}

static bool read_series(const struct json_value *object, struct run *run, struct error *e)
{
    int contender, kind, ended_by;
    uint64_t plan_hash, logits_hash;
    if (!json_get_integer(object, "contender", 0, run->bench.count - 1, &contender, e) ||
        !json_get_integer(object, "kind", 0, SERIES_KINDS - 1, &kind, e) ||
        !json_get_hash(object, "plan_hash", &plan_hash, e) ||
        !json_get_hash(object, "logits_hash", &logits_hash, e))
        return false;
    struct contender *c = &run->bench.contenders[contender];
    struct series *s = &c->series[kind];
    if (plan_hash != run_json_plan_hash(c->plan))
        return error_set(e, "%s has another plan now, as tuning anew gives: use --plan",
                         c->set->name);
    if (logits_hash != c->logits_hash)
        return error_set(e, "%s computes other bits now", c->set->name);
    if (s->count > 0)
        return error_set(e, "it has the same series twice");
    s->ended = json_holds(json_member(object, "ended"));
    bool ok = json_get_integer(object, "ended_by", 0, ENDED_BY_INTERRUPT, &ended_by, e) &&
              json_get_number(object, "spent_s", 0, &s->spent_s, e) &&
              json_get_number(object, "busy_s", 0, &s->busy_s, e) &&
              json_get_number(object, "images", 0, &s->images, e) &&
              read_conditions(object, &s->conditions, e) && read_repetitions(s, object, e);
    if (!json_number(json_member(object, "joules"), &s->joules))
        s->joules = (double)NAN;
    s->ended_by = ok ? (enum ended_by)ended_by : ENDED_BY_INTERRUPT;
    return ok;
}

static bool read_all(const struct json_value *resmark, struct run *run, struct error *e)
{
    int contenders;
    const struct json_value *list, *own = json_member(resmark, "resume");
    if (!json_get_integer(own, "contenders", 1, BENCH_MAX_CONTENDERS, &contenders, e) ||
        !json_get_number(own, "elapsed_s", 0, &run->bench.earlier_s, e) ||
        !json_get_list(own, "series", 1, (size_t)contenders * SERIES_KINDS, &list, e))
        return false;
    if (contenders != run->bench.count)
        return error_set(e, "it compares %d ways of running, and there are %d now", contenders,
                         run->bench.count);
    for (size_t i = 0; i < json_entries(list); i++) {
        if (!read_series(json_entry(list, i), run, e))
            return false;
    }
    return true;
}

bool run_resume_apply(const struct run_resume *resume, struct run *run, struct error *e)
{
    const struct json_value *resmark = json_member(resume->document.root, "resmark");
    if (same_program(resmark, run, e) && read_all(resmark, run, e))
        return true;
    struct error inner = *e;
    return error_set(e, "cannot resume %.200s: %s", resume->path, inner.text);
}
