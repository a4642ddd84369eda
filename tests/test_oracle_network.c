/** The oracle on whole networks: its bound against a float32 engine, and what weights do to it. */
#include "harness/oracle.h"
#include "harness/oracle_conv.h"
#include "harness/synthetic.h"
#include "tests/float_fixture.h"
#include "tests/network_fixture.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>

static const uint64_t seed = 1;

/** A float32 engine without any cleverness, which follows the oracle from node to node. */
struct replay {
    const struct network *net;
    const struct param_source *source;
    float **out; /**< of each node, [channels][height][width] */
    size_t numbers, outside;
    double squares, variances; /**< of relative errors, of bounds; over convolutions */
};

static float *params(const struct replay *r, int node, enum param param)
{
    size_t count = network_param_count(r->net, node, param);
    float *data = calloc(count + 1, sizeof *data);
    cr_assert(data);
    r->source->read(r->source->context, r->net, node, param, 0, count, data);
    return data;
}

static void replay_conv(const struct replay *r, int node, const float *x, float *y)
{
    const struct node *n = &r->net->nodes[node];
    const struct shape *in = &r->net->nodes[n->inputs[0]].shape;
    bool dense = n->kind == NODE_DENSE;
    float *weights = params(r, node, PARAM_WEIGHT), *bias = params(r, node, PARAM_BIAS);
    const struct oracle_conv conv = {.cin = in->channels,
                                     .height = in->height,
                                     .width = in->width,
                                     .cout = n->shape.channels,
                                     .kernel = dense ? 1 : n->kernel,
                                     .stride = dense ? 1 : n->stride,
                                     .pad = n->pad,
                                     .weights = weights,
                                     .bias = n->bias ? bias : NULL};
    float_conv(&conv, x, y);
    free(weights);
    free(bias);
}

static void replay_norm(const struct replay *r, int node, const float *x, float *y)
{
    const struct node *n = &r->net->nodes[node];
    float *p[PARAM_COUNT];
    for (int i = 0; i < PARAM_COUNT; i++)
        p[i] = params(r, node, (enum param)i);
    int pixels = n->shape.height * n->shape.width;
    for (int i = 0; i < n->shape.channels * pixels; i++) {
        int c = i / pixels;
        float scale = p[PARAM_GAMMA][c] / sqrtf(p[PARAM_VARIANCE][c] + (float)n->epsilon);
        y[i] = fmaf(x[i], scale, p[PARAM_BETA][c] - p[PARAM_MEAN][c] * scale);
    }
    for (int i = 0; i < PARAM_COUNT; i++)
        free(p[i]);
}

static void replay_max_pool(const struct replay *r, int node, const float *x, float *y)
{
    const struct node *n = &r->net->nodes[node];
    const struct shape *in = &r->net->nodes[n->inputs[0]].shape;
    int height = n->shape.height, width = n->shape.width;
    for (int i = 0; i < n->shape.channels * height * width; i++) {
        y[i] = -INFINITY;
        for (int k = 0; k < n->kernel * n->kernel; k++) {
            int iy = i / width % height * n->stride + k / n->kernel - n->pad;
            int ix = i % width * n->stride + k % n->kernel - n->pad;
            if (iy >= 0 && iy < in->height && ix >= 0 && ix < in->width)
                y[i] = fmaxf(y[i], x[(i / (height * width) * in->height + iy) * in->width + ix]);
            else if (n->zeros)
                y[i] = fmaxf(y[i], 0);
        }
    }
}

static void replay_avg_pool(const struct replay *r, int node, const float *x, float *y)
{
    const struct node *n = &r->net->nodes[node];
    const struct shape *in = &r->net->nodes[n->inputs[0]].shape;
    int pixels = in->height * in->width;
    for (int c = 0; c < n->shape.channels; c++) {
        y[c] = 0;
        for (int i = 0; i < pixels; i++)
            y[c] += x[c * pixels + i];
        y[c] /= (float)pixels;
    }
}

static void replay_softmax(const float *x, float *y, int count)
{
    float max = x[0], sum = 0;
    for (int i = 1; i < count; i++)
        max = fmaxf(max, x[i]);
    for (int i = 0; i < count; i++)
        sum += y[i] = expf(x[i] - max);
    for (int i = 0; i < count; i++)
        y[i] /= sum;
}

