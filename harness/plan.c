#include "harness/plan.h"

#include <assert.h>
#include <stdlib.h>

/* Panels of a dense layer that a unit takes: as many as the widest kernel runs side by side. */
#define DENSE_GROUP 4

bool model_make(struct model *model, const char *network, int classes, int size,
                const struct param_source *source, struct team *team, struct error *e)
{
    *model = (struct model){0};
    bool ok = network_build(&model->net, network, classes, size, e) &&
              steps_fuse(&model->steps, &model->net, e) &&
              weights_pack(&model->weights, &model->net, &model->steps, source, team, e);
    if (!ok)
        model_free(model);
    return ok;
}

void model_free(struct model *model)
{
    weights_free(&model->weights);
    steps_free(&model->steps);
    network_free(&model->net);
}

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static size_t cache_bytes(const struct topology *topology, int level, size_t otherwise)
{
    size_t bytes = topology->caches[level - 1].bytes;
    return bytes ? bytes : otherwise;
}

/*
 * A chunk's weights take at most a third of the L1 cache: the strip's input and output share the
 * rest with the next chunk's weights, which are already on their way.
 */
static int choose_chunk(const struct conv *c, size_t l1)
{
    size_t taps = (size_t)(c->kernel * c->kernel);
    size_t chunk = l1 / 3 / (taps * BLOCK * BLOCK * sizeof(float) * (size_t)c->set->tile_blocks);
    return clamp((int)chunk, 1, tensor_blocks(&c->in));
}

/* A strip is long enough to hide the arrival of the next chunk, and its input fits half the L2. */
static int choose_strip(const struct conv *c, int pixels, size_t l2)
{
    size_t pixel = (size_t)c->in.channels * sizeof(float) * (size_t)(c->stride * c->stride);
    int fits = (int)(l2 / 2 / pixel);
    int strip = clamp(fits, 8 * c->set->tile_pixels, 16 * c->set->tile_pixels);
    return divide_up(pixels, divide_up(pixels, strip));
}

/* Some dozens of units, so that threads that are not equally fast finish together. */
static int choose_group(const struct conv *c, int pixels, int blocks)
{
    int strips = divide_up(pixels, c->blocking.strip);
    int groups = clamp(divide_up(48, strips), 1, divide_up(blocks, c->set->tile_blocks));
    return divide_up(divide_up(blocks, groups), c->set->tile_blocks) * c->set->tile_blocks;
}

static void choose_blocking(struct conv *c, const struct topology *topology)
{
    const struct tensor *out = c->sum.data ? &c->sum : &c->act;
    int pixels = c->batch * out->height * out->width;
    c->blocking.chunk = choose_chunk(c, cache_bytes(topology, 1, 32 << 10));
    c->blocking.strip = choose_strip(c, pixels, cache_bytes(topology, 2, 512 << 10));
    c->blocking.group = choose_group(c, pixels, tensor_blocks(out));
}

static struct tensor value_of(const struct plan *plan, int value)
{
    return value < 0 ? (struct tensor){0} : plan->layout->values[value];
}

static void bind_conv(struct plan *plan, struct plan_step *s, const struct step *step,
                      const struct topology *topology)
{
    const struct node *node = &plan->model->net.nodes[step->node];
    s->conv = (struct conv){
        .set = plan->set,
        .batch = plan->batch,
        .kernel = node->kernel,
        .stride = node->stride,
        .pad = node->pad,
        .in = s->in,
        .residual = value_of(plan, step->residual),
        .residual_stride = 1,
        .sum = s->sum,
        .act = s->act,
        .weights = s->weights->weights,
        .weights_end = plan->model->weights.end,
        .bias = s->weights->bias,
        .scale = s->weights->scale,
        .shift = s->weights->shift,
    };
    choose_blocking(&s->conv, topology);
    s->kernel_name = conv_kernel_name(&s->conv);
    s->units = conv_units(&s->conv);
    size_t scratch = conv_scratch_floats(&s->conv);
    plan->scratch_floats = scratch > plan->scratch_floats ? scratch : plan->scratch_floats;
}

static void bind_step(struct plan *plan, int index, const struct topology *topology)
{
    const struct model *model = plan->model;
    const struct step *step = &model->steps.step[index];
    struct plan_step *s = &plan->steps[index];
    *s = (struct plan_step){.kind = step->kind,
                            .node = step->node,
                            .macs = network_node_macs(&model->net, step->node) * plan->batch,
                            .in = value_of(plan, step->in),
                            .sum = value_of(plan, step->sum),
                            .act = value_of(plan, step->act),
                            .weights = &model->weights.step[index]};
    int blocks = tensor_blocks(s->sum.data ? &s->sum : &s->act);
    switch (step->kind) {
    case NODE_CONV:
        bind_conv(plan, s, step, topology);
        break;
    case NODE_MAX_POOL:
        s->units = plan->batch * blocks;
        s->kernel_name = plan->set->max_pool.name;
        break;
    case NODE_AVG_POOL:
        s->units = plan->batch * blocks;
        s->kernel_name = plan->set->avg_pool.name;
        break;
    case NODE_DENSE:
        s->units = divide_up(blocks, DENSE_GROUP);
        s->kernel_name = plan->set->fc.name;
        break;
    default:
        assert(step->kind == NODE_SOFTMAX);
        s->units = plan->batch;
        s->kernel_name = plan->set->softmax.name;
    }
}

bool plan_make(struct plan *plan, const struct model *model, const struct kernel_set *set,
               const struct layout *layout, const struct topology *topology, struct error *e)
{
    *plan = (struct plan){.model = model,
                          .set = set,
                          .layout = layout,
                          .batch = layout->batch,
                          .step_count = model->steps.count};
    plan->steps = calloc((size_t)plan->step_count, sizeof *plan->steps);
    if (!plan->steps)
        return error_set(e, "no memory for a plan of %d steps", plan->step_count);
    for (int i = 0; i < plan->step_count; i++)
        bind_step(plan, i, topology);
    return true;
}

void plan_free(struct plan *plan)
{
    free(plan->steps);
    *plan = (struct plan){0};
}

const struct tensor *model_image(const struct model *model, const struct layout *layout)
{
    return &layout->values[model->steps.image];
}

const struct tensor *plan_logits(const struct plan *plan)
{
    return &plan->layout->values[plan->model->steps.step[plan->step_count - 1].in];
}

const struct tensor *plan_output(const struct plan *plan)
{
    return &plan->layout->values[plan->model->steps.step[plan->step_count - 1].sum];
}
