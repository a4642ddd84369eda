/** Each step of a network, computed again in double from the numbers that the engine gave it. */
#include "harness/oracle_conv.h"
#include "tests/engine_fixture.h"

#include <math.h>

TestSuite(engine_steps, .timeout = 300);

/** What a run leaves behind, value by value, so that each step can be computed again. */
struct record {
    const struct subject *subject;
    float **values; /**< of each node, [channels][height][width]; NULL where nothing is stored */
    int convs;
    double worst; /**< error of a step's output, as a part of its bound */
};

static size_t numbers(const struct tensor *t)
{
    return (size_t)t->channels * (size_t)t->height * (size_t)t->width;
}

/** Element (c, y, x) of the first image. */
static float element(const struct tensor *t, int c, int y, int x)
{
    const float *pixel = t->data + (size_t)y * t->row_stride + (size_t)x * (size_t)t->pixel;
    return t->pixel == BLOCK ? pixel[(size_t)(c / BLOCK) * t->block_stride + (size_t)(c % BLOCK)]
                             : pixel[c];
}

static float *copy_plain(const struct tensor *t)
{
    float *copy = malloc(numbers(t) * sizeof *copy), *at = copy;
    cr_assert(copy);
    for (int c = 0; c < t->channels; c++) {
        for (int y = 0; y < t->height; y++) {
            for (int x = 0; x < t->width; x++)
                *at++ = element(t, c, y, x);
        }
    }
    return copy;
}

/** The folded weights as a plain [cout][cin][ky][kx], by the formula of weights.h. */
static float *fold_weights(const struct subject *s, const struct step *step)
{
    const struct network *net = &s->model.net;
    struct param_source source = synthetic_source(&s->seed);
    size_t count = network_param_count(net, step->node, PARAM_WEIGHT);
    int channels = net->nodes[step->node].shape.channels;
    float *weights = malloc(count * sizeof *weights);
    cr_assert(weights);
    source.read(source.context, net, step->node, PARAM_WEIGHT, 0, count, weights);
    for (int o = 0; o < channels && step->folded_norm >= 0; o++) {
        float gamma, variance;
        source.read(source.context, net, step->folded_norm, PARAM_GAMMA, (size_t)o, 1, &gamma);
        source.read(source.context, net, step->folded_norm, PARAM_VARIANCE, (size_t)o, 1,
                    &variance);
        double scale =
            (double)gamma / sqrt((double)variance + net->nodes[step->folded_norm].epsilon);
        size_t row = count / (size_t)channels;
        for (size_t i = 0; i < row; i++)
            weights[(size_t)o * row + i] = (float)((double)weights[(size_t)o * row + i] * scale);
    }
    return weights;
}

/** The number that a step computes at an index, exactly, with what float may differ from it. */
struct expected {
    double value, bound;
};

static struct expected add(struct expected a, double b)
{
    double value = a.value + b;
    return (struct expected){value, a.bound + FLOAT_ROUNDOFF * (fabs(value) + a.bound)};
}

static struct expected scale_and_relu(struct expected a, const struct step_weights *w, int channel)
{
    if (w->scale) {
        double scale = w->scale[channel], value = a.value * scale + w->shift[channel];
        double bound = fabs(scale) * a.bound;
        a = (struct expected){value, bound + FLOAT_ROUNDOFF * (fabs(value) + bound)};
    }
    return (struct expected){fmax(a.value, 0), a.bound};
}

static void compare(struct record *r, const struct expected *want, float actual)
{
    r->worst = fmax(r->worst, fabs((double)actual - want->value) / want->bound);
}

/** What of the residual, [channels][height][width], is added to output i. */
static int residual_at(const struct subject *s, const struct step *step, int i)
{
    const struct shape *out = &s->model.net.nodes[step->node].shape;
    const struct shape *in = &s->model.net.nodes[step->residual].shape;
    int x = i % out->width, y = i / out->width % out->height, c = i / (out->width * out->height);
    int stride = in->width > out->width ? 2 : 1;
    return (c * in->height + y * stride) * in->width + x * stride;
}

