#include "harness/engine.h"

#include "arch/clock.h"
#include "harness/slowdown.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The number of the last job for which a thread has transformed all tiles, in its own cache line.
 */
struct prepared {
    _Alignas(64) uint64_t job;
};

struct job {
    const struct plan *plan;
    const struct plan_step *step;
    int phase;
    float *scratch;        /* of the first thread */
    size_t scratch_stride; /* floats from thread to thread */
    struct bilinear_work *works;
    struct prepared *prepared;
    int threads;
    uint64_t number; /* from 1 on */
};

bool engine_make(struct engine *engine, const struct plan *plan, struct team *team, struct error *e)
{
    *engine = (struct engine){.plan = plan, .team = team};
    size_t threads = (size_t)team_threads(team);
    size_t floats = plan_scratch_stride(plan->scratch_floats) * threads;
    assert(team_threads(team) == plan->threads);
    if (!memory_map(&engine->scratch, floats, "the threads' scratch memory", e))
        return false;
    engine->works = aligned_alloc(_Alignof(struct bilinear_work), threads * sizeof *engine->works);
    engine->prepared = aligned_alloc(_Alignof(struct prepared), threads * sizeof *engine->prepared);
    if (!engine->works || !engine->prepared) {
        engine_free(engine);
        return error_set(e, "no memory for an engine of %zu threads", threads);
    }
    memset(engine->works, 0, threads * sizeof *engine->works);
    memset(engine->prepared, 0, threads * sizeof *engine->prepared);
    return true;
}

void engine_free(struct engine *engine)
{
    memory_unmap(&engine->scratch);
    free(engine->works);
    free(engine->prepared);
    engine->works = NULL;
    engine->prepared = NULL;
}

static void run_bilinear(const struct job *job, int unit, int thread, float *scratch)
{
    const struct bilinear *b = &job->step->bilinear;
    if (bilinear_own_tiles(b) && job->prepared[thread].job != job->number) {
        bilinear_prepare(b, scratch);
        job->prepared[thread].job = job->number;
    }
    bilinear_run(b, job->phase, unit, scratch, &job->works[thread]);
}

static void run_conv(const struct job *job, int unit, int thread)
{
    const struct plan_step *s = job->step;
    float *scratch = job->scratch + (size_t)thread * job->scratch_stride;
    if (s->algo == ALGO_DIRECT)
        conv_run(&s->conv, unit, scratch);
    else
        run_bilinear(job, unit, thread, scratch);
}

static float *plane(const struct tensor *t, int image, int block)
{
    return t->data ? t->data + (size_t)image * t->image_stride + (size_t)block * t->block_stride
                   : NULL;
}

static void run_max_pool(const struct job *job, int unit)
{
    const struct plan_step *s = job->step;
    const struct node *node = &job->plan->model->net.nodes[s->node];
    const struct tensor *out = s->sum.data ? &s->sum : &s->act;
    int blocks = tensor_blocks(&s->in), row = unit % out->height;
    int image = unit / out->height / blocks, block = unit / out->height % blocks;
    size_t channel = (size_t)block * BLOCK;
    float *sum = plane(&s->sum, image, block), *act = plane(&s->act, image, block);
    /* Zeros that take part are part of the input: they are there, in its border. */
    int zeros = node->zeros ? node->pad : 0;
    size_t corner = (size_t)zeros * (s->in.row_stride + BLOCK);
    struct max_pool_args args = {.in = plane(&s->in, image, block) - corner,
                                 .row_stride = s->in.row_stride,
                                 .height = s->in.height + 2 * zeros,
                                 .width = s->in.width + 2 * zeros,
                                 .kernel = node->kernel,
                                 .stride = node->stride,
                                 .pad = node->pad - zeros,
                                 .row = row,
                                 .out_width = out->width,
                                 .sum = sum ? sum + (size_t)row * s->sum.row_stride : NULL,
                                 .act = act ? act + (size_t)row * s->act.row_stride : NULL,
                                 .scale = s->weights->scale ? s->weights->scale + channel : NULL,
                                 .shift = s->weights->scale ? s->weights->shift + channel : NULL};
    job->plan->set->max_pool.run(&args);
}

