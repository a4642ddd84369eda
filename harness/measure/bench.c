#include "harness/measure/bench.h"

#include "arch/clock.h"
#include "harness/hash.h"
#include "harness/measure/turn.h"

#include <stdio.h>
#include <stdlib.h>

/* A cold repetition needs a flush of a tenth of a second; a few of them suffice. What runs longer
 * than that part of the time does not care for caches, and is not measured cold. */
#define COLD_SHARE 0.25

static bool watch_cpus(struct contender *c, struct error *e)
{
    int used[TEAM_MAX_THREADS], count = 0;
    c->watch = malloc(sizeof *c->watch);
    for (int i = 0; i < instances_count(c->instances); i++) {
        const struct team *team = instances_get(c->instances, i)->team;
        for (int t = 0; t < c->threads && count < TEAM_MAX_THREADS; t++)
            used[count++] = team_cpu(team, t);
    }
    if (c->watch)
        conditions_watch(c->watch, "", used, count);
    return c->watch || error_set(e, "no memory to watch %d CPUs", count);
}

bool bench_add(struct bench *bench, const struct instances_request *request, struct error *e)
{
    if (bench->count == BENCH_MAX_CONTENDERS)
        return error_set(e,
                         "too many combinations of ISAs, algorithms, threads, batches and "
                         "instances: at most %d",
                         BENCH_MAX_CONTENDERS);
    struct contender *c = &bench->contenders[bench->count++];
    *c = (struct contender){
        .model = request->model, .set = request->set, .threads = request->threads};
    c->instances = instances_make(request, e);
    if (!c->instances)
        return false;
    c->plan = &instances_get(c->instances, 0)->plan;
    c->engine = &instances_get(c->instances, 0)->engine;
    size_t steps = (size_t)c->plan->step_count;
    c->hashes = calloc(steps, sizeof *c->hashes);
    for (int k = 0; k < SERIES_KINDS; k++)
        c->series[k].steps = k == SERIES_HOT ? c->plan->step_count : 0;
    return c->hashes ? watch_cpus(c, e)
                     : error_set(e, "no memory for the hashes of %zu layers", steps);
}

void bench_free(struct bench *bench)
{
    for (int i = 0; i < bench->count; i++) {
        struct contender *c = &bench->contenders[i];
        for (int k = 0; k < SERIES_KINDS; k++) {
            series_free(&c->series[k]);
            series_summary_free(&c->summary[k]);
        }
        instances_free(c->instances);
        free(c->hashes);
        free(c->watch);
    }
    bench->count = 0;
}

int bench_disagreement(const struct bench *bench, const struct model *model, int step, int *with)
{
    int first = -1;
    for (int i = 0; i < bench->count; i++) {
        const struct contender *c = &bench->contenders[i];
        if (c->model != model)
            continue;
        if (first < 0)
            first = i;
        if (with)
            *with = first;
        if (c->hashes[step] != bench->contenders[first].hashes[step])
            return i;
    }
    return -1;
}

struct first_run {
    struct contender *contender;
    uint64_t *ns; /* of instance 0's steps */
    uint64_t logits[INSTANCES_MAX];
};

static void hash_step(void *context, const struct plan *plan, int step)
{
    struct contender *c = context;
    const struct plan_step *s = &plan->steps[step];
    c->hashes[step] = hash_outputs(&s->sum, &s->act, plan->batch);
}

static void run_instance_first(void *context, struct instance *one)
{
    struct first_run *first = context;
    if (one->index == 0)
        engine_run(&one->engine, first->ns, hash_step, first->contender);
    else
        engine_run(&one->engine, NULL, NULL, NULL);
    team_rest(one->team);
    first->logits[one->index] = hash_tensor(plan_logits(&one->plan), one->plan.batch);
}

static bool run_first(struct contender *c, struct error *e)
{
    size_t steps = (size_t)c->plan->step_count;
    struct first_run first = {.contender = c, .ns = calloc(steps, sizeof *first.ns)};
    if (!first.ns)
        return error_set(e, "no memory for the times of %zu layers", steps);
    instances_each(c->instances, run_instance_first, &first);
    for (size_t i = 0; i < steps; i++)
        c->first_ms += (double)first.ns[i] * 1e-6;
    free(first.ns);
    c->logits_hash = first.logits[0];
    for (int i = 1; i < instances_count(c->instances); i++) {
        if (first.logits[i] != first.logits[0])
            return error_set(e, "instance %d of %s computes other bits than the first", i + 1,
                             c->set->name);
    }
    return true;
}

bool bench_first(struct bench *bench, struct error *e)
{
    for (int i = bench->count - 1; i >= 0; i--) {
        if (*bench->stop)
            return error_set(e, "interrupted before anything was measured");
        if (bench->progress)
            bench->progress(&bench->contenders[i], 0);
        if (!run_first(&bench->contenders[i], e))
            return false;
        if (!bench->first_end_ns)
            bench->first_end_ns = clock_ns();
    }
    return true;
}

