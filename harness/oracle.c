#include "harness/oracle.h"

#include "harness/oracle_bilinear.h"
#include "harness/oracle_params.h"
#include "harness/square.h"

#include <math.h>
#include <stdlib.h>

/** The output of a node, [channels][height][width]. */
struct tensor {
    double *value;
    double *variance; /**< of a float32 engine's error */
};

struct run {
    const struct network *net;
    const struct param_source *source;
    const struct oracle_options *options;
    struct tensor *tensors; /**< one a node; released after their last use */
    int *last_use;          /**< the last node that reads the node's output */
    struct error *e;
};

static bool out_of_memory(const struct run *run, int node)
{
    return error_set(run->e, "no memory for the oracle's %s", run->net->nodes[node].name);
}

static bool tensor_make(struct run *run, int node)
{
    size_t count = shape_elements(&run->net->nodes[node].shape);
    struct tensor *t = &run->tensors[node];
    t->value = malloc(count * sizeof *t->value);
    t->variance = malloc(count * sizeof *t->variance);
    return (t->value && t->variance) || out_of_memory(run, node);
}

static void tensor_free(struct tensor *t)
{
    free(t->value);
    free(t->variance);
    *t = (struct tensor){0};
}

/** What the engine computes a node by. */
static enum algo algo_of(const struct run *run, int node)
{
    return run->options->algos ? run->options->algos[node] : ALGO_DIRECT;
}

/** Terms in the chain of a convolution's output that starts from its bias; 0: no such chain. */
static double bias_chain(const struct run *run, int node)
{
    const struct node *n = &run->net->nodes[node];
    bool chain = n->kind == NODE_CONV && algo_of(run, node) == ALGO_DIRECT;
    return chain ? (double)network_param_count(run->net, node, PARAM_WEIGHT) / n->shape.channels
                 : 0;
}

/** Whether a convolution's tensor holds it with its batch norm's scale, as Strassen's needs. */
static bool holds_scale(const struct run *run, int node)
{
    return algo_of(run, node) == ALGO_STRASSEN &&
           network_only_reader(run->net, node, NODE_BATCH_NORM) >= 0;
}

static bool compute_folded(struct run *run, int node, struct oracle_conv *conv)
{
    const struct tensor *x = &run->tensors[run->net->nodes[node].inputs[0]];
    struct tensor *y = &run->tensors[node];
    int norm = holds_scale(run, node) ? network_only_reader(run->net, node, NODE_BATCH_NORM) : -1;
    struct oracle_affine fold;
    bool ok = oracle_affine_load(&fold, run->net, run->source, norm, conv->cout) ||
              out_of_memory(run, node);
    conv->fold = norm >= 0 ? fold.scale : NULL;
    ok = ok && oracle_bilinear_variance(conv, algo_of(run, node), x->value, x->variance, y->value,
                                        y->variance, run->e);
    oracle_affine_free(&fold);
    return ok;
}

static bool compute_conv(struct run *run, int node)
{
    const struct node *n = &run->net->nodes[node];
    const struct shape *in = &run->net->nodes[n->inputs[0]].shape;
    bool dense = n->kind == NODE_DENSE;
    float *weights = oracle_param(run->net, run->source, node, PARAM_WEIGHT);
    float *bias = n->bias ? oracle_param(run->net, run->source, node, PARAM_BIAS) : NULL;
    struct oracle_conv conv = {.cin = in->channels,
                               .height = in->height,
                               .width = in->width,
                               .cout = n->shape.channels,
                               .kernel = dense ? 1 : n->kernel,
                               .stride = dense ? 1 : n->stride,
                               .pad = n->pad,
                               .weights = weights,
                               .bias = bias,
                               .threads = run->options->threads};
    bool ok = (weights && (bias || !n->bias)) || out_of_memory(run, node);
    ok = ok && compute_folded(run, node, &conv);
    free(weights);
    free(bias);
    return ok;
}

/** One channel: y = scale x + shift. `chain` is sqrt(K) of the convolution that may absorb it. */
static void norm_channel(const struct tensor *x, struct tensor *y, size_t first, size_t count,
                         double scale, double shift, double chain)
{
    for (size_t i = first; i < first + count; i++) {
        double v = scale * x->value[i] + shift;
        double local = fabs(scale * x->value[i]) + fabs(v) + (1 + chain) * fabs(shift);
        y->value[i] = v;
        y->variance[i] = square(scale) * x->variance[i] + square(FLOAT_ROUNDOFF * local);
    }
}

static bool compute_batch_norm(struct run *run, int node)
{
    const struct node *n = &run->net->nodes[node];
    int input = n->inputs[0], channels = n->shape.channels;
    double chain = sqrt(bias_chain(run, input));
    struct oracle_affine norm;
    bool ok = oracle_affine_load(&norm, run->net, run->source, node, channels) ||
              out_of_memory(run, node);
    size_t count = shape_pixels(&n->shape);
    for (int c = 0; ok && c < channels; c++) {
        double scale = holds_scale(run, input) ? 1 : norm.scale[c];
        norm_channel(&run->tensors[input], &run->tensors[node], (size_t)c * count, count, scale,
                     norm.shift[c], chain);
    }
    oracle_affine_free(&norm);
    return ok;
}

