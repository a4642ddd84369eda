#include "harness/plan.h"

#include "harness/algo_form.h"
#include "harness/blocking.h"

#include <assert.h>
#include <stdlib.h>

/* Panels of a dense layer that a unit takes: as many as the widest kernel runs side by side. */
#define DENSE_GROUP 4

static struct tensor value_of(const struct plan *plan, int value)
{
    return value < 0 ? (struct tensor){0} : plan->layout->values[value];
}

static void need_scratch(struct plan *plan, size_t floats)
{
    plan->scratch_floats = floats > plan->scratch_floats ? floats : plan->scratch_floats;
}

static void bind_conv(struct plan *plan, struct plan_step *s, const struct model *model,
                      const struct step *step, const struct step_blocking *blocking)
{
    const struct node *node = &model->net.nodes[step->node];
    s->conv = (struct conv){
        .set = plan->set,
        .batch = plan->batch,
        .kernel = node->kernel,
        .stride = node->stride,
        .pad = node->pad,
        .in = s->in,
        .residual = value_of(plan, step->residual),
        .residual_stride = step->residual_stride,
        .sum = s->sum,
        .act = s->act,
        .weights = s->weights->weights,
        .weights_end = model->weights.end,
        .bias = s->weights->bias,
        .scale = s->weights->scale,
        .shift = s->weights->shift,
    };
    s->conv.blocking =
        blocking ? blocking->conv : blocking_for_conv(&s->conv, plan->topology, plan->threads);
    s->kernel_name = conv_kernel_name(&s->conv);
    s->units[1] = conv_units(&s->conv);
    need_scratch(plan, conv_scratch_floats(&s->conv));
}

static void bind_bilinear(struct plan *plan, struct plan_step *s, const struct model *model,
                          const struct step *step, const struct step_blocking *blocking)
{
    const struct node *node = &model->net.nodes[step->node];
    s->bilinear = (struct bilinear){
        .set = plan->set,
        .form = algo_form(step->algo),
        .batch = plan->batch,
        .stride = node->stride,
        .in = s->in,
        .residual = value_of(plan, step->residual),
        .residual_stride = step->residual_stride,
        .sum = s->sum,
        .act = s->act,
        .weights = s->weights->weights,
        .weights_end = model->weights.end,
        .bias = s->weights->bias,
        .scale = s->weights->scale,
        .shift = s->weights->shift,
        .own_floats = own_tiles_floats(plan->topology, plan->threads),
    };
    s->bilinear.blocking = blocking
                               ? blocking->bilinear
                               : blocking_for_bilinear(&s->bilinear, plan->topology, plan->threads);
    s->kernel_name = step->algo == ALGO_POLYPHASE4 ? plan->set->stem.name : plan->set->conv.name;
    s->units[0] = bilinear_units(&s->bilinear, 0);
    s->units[1] = bilinear_units(&s->bilinear, 1);
    need_scratch(plan, bilinear_scratch_floats(&s->bilinear));
    size_t shared = bilinear_shared_floats(&s->bilinear);
    plan->shared_floats = shared > plan->shared_floats ? shared : plan->shared_floats;
}

static void bind_other(struct plan *plan, struct plan_step *s)
{
    int blocks = tensor_blocks(s->sum.data ? &s->sum : &s->act);
    switch (s->kind) {
    case NODE_MAX_POOL:
        s->units[1] = plan->batch * blocks * (s->sum.data ? s->sum : s->act).height;
        s->kernel_name = plan->set->max_pool.name;
        break;
    case NODE_AVG_POOL:
        s->units[1] = plan->batch * blocks;
        s->kernel_name = plan->set->avg_pool.name;
        break;
    case NODE_DENSE:
        s->units[1] = (blocks + DENSE_GROUP - 1) / DENSE_GROUP;
        s->kernel_name = plan->set->fc.name;
        break;
    default:
        assert(s->kind == NODE_SOFTMAX);
        s->units[1] = plan->batch;
        s->kernel_name = plan->set->softmax.name;
    }
}