/* xorshift64* (Vigna, An experimental exploration of Marsaglia's xorshift generators); 0..1. */
static double next_uniform(uint64_t *state)
{
    uint64_t x = *state ? *state : 1;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return (double)(x * 2685821657736338717U >> 11) / 9007199254740992.0;
}

static double time_of(const struct bench *bench, enum series_kind kind)
{
    return bench->max_time_s * (kind == SERIES_HOT ? 1 : COLD_SHARE);
}

/* The turns that a series has probably left: what it is drawn in proportion to, so that all end at
 * about the same time, and each is spread over the whole run. */
static double turns_left(const struct bench *bench, const struct contender *c,
                         enum series_kind kind)
{
    const struct series *s = &c->series[kind];
    if (s->ended || (kind == SERIES_COLD && c->first_ms * 1e-3 > time_of(bench, kind)))
        return 0;
    double turn_s = s->count ? s->spent_s / s->count : c->first_ms * 1e-3;
    double left = (time_of(bench, kind) - s->spent_s) / turn_s;
    return left > 1 ? left : 1;
}

/* Draws the next turn; false when all series have ended. */
static bool draw(const struct bench *bench, uint64_t *state, int *contender, enum series_kind *kind)
{
    double sum = 0;
    for (int i = 0; i < bench->count * SERIES_KINDS; i++)
        sum += turns_left(bench, &bench->contenders[i / SERIES_KINDS],
                          (enum series_kind)(i % SERIES_KINDS));
    double at = next_uniform(state) * sum;
    *contender = -1;
    for (int i = 0; i < bench->count * SERIES_KINDS; i++) {
        double left = turns_left(bench, &bench->contenders[i / SERIES_KINDS],
                                 (enum series_kind)(i % SERIES_KINDS));
        if (left <= 0)
            continue;
        *contender = i / SERIES_KINDS;
        *kind = (enum series_kind)(i % SERIES_KINDS);
        if (at < left)
            break;
        at -= left;
    }
    return *contender >= 0;
}

static double share_done(const struct bench *bench)
{
    double done = 0, all = 0;
    for (int i = 0; i < bench->count; i++) {
        const struct series *s = &bench->contenders[i].series[SERIES_HOT];
        all += bench->max_time_s;
        done += s->ended || s->spent_s > bench->max_time_s ? bench->max_time_s : s->spent_s;
    }
    return done / all;
}

static bool run_turns(struct bench *bench, struct error *e)
{
    uint64_t state = bench->order_seed;
    int index;
    enum series_kind kind;
    while (!*bench->stop && draw(bench, &state, &index, &kind)) {
        struct contender *c = &bench->contenders[index];
        if (bench->progress)
            bench->progress(c, share_done(bench));
        if (!turn_run(bench, c, kind, e))
            return false;
        series_check(&c->series[kind], bench->precision, time_of(bench, kind));
    }
    return true;
}

bool bench_measure(struct bench *bench, struct error *e)
{
    int measured = 0;
    if (!run_turns(bench, e))
        return false;
    for (int i = 0; i < bench->count * SERIES_KINDS; i++) {
        struct contender *c = &bench->contenders[i / SERIES_KINDS];
        enum series_kind kind = (enum series_kind)(i % SERIES_KINDS);
        if (c->series[kind].count == 0)
            continue;
        if (!c->series[kind].ended)
            c->series[kind].ended_by = ENDED_BY_INTERRUPT;
        if (!series_summarize(&c->series[kind], &c->summary[kind], e))
            return false;
        turn_judge(bench, c, kind);
        measured += kind == SERIES_HOT;
    }
    return measured > 0 || error_set(e, "interrupted before anything was measured");
}

double bench_gflops(double macs, double ms)
{
    return ms > 0 ? 2 * macs / ms * 1e-6 : 0;
}

double bench_images_per_s(const struct contender *c, enum series_kind kind)
{
    const struct series_summary *s = &c->summary[kind];
    if (instances_count(c->instances) > 1)
        return s->images_per_s;
    return s->ms.median > 0 ? c->plan->batch * 1e3 / s->ms.median : 0;
}

struct floors bench_floors(const struct bench *bench, const struct contender *c, int step)
{
    double gflops = c->summary[SERIES_HOT].gflops_median / instances_count(c->instances);
    return floors_of(c->plan, step, gflops, (double)c->model->weights.memory.floats * sizeof(float),
                     &bench->ceilings, bench->topology);
}

void bench_label(const struct contender *c, char *text, size_t size)
{
    int length = snprintf(text, size, "--isa %s --algo %s --threads %d", c->set->name,
                          c->model->tuned ? "auto --tune" : model_algo_name(c->model), c->threads);
    if (length > 0 && (size_t)length < size && c->plan->batch > 1)
        length += snprintf(text + length, size - (size_t)length, " --batch %d", c->plan->batch);
    if (length > 0 && (size_t)length < size && instances_count(c->instances) > 1)
        snprintf(text + length, size - (size_t)length, " --instances %d",
                 instances_count(c->instances));
}