static void compute_relu(struct run *run, int node)
{
    const struct node *n = &run->net->nodes[node];
    const struct tensor *x = &run->tensors[n->inputs[0]];
    struct tensor *y = &run->tensors[node];
    for (size_t i = 0; i < shape_elements(&n->shape); i++) {
        double v = x->value[i];
        bool surely_zero = v < -ORACLE_LAMBDA * sqrt(x->variance[i]);
        y->value[i] = v < 0 ? 0 : v;
        y->variance[i] = surely_zero ? 0 : x->variance[i];
    }
}

static void compute_add(struct run *run, int node)
{
    const struct node *n = &run->net->nodes[node];
    const struct tensor *a = &run->tensors[n->inputs[0]];
    const struct tensor *b = &run->tensors[n->inputs[1]];
    struct tensor *y = &run->tensors[node];
    for (size_t i = 0; i < shape_elements(&n->shape); i++) {
        double v = a->value[i] + b->value[i];
        y->value[i] = v;
        y->variance[i] = a->variance[i] + b->variance[i] + square(FLOAT_ROUNDOFF * v);
    }
}

/** Output pixel (oy, ox) of the channel whose input begins at `base`. */
static void max_window(const struct node *n, const struct shape *in, const struct tensor *x,
                       size_t base, int oy, int ox, double *value, double *variance)
{
    *value = -INFINITY;
    *variance = 0;
    for (int ky = 0; ky < n->kernel; ky++) {
        for (int kx = 0; kx < n->kernel; kx++) {
            int iy = oy * n->stride + ky - n->pad;
            int ix = ox * n->stride + kx - n->pad;
            if (iy < 0 || iy >= in->height || ix < 0 || ix >= in->width) {
                *value = n->zeros && *value < 0 ? 0 : *value;
                continue;
            }
            size_t at = base + (size_t)iy * (size_t)in->width + (size_t)ix;
            *value = *value > x->value[at] ? *value : x->value[at];
            *variance = *variance > x->variance[at] ? *variance : x->variance[at];
        }
    }
}

static void compute_max_pool(struct run *run, int node)
{
    const struct node *n = &run->net->nodes[node];
    const struct shape *in = &run->net->nodes[n->inputs[0]].shape;
    const struct tensor *x = &run->tensors[n->inputs[0]];
    struct tensor *y = &run->tensors[node];
    size_t at = 0;
    for (int c = 0; c < n->shape.channels; c++) {
        for (int oy = 0; oy < n->shape.height; oy++) {
            for (int ox = 0; ox < n->shape.width; ox++, at++)
                max_window(n, in, x, (size_t)c * shape_pixels(in), oy, ox, &y->value[at],
                           &y->variance[at]);
        }
    }
}

/** A float32 sum of P terms errs by sqrt(P) u sum|x|, the quotient by u of itself. */
static void compute_avg_pool(struct run *run, int node)
{
    const struct node *n = &run->net->nodes[node];
    size_t count = shape_pixels(&run->net->nodes[n->inputs[0]].shape);
    const struct tensor *x = &run->tensors[n->inputs[0]];
    struct tensor *y = &run->tensors[node];
    for (size_t c = 0; c < (size_t)n->shape.channels; c++) {
        double sum = 0, absolute = 0, deviation = 0;
        for (size_t i = c * count; i < (c + 1) * count; i++) {
            sum += x->value[i];
            absolute += fabs(x->value[i]);
            deviation += sqrt(x->variance[i]);
        }
        double p = (double)count;
        double local = (sqrt(p) + 1) * FLOAT_ROUNDOFF * absolute / p;
        y->value[c] = sum / p;
        y->variance[c] = square(deviation / p) + square(local);
    }
}

/**
 * p = exp(x - max) / sum. dp_i = p_i (dx_i - sum p_j dx_j); x - max is rounded, exp errs by 1 ULP
 * (2 u at most), the sum of n terms by sqrt(n) u, the quotient by u.
 */
static void compute_softmax(struct run *run, int node)
{
    const struct node *n = &run->net->nodes[node];
    const struct tensor *x = &run->tensors[n->inputs[0]];
    struct tensor *y = &run->tensors[node];
    size_t count = shape_elements(&n->shape);
    double max = -INFINITY, sum = 0, deviation = 0;
    for (size_t i = 0; i < count; i++)
        max = x->value[i] > max ? x->value[i] : max;
    for (size_t i = 0; i < count; i++) {
        y->value[i] = exp(x->value[i] - max);
        sum += y->value[i];
        deviation += y->value[i] * sqrt(x->variance[i]);
    }
    for (size_t i = 0; i < count; i++) {
        double p = y->value[i] / sum;
        double local = (3 + sqrt((double)count) + max - x->value[i]) * FLOAT_ROUNDOFF;
        y->value[i] = p;
        y->variance[i] =
            square(p) * (square(sqrt(x->variance[i]) + deviation / sum) + square(local));
    }
}

