#include "harness/run_tune.h"

#include "arch/clock.h"
#include "harness/plan_file.h"
#include "harness/tune.h"
#include "harness/whole_file.h"

#include <unistd.h>

static bool is_tuned(const struct run *run, enum isa isa)
{
    return isa != ISA_SCALAR || run->isas.count == 1;
}

/* Whether the plan has a cut for everything that is to run. */
static bool covers(const struct run *run, struct error *e)
{
    for (int i = 0; i < run->isas.count * run->options.thread_counts; i++) {
        enum isa isa = run->isas.isas[i / run->options.thread_counts];
        int threads = run->options.threads[i % run->options.thread_counts];
        const struct tuned_cut *first = &run->tuned.cuts[0];
        if (is_tuned(run, isa) && !tuned_plan_find(&run->tuned, isa, threads))
            return error_set(e, "it has nothing for %s on %d thread%s, only for %s on %d%s",
                             isa_name(isa), threads, threads == 1 ? "" : "s", isa_name(first->isa),
                             first->threads, run->tuned.cut_count > 1 ? " and others" : "");
    }
    return true;
}

static bool read_plan(struct run *run, const struct network *net, const struct steps *steps,
                      struct error *e)
{
    const char *path = run->options.plan_file;
    if (!plan_file_use(&run->tuned, path, net, steps, run->options.batches[0], &run->machine, e))
        return false;
    if (covers(run, e))
        return true;
    struct error inner = *e;
    return error_set(e, "cannot use the plan file %.200s: %s", path, inner.text);
}

/* Reads the plan; one that cannot be used is an error, or when asked for made anew. */
static bool use_plan(struct run *run, const struct model_options *options, struct error *e)
{
    struct network net = {0};
    struct steps steps = {0};
    struct run_options *o = &run->options;
    bool ok = model_network(&net, options, e) && steps_fuse(&steps, &net, e);
    if (ok && !read_plan(run, &net, &steps, e)) {
        struct error inner = *e;
        tuned_plan_free(&run->tuned);
        ok = o->retune || error_set(e, "%s (--retune makes a new one)", inner.text);
        o->tune = ok;
        o->tune_file = o->plan_file;
    }
    steps_free(&steps);
    network_free(&net);
    return ok;
}

bool run_tune_check(struct run *run, const struct model_options *options, struct error *e)
{
    struct run_options *o = &run->options;
    if (o->plan_file && !use_plan(run, options, e))
        return false;
    return !o->tune || !o->tune_file || whole_file_check(o->tune_file, "plan file", e);
}

static void show_progress(const struct kernel_set *set, int threads, double share)
{
    fprintf(stderr, "\r%3.0f %%  tuning %s, %d thread%s   ", 100 * share, set->name, threads,
            threads == 1 ? "" : "s");
}

static struct tune_request request_for(const struct run *run, enum isa isa, struct team *team,
                                       const volatile sig_atomic_t *stop)
{
    return (struct tune_request){.set = kernel_set_get(isa),
                                 .team = team,
                                 .layout = &run->layouts[0],
                                 .topology = &run->machine.topology,
                                 .seconds = run->options.tune_time,
                                 .stop = stop,
                                 .progress = isatty(STDERR_FILENO) ? show_progress : NULL};
}

static bool add_cut(struct run *run, const struct tune_request *request, struct error *e)
{
    struct tuned_plan *plan = &run->tuned;
    struct tuned_cut *cut = tuned_plan_add(plan, request->set->isa, team_threads(request->team), e);
    return cut && tune(request, plan->algos, cut, e);
}

/* For each convolution the last of the algorithms that serve it. */
static void take_others(const struct model *model, enum algo *algos)
{
    for (int i = 0; i < model->steps.count; i++) {
        const struct step *step = &model->steps.step[i];
        if (step->kind != NODE_CONV)
            continue;
        *algos = ALGO_DIRECT;
        for (enum algo a = ALGO_WINOGRAD6; a < ALGO_AUTO; a++)
            *algos = algo_serves(a, &model->net, step->node) ? a : *algos;
        algos++;
    }
}

/* A model by direct convolution, one by winograd2, one by winograd4, and one by the algorithms that
 * are left, of which no convolution is served by two. False with `e` set. */
