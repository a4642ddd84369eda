#include "harness/formats/recognise_graph.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Nodes in a row that change nothing. */
#define MAX_PASSED 16

struct match {
    const struct onnx_graph *g;
    struct bound_network *bound;
    int *value;  /* of the file's graph, for each node of the network */
    int node;    /* of the network, that is being matched */
    bool pooled; /* the image has been averaged away: shapes may change */
    /* Of a convolution that a batch norm was folded into: what it adds. */
    const struct file_tensor **folded;
    struct error *e;
};

static const struct node *node_of(const struct match *m, int node)
{
    return &m->bound->net.nodes[node];
}

/* A value behind the nodes that only pass it on, if they alone read it. */
static int behind_passing(const struct match *m, int value)
{
    static const char *const any[] = {"Identity", "Dropout", NULL};
    static const char *const pooled[] = {"Flatten", "Reshape", "Squeeze", NULL};
    for (int i = 0; i < MAX_PASSED && onnx_graph_count_readers(m->g, value) == 1; i++) {
        int reader = -1;
        for (const char *const *op = any; *op && reader < 0; op++)
            reader = onnx_graph_reader(m->g, value, *op, -1);
        for (const char *const *op = pooled; m->pooled && *op && reader < 0; op++)
            reader = onnx_graph_reader(m->g, value, *op, -1);
        if (reader < 0)
            break;
        value = onnx_graph_output(m->g, reader);
    }
    return value;
}

static int input_value(const struct match *m)
{
    return behind_passing(m, m->value[node_of(m, m->node)->inputs[0]]);
}

static const Onnx__NodeProto *proto(const struct match *m, int reader)
{
    return m->g->proto->node[reader];
}

/* Binds an initializer; false with the error set when the node's input is none. */
static bool bind(struct match *m, enum param param, int reader, size_t input, bool outputs_last)
{
    const char *name;
    struct binding *b = bound_network_at(m->bound, m->node, param);
    b->tensor = onnx_graph_tensor(m->g, reader, input, &name);
    b->outputs_last = outputs_last;
    return b->tensor || error_set(m->e, "tensor %.*s: %s (%s) expects an initializer there, for %s",
                                  TENSOR_NAME_SHOWN, name, m->bound->net.name,
                                  m->bound->net.variant, node_of(m, m->node)->name);
}

static void bind_constant(struct match *m, enum param param, float constant)
{
    *bound_network_at(m->bound, m->node, param) = (struct binding){.constant = constant};
}

static bool all_or(const Onnx__NodeProto *n, const char *name, size_t count, int wanted,
                   int otherwise)
{
    return onnx_attribute(n, name) ? onnx_attribute_all(n, name, count, wanted)
                                   : wanted == otherwise;
}

/* Whether a Conv or MaxPool slides the same window; one without kernel_shape has its weights'. */
static bool is_window(const Onnx__NodeProto *n, int kernel, int stride, int pad)
{
    const Onnx__AttributeProto *automatic = onnx_attribute(n, "auto_pad");
    return onnx_attribute_all(n, "kernel_shape", 2, kernel) && all_or(n, "strides", 2, stride, 1) &&
           all_or(n, "pads", 4, pad, 0) && all_or(n, "dilations", 2, 1, 1) &&
           onnx_attribute_int(n, "group", 1) == 1 && onnx_attribute_int(n, "ceil_mode", 0) == 0 &&
           (!automatic || (automatic->s.len == 6 && memcmp(automatic->s.data, "NOTSET", 6) == 0));
}

/* Whether a Pad puts `pad` zeros around the image, or takes as many pixels away. */
static bool is_padding(const Onnx__NodeProto *n, int pad)
{
    const Onnx__AttributeProto *pads = onnx_attribute(n, "pads");
    const Onnx__AttributeProto *number = onnx_attribute(n, "value");
    const Onnx__AttributeProto *mode = onnx_attribute(n, "mode");
    bool ok = pads && pads->n_ints == 8 && !(number && number->f != 0) &&
              !(mode && (mode->s.len != 8 || memcmp(mode->s.data, "constant", 8) != 0));
    for (size_t i = 0; ok && i < 8; i++)
        ok = pads->ints[i] == (i % 4 < 2 ? 0 : pad);
    return ok;
}