/** Compares both outputs of a convolution or dense layer with what they should be. */
static void compare_outputs(struct record *r, int index, const double *out, const double *bound)
{
    const struct step *step = &r->subject->model.steps.step[index];
    const struct step_weights *w = &r->subject->model.weights.step[index];
    const struct shape *shape = &r->subject->model.net.nodes[step->node].shape;
    int pixels = shape->height * shape->width;
    for (int i = 0; i < shape->channels * pixels; i++) {
        struct expected v = {out[i], bound[i]};
        if (step->residual >= 0)
            v = add(v, r->values[step->residual][residual_at(r->subject, step, i)]);
        if (step->sum >= 0)
            compare(r, &v, r->values[step->sum][i]);
        v = scale_and_relu(v, w, i / pixels);
        if (step->act >= 0)
            compare(r, &v, r->values[step->act][i]);
    }
}

static void check_conv(struct record *r, int index)
{
    const struct subject *s = r->subject;
    const struct step *step = &s->model.steps.step[index];
    const struct node *node = &s->model.net.nodes[step->node];
    const struct shape *in = &s->model.net.nodes[step->in].shape, *shape = &node->shape;
    bool dense = node->kind == NODE_DENSE;
    size_t count = (size_t)(shape->channels * shape->height * shape->width);
    float *weights = fold_weights(s, step);
    const struct oracle_conv conv = {.cin = in->channels,
                                     .height = in->height,
                                     .width = in->width,
                                     .cout = shape->channels,
                                     .kernel = dense ? 1 : node->kernel,
                                     .stride = dense ? 1 : node->stride,
                                     .pad = node->pad,
                                     .weights = weights,
                                     .bias = s->model.weights.step[index].bias,
                                     .threads = 2};
    double *out = malloc(count * sizeof *out), *bound = malloc(count * sizeof *bound);
    struct error e;
    cr_assert(out && bound);
    cr_assert(oracle_conv(&conv, r->values[step->in], out, bound, &e), "%s", e.text);
    r->worst = 0;
    compare_outputs(r, index, out, bound);
    cr_expect(r->worst > 0 && r->worst < 1, "%s: %g of the bound", node->name, r->worst);
    r->convs++;
    free(out);
    free(bound);
    free(weights);
}

/** A maximum is exact, and its batch norm one rounding away. */
static void check_max_pool(struct record *r, int index)
{
    const struct step *step = &r->subject->model.steps.step[index];
    const struct node *n = &r->subject->model.net.nodes[step->node];
    const struct shape *in = &r->subject->model.net.nodes[step->in].shape;
    int height = n->shape.height, width = n->shape.width, pixels = height * width;
    r->worst = 0;
    for (int i = 0; i < n->shape.channels * pixels; i++) {
        struct expected v = {-INFINITY, 0};
        for (int k = 0; k < n->kernel * n->kernel; k++) {
            int y = i / width % height * n->stride + k / n->kernel - n->pad;
            int x = i % width * n->stride + k % n->kernel - n->pad;
            if (y >= 0 && y < in->height && x >= 0 && x < in->width)
                v.value = fmax(v.value,
                               r->values[step->in][(i / pixels * in->height + y) * in->width + x]);
            else if (n->zeros)
                v.value = fmax(v.value, 0);
        }
        if (step->sum >= 0)
            cr_expect_eq((double)r->values[step->sum][i], v.value, "%s: %d", n->name, i);
        v = scale_and_relu(v, &r->subject->model.weights.step[index], i / pixels);
        if (step->act >= 0)
            compare(r, &v, r->values[step->act][i]);
    }
    cr_expect_leq(r->worst, 1, "%s: %g of the bound", n->name, r->worst);
}

