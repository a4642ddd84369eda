#include "harness/run_setup.h"

#include "arch/clock.h"
#include "harness/input.h"
#include "harness/measure/clock_policy.h"
#include "harness/run_tune.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THROUGHPUT_BATCH 16

/* Stands in a list of instances for as many as there are cores for. */
#define ALL_CORES 0

/* Bandwidths take a second or two: too long for a run that is to be quick. */
#define MIN_TIME_FOR_BANDWIDTHS 1.0

static void default_threads(struct run *run)
{
    struct run_options *o = &run->options;
    int all = run->machine.default_threads;
    if (o->scenario == SCENARIO_INSTANCES)
        o->threads[o->thread_counts++] = 1;
    for (int t = 1; o->scenario == SCENARIO_SWEEP && t < all; t *= 2) {
        if (o->thread_counts < RUN_MAX_THREAD_COUNTS - 1)
            o->threads[o->thread_counts++] = t;
    }
    if (o->scenario != SCENARIO_INSTANCES)
        o->threads[o->thread_counts++] = all;
}

static void default_batches(struct run_options *o)
{
    static const int sweep[] = {1, 4, THROUGHPUT_BATCH};
    if (o->scenario == SCENARIO_SWEEP) {
        for (int i = 0; i < 3; i++)
            o->batches[o->batch_count++] = sweep[i];
    } else {
        o->batches[o->batch_count++] = o->scenario == SCENARIO_THROUGHPUT ? THROUGHPUT_BATCH : 1;
    }
}

static void default_instances(struct run_options *o)
{
    if (o->scenario != SCENARIO_INSTANCES)
        o->instances[o->instance_counts++] = 1;
    if (o->scenario == SCENARIO_INSTANCES || o->scenario == SCENARIO_SWEEP)
        o->instances[o->instance_counts++] = ALL_CORES;
}

/* Scenarios of many images compare ways of running them, and the best set does. */
static void default_isas(struct run *run)
{
    struct isa_list *isas = &run->isas;
    if (run->options.scenario == SCENARIO_LATENCY || run->options.isa)
        return;
    isas->isas[0] = isas->isas[isas->count - 1];
    isas->count = 1;
}

static bool fits(const struct run *run, int instances, int threads)
{
    return instances <= run->machine.topology.allowed_pus / threads;
}

static bool check_places(const struct run *run, struct error *e)
{
    const struct run_options *o = &run->options;
    int pus = run->machine.topology.allowed_pus;
    for (int i = 0; i < o->thread_counts; i++) {
        if (o->threads[i] > pus)
            return error_set(e, "--threads %d: this process may use %d CPU%s; ask for 1 to %d",
                             o->threads[i], pus, pus == 1 ? "" : "s", pus);
        for (int k = 0; o->scenario != SCENARIO_SWEEP && k < o->instance_counts; k++) {
            if (o->instances[k] != ALL_CORES && !fits(run, o->instances[k], o->threads[i]))
                return error_set(e, "--instances %d of --threads %d: this process may use %d CPU%s",
                                 o->instances[k], o->threads[i], pus, pus == 1 ? "" : "s");
        }
    }
    return true;
}

bool run_setup_options(struct run *run, struct error *e)
{
    struct run_options *o = &run->options;
    if (!isa_select(&run->machine.cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), o->isa,
                    &run->isas, e))
        return false;
    default_isas(run);
    if (o->thread_counts == 0)
        default_threads(run);
    if (o->batch_count == 0)
        default_batches(o);
    if (o->instance_counts == 0)
        default_instances(o);
    if ((o->tune || o->plan_file) && o->batch_count > 1)
        return error_set(e, "a plan is for one batch: give --batch one value");
    return check_places(run, e);
}

static bool make_teams(struct run *run, struct error *e)
{
    for (int i = 0; i < run->options.thread_counts; i++) {
        run->teams[i] = team_create(run->options.threads[i], &run->machine.topology, e);
        if (!run->teams[i])
            return false;
    }
    return true;
}