/* The value behind a Pad of the node's padding; -1: none. */
static int padded(const struct match *m, int value)
{
    int pad = onnx_graph_reader(m->g, value, "Pad", -1);
    bool fits = pad >= 0 && is_padding(proto(m, pad), node_of(m, m->node)->pad);
    return fits ? onnx_graph_output(m->g, pad) : -1;
}

/* Two convolutions may read the same value: the one whose weights fit is taken, if there is one. */
static int find_conv(const struct match *m, int value, int pad)
{
    const struct node *n = node_of(m, m->node);
    int found = -1;
    for (int r = -1; (r = onnx_graph_reader(m->g, value, "Conv", r)) >= 0;) {
        const char *name;
        const struct file_tensor *t = onnx_graph_tensor(m->g, r, 1, &name);
        if (!is_window(proto(m, r), n->kernel, n->stride, pad))
            continue;
        if (t && bound_network_fits(m->bound, m->node, PARAM_WEIGHT, t, false))
            return r;
        found = r;
    }
    return found;
}

static int match_conv(struct match *m)
{
    const struct node *n = node_of(m, m->node);
    int value = input_value(m), reader = find_conv(m, value, n->pad);
    if (reader < 0 && n->pad != 0)
        reader = find_conv(m, padded(m, value), 0);
    if (reader < 0 || !bind(m, PARAM_WEIGHT, reader, 1, false))
        return -1;
    bool bias = proto(m, reader)->n_input > 2;
    if (bias && !bind(m, PARAM_BIAS, reader, 2, false))
        return -1;
    if (!bias)
        bind_constant(m, PARAM_BIAS, 0);
    if (bias && !n->bias)
        m->folded[m->node] = bound_network_at(m->bound, m->node, PARAM_BIAS)->tensor;
    return onnx_graph_output(m->g, reader);
}

static int match_folded_norm(struct match *m, int conv)
{
    bind_constant(m, PARAM_GAMMA, 1);
    bind_constant(m, PARAM_MEAN, 0);
    bind_constant(m, PARAM_VARIANCE, 1);
    bound_network_at(m->bound, m->node, PARAM_BETA)->tensor = m->folded[conv];
    m->bound->net.nodes[m->node].epsilon = 0;
    m->folded[conv] = NULL;
    return m->value[conv];
}

static int match_norm(struct match *m)
{
    static const enum param order[] = {PARAM_GAMMA, PARAM_BETA, PARAM_MEAN, PARAM_VARIANCE};
    int input = node_of(m, m->node)->inputs[0];
    int reader = onnx_graph_reader(m->g, input_value(m), "BatchNormalization", -1);
    if (m->folded[input])
        return match_folded_norm(m, input);
    for (size_t i = 0; i < 4; i++) {
        if (reader < 0 || !bind(m, order[i], reader, i + 1, false))
            return -1;
    }
    const Onnx__AttributeProto *epsilon = onnx_attribute(proto(m, reader), "epsilon");
    float given = epsilon && epsilon->has_f ? epsilon->f : 1e-5F;
    double own = node_of(m, m->node)->epsilon;
    if (!(given >= 0 && given < 1) || onnx_attribute_int(proto(m, reader), "training_mode", 0))
        return -1;
    /* The attribute is a float: where it is the network's own epsilon, the exact one stays. */
    if (given != (float)own)
        m->bound->net.nodes[m->node].epsilon = (double)given;
    return onnx_graph_output(m->g, reader);
}

static int match_max_pool(struct match *m)
{
    const struct node *n = node_of(m, m->node);
    int value = n->zeros ? padded(m, input_value(m)) : input_value(m), pad = n->zeros ? 0 : n->pad;
    for (int r = -1; (r = onnx_graph_reader(m->g, value, "MaxPool", r)) >= 0;) {
        if (onnx_attribute(proto(m, r), "kernel_shape") &&
            is_window(proto(m, r), n->kernel, n->stride, pad))
            return onnx_graph_output(m->g, r);
    }
    return -1;
}