static void run_avg_pool(const struct job *job, int unit)
{
    const struct plan_step *s = job->step;
    int blocks = tensor_blocks(&s->in), image = unit / blocks, block = unit % blocks;
    size_t pixels = (size_t)s->in.height * (size_t)s->in.width;
    job->plan->set->avg_pool.run(plane(&s->in, image, block), pixels, plane(&s->sum, image, block));
}

static void run_dense(const struct job *job, int unit)
{
    const struct plan_step *s = job->step;
    int blocks = tensor_blocks(&s->sum), group = (blocks + s->units[1] - 1) / s->units[1];
    int first = unit * group, count = blocks - first < group ? blocks - first : group;
    size_t inputs = (size_t)tensor_blocks(&s->in) * BLOCK, channel = (size_t)first * BLOCK;
    if (count <= 0)
        return;
    for (int image = 0; image < job->plan->batch; image++)
        job->plan->set->fc.run(plane(&s->in, image, 0), s->weights->weights + channel * inputs,
                               s->weights->bias + channel, plane(&s->sum, image, first), inputs,
                               (size_t)count);
}

static void run_softmax(const struct job *job, int image)
{
    const struct plan_step *s = job->step;
    job->plan->set->softmax.run(plane(&s->in, image, 0), plane(&s->sum, image, 0),
                                (size_t)s->in.channels);
}

static void run_unit(void *context, int unit, int thread)
{
    const struct job *job = context;
    switch (job->step->kind) {
    case NODE_CONV:
        run_conv(job, unit, thread);
        break;
    case NODE_MAX_POOL:
        run_max_pool(job, unit);
        break;
    case NODE_AVG_POOL:
        run_avg_pool(job, unit);
        break;
    case NODE_DENSE:
        run_dense(job, unit);
        break;
    default:
        run_softmax(job, unit);
    }
}

static void help(void *context)
{
    const struct job *job = context;
    bilinear_help(job->works, job->threads);
}

static void run_phase(struct team *team, struct job *job)
{
    int units = job->step->units[job->phase];
    bool bilinear = job->step->kind == NODE_CONV && job->step->algo != ALGO_DIRECT;
    if (units > 0 && bilinear)
        team_run_helping(team, units, run_unit, help, job);
    else if (units > 0)
        team_run(team, units, run_unit, job);
}

static void place_scratch(struct job *job, const struct engine *engine)
{
    const struct plan_step *s = job->step;
    job->scratch = s->scratch ? s->scratch : engine->scratch.data;
    job->scratch_stride = plan_scratch_stride(s->scratch ? bilinear_scratch_floats(&s->bilinear)
                                                         : engine->plan->scratch_floats);
}

uint64_t engine_run(struct engine *engine, uint64_t *step_ns, engine_hook *hook, void *context)
{
    const struct plan *plan = engine->plan;
    uint64_t begin = clock_ns(), start = begin, end = begin, cpu = slowdown_begin();
    for (int i = 0; i < plan->step_count; i++) {
        struct job job = {.plan = plan,
                          .step = &plan->steps[i],
                          .works = engine->works,
                          .prepared = engine->prepared,
                          .threads = team_threads(engine->team),
                          .number = ++engine->job};
        place_scratch(&job, engine);
        for (job.phase = 0; job.phase < 2; job.phase++)
            run_phase(engine->team, &job);
        end = clock_ns();
        if (step_ns)
            step_ns[i] = end - start;
        start = end;
        if (hook) {
            hook(context, plan, i);
            start = clock_ns();
        }
    }
    return slowdown_end(cpu) ? clock_ns() - begin : end - begin;
}