static struct team *widest_team(const struct run *run)
{
    struct team *widest = run->teams[0];
    for (int i = 1; i < run->options.thread_counts; i++) {
        if (team_threads(run->teams[i]) > team_threads(widest))
            widest = run->teams[i];
    }
    return widest;
}

struct model_options run_setup_model_options(const struct run *run)
{
    const struct run_options *o = &run->options;
    const struct network *file = run->weights_file.path ? &run->weights_file.network.net : NULL;
    return (struct model_options){.network = file ? file->name : o->network,
                                  .classes = file ? file->classes : o->classes,
                                  .size = o->size,
                                  .batch = o->batches[0],
                                  .request = ALGO_AUTO,
                                  .no_softmax = o->no_softmax};
}

/* Model b * algo_count + a is of batch b and algorithm a. */
static bool make_models(struct run *run, struct error *e)
{
    const struct run_options *o = &run->options;
    uint64_t begin = clock_ns();
    struct param_source source = run_source(run);
    struct model_options options = run_setup_model_options(run);
    for (int i = 0; i < o->batch_count * o->algo_count; i++) {
        options.batch = o->batches[i / o->algo_count];
        options.request = o->algos[i % o->algo_count];
        if (!model_make(&run->models[run->model_count++], &options, &source, widest_team(run), e))
            return false;
    }
    run->weights_ms = (double)(clock_ns() - begin) * 1e-6;
    return true;
}

static bool make_layouts(struct run *run, struct error *e)
{
    struct image picture = {0};
    bool ok = input_read(&picture, run->options.image, e);
    run->image_width = picture.width;
    run->image_height = picture.height;
    for (int b = 0; ok && b < run->options.batch_count; b++) {
        const struct model *model = &run->models[b * run->options.algo_count];
        ok =
            layout_make(&run->layouts[b], &model->net, &model->steps, run->options.batches[b], e) &&
            input_fill(model, &run->layouts[b], &picture, !run->options.image, e);
    }
    image_free(&picture);
    return ok;
}

static const struct layout *layout_of(const struct run *run, const struct model *model)
{
    return &run->layouts[model->tuned ? 0 : (model - run->models) / run->options.algo_count];
}

/* All numbers of instances for one model, ISA and thread count. */
static bool add_contenders_of(struct run *run, const struct model *model, enum isa isa,
                              struct team *team, struct error *e)
{
    const struct run_options *o = &run->options;
    int threads = team_threads(team), before = 0;
    for (int i = 0; i < o->instance_counts; i++) {
        int count = o->instances[i];
        if (count == ALL_CORES)
            count = run->machine.topology.allowed_cores / threads;
        if (count < 1 || !fits(run, count, threads) || count == before)
            continue;
        before = count;
        struct instances_request request = {.model = model,
                                            .set = kernel_set_get(isa),
                                            .topology = &run->machine.topology,
                                            .layout = layout_of(run, model),
                                            .team = team,
                                            .blockings =
                                                run_tune_blockings(run, model, isa, threads),
                                            .count = count,
                                            .threads = threads};
        if (!bench_add(&run->bench, &request, e))
            return false;
    }
    return true;
}

static void show_progress(const struct contender *c, double share)
{
    char label[128];
    bench_label(c, label, sizeof label);
    fprintf(stderr, "\r%3.0f %%  %-60.60s", 100 * share, label);
}

/* What of the options says which network is measured, where it is not the default. */
static void describe_subject(const struct run_options *o, char *text, size_t size)
{
    size_t used = 0;
    if (o->weights)
        used += (size_t)snprintf(text, size, "--weights %s ", o->weights);
    else if (strcmp(o->network, MODEL_DEFAULT_NETWORK) != 0)
        used += (size_t)snprintf(text, size, "--network %s ", o->network);
    if (used < size && !o->weights && o->classes != MODEL_DEFAULT_CLASSES)
        used += (size_t)snprintf(text + used, size - used, "--classes %d ", o->classes);
    if (used < size && (o->weights || o->size != network_default_size(o->network)))
        snprintf(text + used, size - used, "--size %d ", o->size);
}