static int match_add(struct match *m)
{
    const int *inputs = node_of(m, m->node)->inputs;
    int a = input_value(m), b = behind_passing(m, m->value[inputs[1]]);
    for (int turn = 0; turn < 2; turn++) {
        int first = turn ? b : a, second = turn ? a : b;
        for (int r = -1; (r = onnx_graph_reader(m->g, first, "Add", r)) >= 0;) {
            if (onnx_graph_input(m->g, r, 1) == second)
                return onnx_graph_output(m->g, r);
        }
    }
    return -1;
}

static int match_op(const struct match *m, const char *op)
{
    int reader = onnx_graph_reader(m->g, input_value(m), op, -1);
    return reader < 0 ? -1 : onnx_graph_output(m->g, reader);
}

static bool is_spatial(const int64_t *axes, size_t count)
{
    return count == 2 && ((axes[0] == 2 && axes[1] == 3) || (axes[0] == -2 && axes[1] == -1) ||
                          (axes[0] == -1 && axes[1] == -2));
}

static int match_avg_pool(struct match *m)
{
    int value = match_op(m, "GlobalAveragePool");
    int mean = onnx_graph_reader(m->g, input_value(m), "ReduceMean", -1);
    if (value < 0 && mean >= 0) {
        const char *name;
        const Onnx__AttributeProto *axes = onnx_attribute(proto(m, mean), "axes");
        const struct file_tensor *t = onnx_graph_tensor(m->g, mean, 1, &name);
        int64_t given[2] = {0};
        if (t && t->data && t->dtype == dtype_by_name("I64") && t->elements == 2)
            memcpy(given, t->data, sizeof given);
        if (axes ? is_spatial(axes->ints, axes->n_ints) : is_spatial(given, 2))
            value = onnx_graph_output(m->g, mean);
    }
    m->pooled = m->pooled || value >= 0;
    return value;
}

static bool is_plain_gemm(const Onnx__NodeProto *n)
{
    const Onnx__AttributeProto *alpha = onnx_attribute(n, "alpha"),
                               *beta = onnx_attribute(n, "beta");
    return !(alpha && alpha->f != 1) && !(beta && beta->f != 1) &&
           onnx_attribute_int(n, "transA", 0) == 0;
}

static int match_dense(struct match *m)
{
    int value = input_value(m);
    int gemm = onnx_graph_reader(m->g, value, "Gemm", -1);
    int multiply = onnx_graph_reader(m->g, value, "MatMul", -1);
    int reader = onnx_graph_reader(m->g, value, "Conv", -1), weights = reader;
    size_t bias = 2;
    bool last = false;
    if (gemm >= 0 && is_plain_gemm(proto(m, gemm))) {
        reader = weights = gemm;
        last = onnx_attribute_int(proto(m, gemm), "transB", 0) == 0;
    } else if (multiply >= 0) {
        weights = multiply;
        reader = onnx_graph_reader(m->g, onnx_graph_output(m->g, multiply), "Add", -1);
        bias = 1;
        last = true;
    } else if (reader >= 0 && !is_window(proto(m, reader), 1, 1, 0)) {
        return -1;
    }
    if (reader < 0 || !bind(m, PARAM_WEIGHT, weights, 1, last) ||
        !bind(m, PARAM_BIAS, reader, bias, false))
        return -1;
    return onnx_graph_output(m->g, reader);
}

/* The graph may end before it, in logits. */
static int match_softmax(struct match *m)
{
    int value = match_op(m, "Softmax");
    return value < 0 ? input_value(m) : value;
}

static int match_node(struct match *m)
{
    switch (node_of(m, m->node)->kind) {
    case NODE_INPUT:
        return m->g->input;
    case NODE_CONV:
        return match_conv(m);
    case NODE_BATCH_NORM:
        return match_norm(m);
    case NODE_RELU:
        return match_op(m, "Relu");
    case NODE_MAX_POOL:
        return match_max_pool(m);
    case NODE_ADD:
        return match_add(m);
    case NODE_AVG_POOL:
        return match_avg_pool(m);
    case NODE_DENSE:
        return match_dense(m);
    default:
        return match_softmax(m);
    }
}

