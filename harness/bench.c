#include "harness/bench.h"

#include "arch/clock.h"
#include "harness/hash.h"

#include <stdlib.h>

#define MIN_REPETITIONS 3

/* Who grants less than this part of a run, as under an emulator, wants the bits and not the time.
 */
#define BITS_ONLY 0.1
#define MAX_REPETITIONS 200

/* How long one measurement of the ceiling takes. */
#define CEILING_NS 2000000

/* Rounds between two looks at the clock: microseconds on any ISA, so that the looks cost nothing.
 */
#define CEILING_ROUNDS 1000

bool bench_add(struct bench *bench, const struct model *model, const struct kernel_set *set,
               struct team *team, const struct step_blocking *blockings, struct error *e)
{
    if (bench->count == BENCH_MAX_CONTENDERS)
        return error_set(e,
                         "too many combinations of ISAs, algorithms and thread counts: at most %d",
                         BENCH_MAX_CONTENDERS);
    struct contender *c = &bench->contenders[bench->count++];
    *c = (struct contender){.model = model, .set = set, .team = team};
    if (!plan_make(&c->plan, model, set, bench->layout, bench->topology, team_threads(team), e) ||
        (blockings && !plan_cut(&c->plan, blockings, e)) ||
        !engine_make(&c->engine, &c->plan, team, e))
        return false;
    size_t steps = (size_t)c->plan.step_count;
    c->hashes = calloc(steps, sizeof *c->hashes);
    c->steps = calloc(steps, sizeof *c->steps);
    return (c->hashes && c->steps) ||
           error_set(e, "no memory for the results of %zu layers", steps);
}

void bench_free(struct bench *bench)
{
    for (int i = 0; i < bench->count; i++) {
        struct contender *c = &bench->contenders[i];
        engine_free(&c->engine);
        plan_free(&c->plan);
        free(c->hashes);
        free(c->steps);
        free(c->total_ms);
        free(c->step_ms);
        free(c->ceiling);
    }
    bench->count = 0;
}

double bench_gflops(double macs, double ms)
{
    return ms > 0 ? 2 * macs / ms * 1e-6 : 0;
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

static void hash_step(void *context, const struct plan *plan, int step)
{
    struct contender *c = context;
    const struct plan_step *s = &plan->steps[step];
    c->hashes[step] = hash_outputs(&s->sum, &s->act, plan->batch);
}

/* The first run, and how many repetitions fit the budget after it. */
static bool run_first(struct bench *bench, struct contender *c, struct error *e)
{
    size_t steps = (size_t)c->plan.step_count;
    uint64_t *ns = calloc(steps, sizeof *ns);
    if (!ns)
        return error_set(e, "no memory for the times of %zu layers", steps);
    engine_run(&c->engine, ns, hash_step, c);
    if (!bench->first_end_ns)
        bench->first_end_ns = clock_ns();
    for (size_t i = 0; i < steps; i++)
        c->first_ms += (double)ns[i] * 1e-6;
    free(ns);
    c->logits_hash = hash_tensor(plan_logits(&c->plan), c->plan.batch);
    double fits = bench->budget_s * 1e3 / c->first_ms;
    c->repetitions = fits < BITS_ONLY         ? 1
                     : fits < MIN_REPETITIONS ? MIN_REPETITIONS
                     : fits > MAX_REPETITIONS ? MAX_REPETITIONS
                                              : (int)fits;
    size_t repetitions = (size_t)c->repetitions;
    c->total_ms = calloc(repetitions, sizeof *c->total_ms);
    c->step_ms = calloc(repetitions * steps, sizeof *c->step_ms);
    c->ceiling = calloc(repetitions, sizeof *c->ceiling);
    return (c->total_ms && c->step_ms && c->ceiling) ||
           error_set(e, "no memory for %d repetitions", c->repetitions);
}

struct ceiling_job {
    const struct kernel_set *set;
    double gflops[TEAM_MAX_THREADS];
};

static void measure_ceiling(void *context, int thread)
{
    struct ceiling_job *job = context;
    uint64_t begin = clock_ns(), ns = 0;
    double operations = 0;
    while (ns < CEILING_NS) {
        operations += job->set->peak.run(CEILING_ROUNDS);
        ns = clock_ns() - begin;
    }
    job->gflops[thread] = operations / (double)ns;
}

static double ceiling_of(const struct contender *c)
{
    struct ceiling_job job = {.set = c->set};
    team_run_each(c->team, measure_ceiling, &job);
    double sum = 0;
    for (int t = 0; t < team_threads(c->team); t++)
        sum += job.gflops[t];
    return sum;
}

static bool run_once(struct contender *c, struct error *e)
{
    size_t steps = (size_t)c->plan.step_count, all = (size_t)c->repetitions;
    size_t index = (size_t)c->done;
    uint64_t *ns = calloc(steps, sizeof *ns);
    if (!ns)
        return error_set(e, "no memory for the times of %zu layers", steps);
    c->ceiling[index] = ceiling_of(c);
    c->total_ms[index] = (double)engine_run(&c->engine, ns, NULL, NULL) * 1e-6;
    for (size_t i = 0; i < steps; i++)
        c->step_ms[i * all + index] = (double)ns[i] * 1e-6;
    c->done++;
    free(ns);
    return true;
}

/* Contenders take turns, each as often as its repetitions are to those of the most frequent. */
static bool run_rounds(struct bench *bench, struct error *e)
{
    int rounds = 0;
    for (int i = 0; i < bench->count; i++) {
        if (bench->contenders[i].repetitions > rounds)
            rounds = bench->contenders[i].repetitions;
    }
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < bench->count; i++) {
            struct contender *c = &bench->contenders[i];
            if (*bench->stop)
                return true;
            if ((int64_t)c->done * rounds > (int64_t)round * c->repetitions ||
                c->done == c->repetitions)
                continue;
            if (bench->progress)
                bench->progress(c, (double)round / rounds);
            if (!run_once(c, e))
                return false;
        }
    }
    return true;
}

static void summarize_contender(struct contender *c)
{
    c->total = summarize(c->total_ms, c->done);
    c->ceiling_median = summarize(c->ceiling, c->done).median;
    for (int i = 0; i < c->plan.step_count; i++)
        c->steps[i] = summarize(c->step_ms + (size_t)i * (size_t)c->repetitions, c->done);
}

bool bench_run(struct bench *bench, struct error *e)
{
    for (int i = bench->count - 1; i >= 0; i--) {
        if (*bench->stop)
            return error_set(e, "interrupted before anything was measured");
        if (bench->progress)
            bench->progress(&bench->contenders[i], 0);
        if (!run_first(bench, &bench->contenders[i], e))
            return false;
    }
    if (!run_rounds(bench, e))
        return false;
    for (int i = 0; i < bench->count; i++) {
        if (bench->contenders[i].done == 0)
            return error_set(e, "interrupted before everything was measured once");
    }
    for (int i = 0; i < bench->count; i++)
        summarize_contender(&bench->contenders[i]);
    return true;
}