static bool add_contenders(struct run *run, const volatile sig_atomic_t *stop, struct error *e)
{
    struct bench *bench = &run->bench;
    const struct run_options *o = &run->options;
    bench->topology = &run->machine.topology;
    describe_subject(o, bench->subject, sizeof bench->subject);
    bench->max_time_s = o->max_time;
    bench->precision = o->precision;
    bench->progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    bench->stop = stop;
    energy_open(&bench->energy, "");
    clock_policy_read(&bench->policy, "", run->machine.topology.pin_order[0]);
    for (int i = 0; i < run->isas.count * run->model_count * o->thread_counts; i++) {
        struct team *team = run->teams[i % o->thread_counts];
        const struct model *model = &run->models[i / o->thread_counts % run->model_count];
        enum isa isa = run->isas.isas[i / o->thread_counts / run->model_count];
        if (!add_contenders_of(run, model, isa, team, e))
            return false;
    }
    return bench->count > 0 ||
           error_set(e, "none of the --instances fits into the %d CPUs that this process may use",
                     run->machine.topology.allowed_pus);
}

/* Bytes that an image passes over: a cache that holds them all is never missed. */
static size_t working_set(const struct run *run)
{
    size_t weights = 0, values = 0;
    for (int i = 0; i < run->model_count; i++) {
        size_t floats = run->models[i].weights.memory.floats;
        weights = floats > weights ? floats : weights;
    }
    for (int i = 0; i < run->options.batch_count; i++) {
        size_t floats = run->layouts[i].memory.floats;
        values = floats > values ? floats : values;
    }
    return (weights + values) * sizeof(float);
}

static bool measure_ceilings_of(struct run *run, struct team *team,
                                const volatile sig_atomic_t *stop, struct error *e)
{
    struct ceilings *ceilings = &run->bench.ceilings;
    enum isa best = run->isas.isas[run->isas.count - 1];
    for (int i = 0; i < run->isas.count && !*stop; i++)
        ceilings_add_fma(ceilings, kernel_set_get(run->isas.isas[i]), team);
    return run->options.max_time < MIN_TIME_FOR_BANDWIDTHS ||
           ceilings_add_bandwidths(ceilings, best, team, &run->machine.topology, working_set(run),
                                   stop, e);
}

/* Those of the teams that run, and of one core alone. */
static bool measure_ceilings(struct run *run, const volatile sig_atomic_t *stop, struct error *e)
{
    bool alone = false;
    for (int t = 0; t < run->options.thread_counts && !*stop; t++) {
        alone = alone || run->options.threads[t] == 1;
        if (!measure_ceilings_of(run, run->teams[t], stop, e))
            return false;
    }
    if (alone || run->options.max_time < MIN_TIME_FOR_BANDWIDTHS)
        return true;
    struct team *one = team_create(1, &run->machine.topology, e);
    bool ok = one && measure_ceilings_of(run, one, stop, e);
    team_free(one);
    return ok;
}

bool run_setup(struct run *run, const volatile sig_atomic_t *stop, struct error *e)
{
    struct model_options options = run_setup_model_options(run);
    if (!make_teams(run, e) || !make_models(run, e) || !make_layouts(run, e) ||
        !run_tune(run, &options, run->teams, widest_team(run), stop, e) ||
        !add_contenders(run, stop, e) || !bench_first(&run->bench, e))
        return false;
    run->peak_bytes = memory_peak_bytes();
    return measure_ceilings(run, stop, e);
}

void run_setup_free(struct run *run)
{
    bench_free(&run->bench);
    for (int i = 0; i < run->options.batch_count; i++)
        layout_free(&run->layouts[i]);
    tuned_plan_free(&run->tuned);
    for (int i = 0; i < run->model_count; i++)
        model_free(&run->models[i]);
    for (int i = 0; i < run->options.thread_counts; i++)
        team_free(run->teams[i]);
}