static void replay_compute(const struct replay *r, int node, int count, float *y)
{
    const struct node *n = &r->net->nodes[node];
    const float *x = r->out[n->inputs[0]];
    if (n->kind == NODE_CONV || n->kind == NODE_DENSE)
        replay_conv(r, node, x, y);
    else if (n->kind == NODE_BATCH_NORM)
        replay_norm(r, node, x, y);
    else if (n->kind == NODE_MAX_POOL)
        replay_max_pool(r, node, x, y);
    else if (n->kind == NODE_AVG_POOL)
        replay_avg_pool(r, node, x, y);
    else if (n->kind == NODE_SOFTMAX)
        replay_softmax(x, y, count);
    for (int i = 0; n->kind == NODE_RELU && i < count; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
    for (int i = 0; n->kind == NODE_ADD && i < count; i++)
        y[i] = x[i] + r->out[n->inputs[1]][i];
}

static void replay_node(void *context, int node, const double *value, const double *sigma)
{
    struct replay *r = context;
    const struct node *n = &r->net->nodes[node];
    int count = n->shape.channels * n->shape.height * n->shape.width;
    float *y = r->out[node] = calloc((size_t)count, sizeof *y);
    cr_assert(y);
    if (n->kind == NODE_INPUT) {
        for (int i = 0; i < count; i++)
            y[i] = (float)value[i];
    } else {
        replay_compute(r, node, count, y);
    }
    for (int i = 0; i < count; i++) {
        double error = fabs((double)y[i] - value[i]);
        r->outside += !(error <= ORACLE_LAMBDA * sigma[i]);
        if (n->kind == NODE_CONV) {
            r->squares += error * error;
            r->variances += sigma[i] * sigma[i];
        }
    }
    r->numbers += (size_t)count;
}

/** The bound holds for every number, and is no wider than the errors that it is for. */
Test(oracle, float_network_stays_within_the_bound)
{
    enum { SIZE = 33, CLASSES = 100 };
    const char *const names[] = {"resnet18_v2", "resnet50_v2", "resnet50_v2_keras",
                                 "resnet18_v1.5"};
    const struct param_source source = synthetic_source(&seed);
    float *image = noise_array(SIZE * SIZE * 3, 5);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct network net = build(names[i], CLASSES, SIZE);
        struct replay r = {.net = &net, .source = &source};
        r.out = calloc((size_t)net.node_count, sizeof *r.out);
        const struct oracle_options options = {.threads = 2, .visit = replay_node, .context = &r};
        struct oracle_result result;
        struct error e;
        cr_assert(oracle_run(&net, &source, image, &options, &result, &e));
        cr_expect_eq(r.outside, 0, "%s: %zu of %zu", names[i], r.outside, r.numbers);
        double ratio = sqrt(r.squares / r.variances);
        cr_expect(ratio > 0.15 && ratio < 0.6, "%s: errors are %.3f sigma", names[i], ratio);
        oracle_free(&result);
        for (int node = 0; node < net.node_count; node++)
            free(r.out[node]);
        free(r.out);
        network_free(&net);
    }
    free(image);
}

struct levels {
    const struct network *net;
    double least, most; /**< root mean squares of batch norms */
    double sum;         /**< the largest of a residual sum */
};

static void measure_level(void *context, int node, const double *value, const double *sigma)
{
    (void)sigma;
    struct levels *levels = context;
    const struct node *n = &levels->net->nodes[node];
    int count = n->shape.channels * n->shape.height * n->shape.width;
    double squares = 0;
    for (int i = 0; i < count; i++)
        squares += value[i] * value[i];
    double level = sqrt(squares / count);
    if (n->kind == NODE_BATCH_NORM) {
        levels->least = fmin(levels->least, level);
        levels->most = fmax(levels->most, level);
    } else if (n->kind == NODE_ADD) {
        levels->sum = fmax(levels->sum, level);
    }
}

/** Synthetic parameters neither blow a network up nor let it die down, however deep it is. */
Test(oracle, synthetic_activations_stay_of_order_one)
{
    enum { SIZE = 64, CLASSES = 1000 };
    const struct param_source source = synthetic_source(&seed);
    float *image = noise_array(SIZE * SIZE * 3, 6);
    const char *const names[] = {"resnet18_v2",       "resnet50_v2",      "resnet152_v2",
                                 "resnet50_v2_keras", "resnet50_v2_timm", "resnet152_v1.5"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        struct network net = build(names[n], CLASSES, SIZE);
        struct levels levels = {.net = &net, .least = INFINITY};
        struct oracle_options options = {.threads = 2, .visit = measure_level, .context = &levels};
        struct oracle_result r;
        struct error e;
        cr_assert(oracle_run(&net, &source, image, &options, &r, &e));
        cr_expect(levels.least > 0.4 && levels.most < 4 && levels.sum < 12, "%s: %g..%g, %g",
                  names[n], levels.least, levels.most, levels.sum);
        double total = 0, bound = 0, squares = 0;
        for (int i = 0; i < CLASSES; i++) {
            total += r.softmax[i];
            bound = fmax(bound, r.bounds[i]);
            squares += r.logits[i] * r.logits[i] / CLASSES;
        }
        cr_expect_float_eq(total, 1, 1e-12);
        cr_expect(squares > 0.1 && squares < 10, "%s: logits %g", names[n], sqrt(squares));
        cr_expect(bound > 1e-6 && bound < 2e-4, "%s: bound %g", names[n], bound);
        oracle_free(&r);
        network_free(&net);
    }
    free(image);
}