static bool make_models(const struct model_options *options, const struct param_source *source,
                        struct team *team, struct model *models, struct error *e)
{
    struct model_options each = *options;
    for (int i = 0; i < TUNE_MAX_MODELS - 1; i++) {
        each.request = (enum algo)(ALGO_DIRECT + i);
        if (!model_make(&models[i], &each, source, team, e))
            return false;
    }
    enum algo *algos = calloc((size_t)models[0].steps.count, sizeof *algos);
    if (!algos)
        return error_set(e, "no memory for the algorithms of %d steps", models[0].steps.count);
    take_others(&models[0], algos);
    bool ok = model_make_tuned(&models[TUNE_MAX_MODELS - 1], &each, algos, source, team, e);
    free(algos);
    return ok;
}

/* Chooses the algorithms among those of all models. */
static bool choose_algorithms(struct run *run, const struct model_options *options,
                              const struct tune_request *lead, struct error *e)
{
    struct model models[TUNE_MAX_MODELS] = {0};
    struct tune_request request = *lead;
    struct param_source source = run_source(run);
    bool ok = make_models(options, &source, request.team, models, e);
    for (int i = 0; i < TUNE_MAX_MODELS; i++)
        request.models[request.model_count++] = &models[i];
    ok = ok && add_cut(run, &request, e);
    for (int i = 0; i < TUNE_MAX_MODELS; i++)
        model_free(&models[i]);
    return ok;
}

/* Cuts the loops of the others by the algorithms that the lead has chosen. */
static bool tune_others(struct run *run, const struct model *model, struct team *const *teams,
                        const volatile sig_atomic_t *stop, struct error *e)
{
    for (int i = 0; i < run->isas.count * run->options.thread_counts; i++) {
        enum isa isa = run->isas.isas[i / run->options.thread_counts];
        struct team *team = teams[i % run->options.thread_counts];
        struct tune_request request = request_for(run, isa, team, stop);
        request.models[request.model_count++] = model;
        if (is_tuned(run, isa) && !tuned_plan_find(&run->tuned, isa, team_threads(team)) &&
            !add_cut(run, &request, e))
            return false;
    }
    return true;
}

/* Adds the model with the plan's algorithms to the run's. */
static bool make_tuned_model(struct run *run, const struct model_options *options,
                             struct team *team, struct error *e)
{
    uint64_t begin = clock_ns();
    struct param_source source = run_source(run);
    if (!model_make_tuned(&run->models[run->model_count], options, run->tuned.algos, &source, team,
                          e))
        return false;
    run->model_count++;
    run->weights_ms += (double)(clock_ns() - begin) * 1e-6;
    return true;
}

static bool make_plan(struct run *run, const struct model_options *options,
                      struct team *const *teams, struct team *widest,
                      const volatile sig_atomic_t *stop, struct error *e)
{
    const struct run_options *o = &run->options;
    const struct model *first = &run->models[0];
    struct tune_request lead = request_for(run, run->isas.isas[run->isas.count - 1], widest, stop);
    return tuned_plan_make(&run->tuned, &first->net, &first->steps, o->batches[0], &run->machine,
                           e) &&
           choose_algorithms(run, options, &lead, e) && make_tuned_model(run, options, widest, e) &&
           tune_others(run, &run->models[run->model_count - 1], teams, stop, e) &&
           (!o->tune_file || plan_file_write(&run->tuned, o->tune_file, e));
}

bool run_tune(struct run *run, const struct model_options *options, struct team *const *teams,
              struct team *widest, const volatile sig_atomic_t *stop, struct error *e)
{
    uint64_t begin = clock_ns();
    if (!run->options.tune)
        return run->tuned.conv_count == 0 || make_tuned_model(run, options, widest, e);
    bool ok = make_plan(run, options, teams, widest, stop, e);
    run->tune_ms = (double)(clock_ns() - begin) * 1e-6;
    return ok;
}

const struct step_blocking *run_tune_blockings(const struct run *run, const struct model *model,
                                               enum isa isa, int threads)
{
    const struct tuned_cut *cut = model->tuned ? tuned_plan_find(&run->tuned, isa, threads) : NULL;
    return cut ? cut->blockings : NULL;
}
