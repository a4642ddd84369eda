#include "harness/compare/sampler.h"

#include "harness/hash.h"
#include "harness/input.h"
#include "harness/plan_file.h"
#include "harness/synthetic.h"

#include <stdlib.h>
#include <time.h>

/* What this machine cannot do, all of which is usage. */
static bool choose(const struct sampler *s, const struct sampler_options *o, enum isa *isa,
                   int *threads, struct error *e)
{
    struct isa_list isas;
    if (!isa_select(&s->machine.cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), o->isa, &isas,
                    e))
        return false;
    *isa = isas.isas[isas.count - 1];
    *threads = o->threads ? o->threads : s->machine.default_threads;
    int most = s->machine.topology.allowed_pus;
    return *threads <= most || error_set(e, "--threads %d: this process may use %d CPU%s", *threads,
                                         most, most == 1 ? "" : "s");
}

static bool fill(struct sampler *s, struct error *e)
{
    struct image picture = {0};
    bool ok = input_read(&picture, NULL, e) && input_fill(&s->model, &s->layout, &picture, true, e);
    image_free(&picture);
    return ok;
}

/* The network of the weights file, or the synthetic one. */
static bool choose_network(struct sampler *s, const struct sampler_options *o,
                           struct model_options *options, struct error *e)
{
    *options = (struct model_options){.network = o->network ? o->network : MODEL_DEFAULT_NETWORK,
                                      .classes = MODEL_DEFAULT_CLASSES,
                                      .size = o->size,
                                      .batch = o->batch,
                                      .request = o->algo};
    if (o->weights) {
        if (!weights_file_open(&s->weights_file, o->weights, e))
            return false;
        options->network = s->weights_file.network.net.name;
        options->classes = s->weights_file.network.net.classes;
    }
    if (options->size == 0)
        options->size = network_default_size(options->network);
    s->size = options->size;
    return true;
}

static bool read_plan(struct sampler *s, const char *path, const struct model_options *options,
                      struct error *e)
{
    struct network net = {0};
    struct steps steps = {0};
    bool ok = model_network(&net, options, e) && steps_fuse(&steps, &net, e) &&
              plan_file_use(&s->tuned, path, &net, &steps, options->batch, &s->machine, e);
    steps_free(&steps);
    network_free(&net);
    return ok;
}

/* Cuts the loops as the plan file says. */
static bool cut(struct sampler *s, const char *path, struct error *e)
{
    const struct tuned_cut *found = tuned_plan_find(&s->tuned, s->plan.set->isa, s->plan.threads);
    if (!found)
        return error_set(e, "the plan file %.200s has nothing for %s on %d thread%s", path,
                         s->plan.set->name, s->plan.threads, s->plan.threads == 1 ? "" : "s");
    return plan_cut(&s->plan, found->blockings, e);
}

static bool make(struct sampler *s, const struct sampler_options *o, enum isa isa, int threads,
                 struct error *e)
{
    struct model_options options;
    if (!choose_network(s, o, &options, e) || (o->plan && !read_plan(s, o->plan, &options, e)))
        return false;
    struct param_source source =
        o->weights ? weights_file_source(&s->weights_file) : synthetic_source(&o->seed);
    s->team = team_create(threads, &s->machine.topology, e);
    if (!s->team || !model_make_tuned(&s->model, &options, s->tuned.algos, &source, s->team, e) ||
        !layout_make(&s->layout, &s->model.net, &s->model.steps, o->batch, e) || !fill(s, e) ||
        !plan_make(&s->plan, &s->model, kernel_set_get(isa), &s->layout, &s->machine.topology,
                   threads, e) ||
        (o->plan && !cut(s, o->plan, e)) || !engine_make(&s->engine, &s->plan, s->team, e))
        return false;
    s->step_ns = calloc((size_t)s->plan.step_count, sizeof *s->step_ns);
    return s->step_ns || error_set(e, "no memory for the times of %d layers", s->plan.step_count);
}

int sampler_make(struct sampler *s, const struct sampler_options *o, struct error *e)
{
    enum isa isa;
    int threads;
    *s = (struct sampler){0};
    if (!machine_read(&s->machine, e))
        return 1;
    if (!choose(s, o, &isa, &threads, e))
        return 2;
    if (!make(s, o, isa, threads, e))
        return 1;
    sampler_run(s);
    s->logits_hash = hash_tensor(plan_logits(&s->plan), s->plan.batch);
    return 0;
}

void sampler_free(struct sampler *s)
{
    free(s->step_ns);
    engine_free(&s->engine);
    plan_free(&s->plan);
    layout_free(&s->layout);
    model_free(&s->model);
    team_free(s->team);
    tuned_plan_free(&s->tuned);
    weights_file_close(&s->weights_file);
    machine_free(&s->machine);
}

static uint64_t process_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct sampler_time sampler_run(struct sampler *s)
{
    uint64_t before = process_cpu_ns();
    struct sampler_time time = {.wall_ns = engine_run(&s->engine, s->step_ns, NULL, NULL)};
    team_rest(s->team);
    time.cpu_ns = process_cpu_ns() - before;
    return time;
}