void plan_bind(struct plan *plan, int index, const struct model *model,
               const struct step_blocking *blocking)
{
    const struct step *step = &model->steps.step[index];
    struct plan_step *s = &plan->steps[index];
    *s = (struct plan_step){.kind = step->kind,
                            .node = step->node,
                            .macs = network_node_macs(&model->net, step->node) * plan->batch,
                            .algo = step->algo,
                            .in = value_of(plan, step->in),
                            .sum = value_of(plan, step->sum),
                            .act = value_of(plan, step->act),
                            .weights = &model->weights.step[index]};
    if (s->kind != NODE_CONV)
        bind_other(plan, s);
    else if (s->algo == ALGO_DIRECT)
        bind_conv(plan, s, model, step, blocking);
    else
        bind_bilinear(plan, s, model, step, blocking);
}

#define PAGE_FLOATS ((size_t)1024)

size_t plan_scratch_stride(size_t floats)
{
    return (floats + PAGE_FLOATS - 1) / PAGE_FLOATS * PAGE_FLOATS;
}

/*
 * Pairs stay in memory of their own: they are transformed in a few long streams, which the hardware
 * fetches ahead, and gained nothing; so it is in cache for a layer of patches that follows.
 */
static float *spare_memory(const struct plan *plan, int step, int since, size_t floats)
{
    bool pairs = plan->steps[step].algo == ALGO_STRASSEN;
    return pairs || plan->scratch_apart ? NULL : layout_spare(plan->layout, step, since, floats);
}

void plan_place(struct plan *plan)
{
    int own = -1; /* the last step that has used memory of its own */
    for (int i = 0; i < plan->step_count; i++) {
        struct plan_step *s = &plan->steps[i];
        if (s->kind != NODE_CONV || s->algo == ALGO_DIRECT)
            continue;
        size_t scratch = plan_scratch_stride(bilinear_scratch_floats(&s->bilinear));
        size_t shared = plan_scratch_stride(bilinear_shared_floats(&s->bilinear));
        float *spare = spare_memory(plan, i, own, shared + scratch * (size_t)plan->threads);
        s->bilinear.shared = spare ? spare : plan->shared.data;
        s->scratch = spare ? spare + shared : NULL;
        own = spare ? own : i;
    }
}

/* One step runs at a time, so all of them share the memory of the one that needs most. */
bool plan_map(struct plan *plan, struct error *e)
{
    memory_unmap(&plan->shared);
    if (plan->shared_floats > 0 &&
        !memory_map(&plan->shared, plan->shared_floats, "the transformed tiles", e))
        return false;
    plan_place(plan);
    return true;
}

bool plan_cut(struct plan *plan, const struct step_blocking *blockings, struct error *e)
{
    for (int i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].kind == NODE_CONV)
            plan_bind(plan, i, plan->model, blockings++);
    }
    return plan_map(plan, e);
}

bool plan_make(struct plan *plan, const struct model *model, const struct kernel_set *set,
               const struct layout *layout, const struct topology *topology, int threads,
               struct error *e)
{
    *plan = (struct plan){.model = model,
                          .set = set,
                          .layout = layout,
                          .topology = topology,
                          .threads = threads,
                          .batch = layout->batch,
                          .step_count = model->steps.count};
    plan->steps = calloc((size_t)plan->step_count, sizeof *plan->steps);
    if (!plan->steps)
        return error_set(e, "no memory for a plan of %d steps", plan->step_count);
    for (int i = 0; i < plan->step_count; i++)
        plan_bind(plan, i, model, NULL);
    if (plan_map(plan, e))
        return true;
    plan_free(plan);
    return false;
}

void plan_free(struct plan *plan)
{
    memory_unmap(&plan->shared);
    free(plan->steps);
    *plan = (struct plan){0};
}

const struct tensor *plan_logits(const struct plan *plan)
{
    return &plan->layout->values[network_logits(&plan->model->net)];
}

const struct tensor *plan_output(const struct plan *plan)
{
    return &plan->layout->values[plan->model->steps.step[plan->step_count - 1].sum];
}