static bool compute(struct run *run, int node)
{
    switch (run->net->nodes[node].kind) {
    case NODE_INPUT:
        return true;
    case NODE_CONV:
    case NODE_DENSE:
        return compute_conv(run, node);
    case NODE_BATCH_NORM:
        return compute_batch_norm(run, node);
    case NODE_RELU:
        compute_relu(run, node);
        return true;
    case NODE_MAX_POOL:
        compute_max_pool(run, node);
        return true;
    case NODE_ADD:
        compute_add(run, node);
        return true;
    case NODE_AVG_POOL:
        compute_avg_pool(run, node);
        return true;
    case NODE_SOFTMAX:
        compute_softmax(run, node);
        return true;
    }
    return false;
}

/** Turns the image [H][W][3] into the input's [3][H][W]; it has no error. */
static void read_image(struct run *run, int node, const float *image)
{
    const struct shape *s = &run->net->nodes[node].shape;
    struct tensor *t = &run->tensors[node];
    size_t channels = (size_t)s->channels;
    for (size_t i = 0; i < shape_elements(s); i++) {
        t->value[i % channels * shape_pixels(s) + i / channels] = (double)image[i];
        t->variance[i] = 0;
    }
}

static bool visit(struct run *run, int node)
{
    const struct oracle_options *options = run->options;
    if (!options->visit)
        return true;
    size_t count = shape_elements(&run->net->nodes[node].shape);
    double *sigma = malloc(count * sizeof *sigma);
    if (!sigma)
        return out_of_memory(run, node);
    for (size_t i = 0; i < count; i++)
        sigma[i] = sqrt(run->tensors[node].variance[i]);
    options->visit(options->context, node, run->tensors[node].value, sigma);
    free(sigma);
    return true;
}

/** Releases the inputs that no later node reads. */
static void release_inputs(struct run *run, int node)
{
    for (int i = 0; i < 2; i++) {
        int input = run->net->nodes[node].inputs[i];
        if (input >= 0 && run->last_use[input] == node)
            tensor_free(&run->tensors[input]);
    }
}

static bool run_nodes(struct run *run, const float *image, struct oracle_result *out)
{
    const struct network *net = run->net;
    int last = net->node_count - 1;
    for (int node = 0; node <= last; node++) {
        if (!tensor_make(run, node))
            return false;
        if (net->nodes[node].kind == NODE_INPUT)
            read_image(run, node, image);
        if (!compute(run, node) || !visit(run, node))
            return false;
        if (node < last)
            release_inputs(run, node);
    }
    const struct tensor *logits = &run->tensors[network_logits(net)];
    for (int i = 0; i < net->classes; i++) {
        out->logits[i] = logits->value[i];
        out->bounds[i] = ORACLE_LAMBDA * sqrt(logits->variance[i]);
        if (out->softmax)
            out->softmax[i] = run->tensors[last].value[i];
    }
    return true;
}

static bool run_make(struct run *run)
{
    const struct network *net = run->net;
    run->tensors = calloc((size_t)net->node_count, sizeof *run->tensors);
    run->last_use = calloc((size_t)net->node_count, sizeof *run->last_use);
    if (!run->tensors || !run->last_use)
        return error_set(run->e, "no memory for the oracle of %s", net->name);
    for (int node = 0; node < net->node_count; node++) {
        for (int i = 0; i < 2; i++) {
            if (net->nodes[node].inputs[i] >= 0)
                run->last_use[net->nodes[node].inputs[i]] = node;
        }
    }
    return true;
}

static void run_free(struct run *run)
{
    for (int node = 0; run->tensors && node < run->net->node_count; node++)
        tensor_free(&run->tensors[node]);
    free(run->tensors);
    free(run->last_use);
}

static bool result_make(struct oracle_result *r, const struct network *net, struct error *e)
{
    size_t count = (size_t)net->classes;
    bool softmax = network_logits(net) != net->node_count - 1;
    *r = (struct oracle_result){.classes = net->classes,
                                .logits = calloc(count, sizeof(double)),
                                .bounds = calloc(count, sizeof(double)),
                                .softmax = softmax ? calloc(count, sizeof(double)) : NULL};
    return (r->logits && r->bounds && (r->softmax || !softmax)) ||
           error_set(e, "no memory for the oracle's %d classes", net->classes);
}

bool oracle_run(const struct network *net, const struct param_source *source, const float *image,
                const struct oracle_options *options, struct oracle_result *out, struct error *e)
{
    struct run run = {.net = net, .source = source, .options = options, .e = e};
    bool ok = result_make(out, net, e) && run_make(&run) && run_nodes(&run, image, out);
    run_free(&run);
    if (!ok)
        oracle_free(out);
    return ok;
}

void oracle_free(struct oracle_result *result)
{
    free(result->logits);
    free(result->bounds);
    free(result->softmax);
    *result = (struct oracle_result){0};
}
