#include "harness/compare/sampler.h"

#include "harness/hash.h"
#include "harness/input.h"
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

static bool make(struct sampler *s, const struct sampler_options *o, enum isa isa, int threads,
                 struct error *e)
{
    struct param_source source = synthetic_source(&o->seed);
    struct model_options options = {.network = o->network,
                                    .classes = MODEL_DEFAULT_CLASSES,
                                    .size = o->size,
                                    .batch = o->batch,
                                    .request = o->algo};
    s->team = team_create(threads, &s->machine.topology, e);
    if (!s->team || !model_make(&s->model, &options, &source, s->team, e) ||
        !layout_make(&s->layout, &s->model.net, &s->model.steps, o->batch, e) || !fill(s, e) ||
        !plan_make(&s->plan, &s->model, kernel_set_get(isa), &s->layout, &s->machine.topology,
                   threads, e) ||
        !engine_make(&s->engine, &s->plan, s->team, e))
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
    time.cpu_ns = process_cpu_ns() - before;
    return time;
}