static bool refuse_node(const struct match *m)
{
    static const char *const kinds[] = {[NODE_INPUT] = "the image",
                                        [NODE_CONV] = "Conv",
                                        [NODE_BATCH_NORM] = "BatchNormalization",
                                        [NODE_RELU] = "Relu",
                                        [NODE_MAX_POOL] = "MaxPool",
                                        [NODE_ADD] = "Add",
                                        [NODE_AVG_POOL] = "GlobalAveragePool",
                                        [NODE_DENSE] = "Gemm",
                                        [NODE_SOFTMAX] = "Softmax"};
    const struct node *n = node_of(m, m->node);
    const struct network *net = &m->bound->net;
    int value = n->inputs[0] < 0 ? -1 : m->value[n->inputs[0]];
    return error_set(m->e,
                     "its graph is of no network that resmark knows: %s (%s), the nearest, has %s "
                     "(%s, kernel %d, stride %d, %d channels) behind %.80s",
                     net->name, net->variant, n->name, kinds[n->kind], n->kernel, n->stride,
                     n->shape.channels, value < 0 ? "nothing" : m->g->values[value].name);
}

/* A bias that stayed with a convolution which has none, and no batch norm to take it. */
static bool refuse_bias(const struct match *m)
{
    for (int i = 0; i < m->node; i++) {
        if (m->folded[i])
            return error_set(m->e, "tensor %.*s: %s (%s), the nearest network, has no bias in %s",
                             TENSOR_NAME_SHOWN, m->folded[i]->name, m->bound->net.name,
                             m->bound->net.variant, node_of(m, i)->name);
    }
    return true;
}

/* Sets m->node to how many nodes of the network have a counterpart. */
static bool match_all(struct match *m)
{
    for (m->node = 0; m->node < m->bound->net.node_count; m->node++) {
        *m->e = (struct error){""};
        m->value[m->node] = match_node(m);
        if (m->value[m->node] < 0)
            return *m->e->text ? false : refuse_node(m);
    }
    int end = behind_passing(m, m->value[m->node - 1]);
    return refuse_bias(m) &&
           (end == m->g->output ||
            error_set(m->e,
                      "its output is not behind %.80s, where %s (%s), the nearest "
                      "network, ends",
                      m->g->values[end].name, m->bound->net.name, m->bound->net.variant));
}

/* How many nodes were matched; `*fits`: all, and nothing else is in the way. */
static int try_network(struct bound_network *bound, const struct onnx_graph *g, bool *fits,
                       struct error *e)
{
    size_t count = (size_t)bound->net.node_count;
    struct match m = {.g = g, .bound = bound, .e = e};
    m.value = calloc(count, sizeof *m.value);
    m.folded = calloc(count, sizeof *m.folded);
    *fits = (m.value && m.folded) || error_set(e, "no memory to compare %zu nodes", count);
    *fits = *fits && match_all(&m);
    free(m.value);
    free(m.folded);
    return m.node;
}

/* The bias of the last layer has as many numbers as there are classes. */
static int count_classes(const struct bound_network *bound)
{
    for (int node = bound->net.node_count - 1; node >= 0; node--) {
        const struct file_tensor *t = bound_network_at(bound, node, PARAM_BIAS)->tensor;
        if (bound->net.nodes[node].kind == NODE_DENSE)
            return t && t->rank == 1 && t->dims[0] > 0 && t->dims[0] < INT_MAX ? (int)t->dims[0]
                                                                               : 1;
    }
    return 1;
}

bool recognise_graph(struct bound_network *bound, const struct onnx_graph *g, struct error *e)
{
    struct error why;
    int most = -1, classes = 1;
    bool fits = false;
    *bound = (struct bound_network){0};
    const char *found = NULL;
    for (int i = 0; network_name(i) && !fits; i++) {
        struct bound_network candidate;
        if (!bound_network_make(&candidate, network_name(i), 1, e))
            return false;
        int matched = try_network(&candidate, g, &fits, &why);
        if (matched > most || fits) {
            most = matched;
            found = network_name(i);
            classes = count_classes(&candidate);
            *e = why;
        }
        bound_network_free(&candidate);
    }
    if (!fits || !bound_network_make(bound, found, classes, e))
        return false;
    try_network(bound, g, &fits, e);
    return true;
}