static void check_avg_pool(struct record *r, int index)
{
    const struct step *step = &r->subject->model.steps.step[index];
    const struct shape *in = &r->subject->model.net.nodes[step->in].shape;
    int pixels = in->height * in->width;
    for (int c = 0; c < in->channels; c++) {
        double sum = 0, size = 0;
        for (int i = 0; i < pixels; i++) {
            sum += r->values[step->in][c * pixels + i];
            size += fabs((double)r->values[step->in][c * pixels + i]);
        }
        double error = fabs((double)r->values[step->sum][c] - sum / pixels);
        cr_expect_leq(error, (pixels + 1) * FLOAT_ROUNDOFF * size / pixels, "channel %d", c);
    }
}

static void check_step(void *context, const struct plan *plan, int step)
{
    struct record *r = context;
    const struct plan_step *s = &plan->steps[step];
    const struct step *values = &r->subject->model.steps.step[step];
    if (s->sum.data)
        r->values[values->sum] = copy_plain(&s->sum);
    if (s->act.data)
        r->values[values->act] = copy_plain(&s->act);
    if (s->kind == NODE_CONV || s->kind == NODE_DENSE)
        check_conv(r, step);
    else if (s->kind == NODE_MAX_POOL)
        check_max_pool(r, step);
    else if (s->kind == NODE_AVG_POOL)
        check_avg_pool(r, step);
}

/** Convolutions and the dense layer. */
static int count_convs(const struct network *net)
{
    int convs = 0;
    for (int i = 0; i < net->node_count; i++)
        convs += net->nodes[i].kind == NODE_CONV || net->nodes[i].kind == NODE_DENSE;
    return convs;
}

/** Shifts the norms behind pools, so that a ReLU does not hide what is below zero. */
static void lift_pools(struct model *model)
{
    for (int i = 0; i < model->steps.count; i++) {
        float *shift = model->weights.step[i].shift;
        int channels = model->net.nodes[model->steps.step[i].node].shape.channels;
        for (int c = 0; c < channels && shift && model->steps.step[i].kind == NODE_MAX_POOL; c++)
            shift[c] += 3;
    }
}

static void check_steps(const char *network, enum isa isa)
{
    const struct model_options options = subject_options(network, 64, 1, ALGO_DIRECT);
    struct subject s;
    subject_make(&s, &options, 1);
    size_t nodes = (size_t)s.model.net.node_count;
    struct record r = {.subject = &s, .values = calloc(nodes, sizeof *r.values)};
    cr_assert(r.values);
    lift_pools(&s.model);
    r.values[s.model.steps.image] = copy_plain(model_image(&s.model, &s.layout));
    subject_run(&s, isa, 2, check_step, &r);
    cr_expect_eq(r.convs, count_convs(&s.model.net), "%s: %d", network, r.convs);
    for (size_t i = 0; i < nodes; i++)
        free(r.values[i]);
    free(r.values);
    subject_free(&s);
}

Test(engine_steps, resnet50_is_in_rigorous_bounds)
{
    struct isa_list isas = usable_isas();
    for (int i = 0; i < isas.count; i++)
        check_steps("resnet50_v2", isas.isas[i]);
}

/**
 * One for each thing in which the others differ: blocks of two convolutions, the shortcut beside
 * the first of them; no norm in the stem; a stride in the shortcut, zeros that a pool takes in;
 * norms before a sum and only a ReLU behind it; no sums; a projection that leaves the edge out.
 */
Test(engine_steps, variants_are_in_rigorous_bounds)
{
    const char *const names[] = {"resnet18_v2",   "resnet18_v2_timm", "resnet50_v2_keras",
                                 "resnet18_v1.5", "resnet50_v1.5",    "plain34_v2",
                                 "two_shortcuts"};
    struct isa_list isas = usable_isas();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_steps(names[i], isas.isas[isas.count - 1]);
}
