#include "harness/network.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGES 4
#define MAX_UNIT_CONVS 3
#define MIN_SIZE 32
#define MAX_SIZE 4096
#define MAX_CLASSES 100000

/**
 * What the networks of one publisher have in common. A further form (Keras, timm) is a further row;
 * where it differs in something that is not here yet, that something becomes a field.
 */
struct form {
    const char *variant;
    bool data_norm; /**< batch norm on the image */
    bool stem_norm; /**< batch norm and ReLU between the first convolution and the pool */
    double epsilon; /**< of every batch norm */
    int image_channels;
    int stem_channels, stem_kernel, stem_stride;
    int pool_kernel, pool_stride;
    int width[STAGES];  /**< channels of the inner convolutions of a stage's units */
    int stride[STAGES]; /**< of the stage's first unit */
};

/** The convolutions of a residual unit, each after its own batch norm and ReLU. */
struct unit {
    int convs;
    int kernel[MAX_UNIT_CONVS];
    int strided;   /**< which of them has the unit's stride */
    int expansion; /**< output channels of the last, in widths */
};

/** One published network. */
struct spec {
    const char *name;
    const struct form *form;
    const struct unit *unit;
    int blocks[STAGES];
};

/** GluonCV's resnet*_v2, which are the ONNX model zoo's resnet*-v2-7. */
static const struct form gluon = {
    .variant = "gluon",
    .data_norm = true,
    .stem_norm = true,
    .epsilon = 1e-5,
    .image_channels = 3,
    .stem_channels = 64,
    .stem_kernel = 7,
    .stem_stride = 2,
    .pool_kernel = 3,
    .pool_stride = 2,
    .width = {64, 128, 256, 512},
    .stride = {1, 2, 2, 2},
};

static const struct unit basic = {.convs = 2, .kernel = {3, 3}, .strided = 0, .expansion = 1};
static const struct unit bottleneck = {
    .convs = 3, .kernel = {1, 3, 1}, .strided = 1, .expansion = 4};

#define NETWORKS(X)                                                                                \
    X("resnet18_v2", gluon, basic, 2, 2, 2, 2)                                                     \
    X("resnet34_v2", gluon, basic, 3, 4, 6, 3)                                                     \
    X("resnet50_v2", gluon, bottleneck, 3, 4, 6, 3)                                                \
    X("resnet101_v2", gluon, bottleneck, 3, 4, 23, 3)                                              \
    X("resnet152_v2", gluon, bottleneck, 3, 8, 36, 3)

#define SPEC(name, form, unit, b1, b2, b3, b4) {name, &form, &unit, {b1, b2, b3, b4}},
static const struct spec specs[] = {NETWORKS(SPEC)};
#undef SPEC

#define NAME(name, form, unit, b1, b2, b3, b4) name,
const char *const network_names[] = {NETWORKS(NAME) NULL};
#undef NAME

/** A graph in the making. The counters number the nodes of the current stage, as MXNet does. */
struct builder {
    struct network *net;
    const struct spec *spec;
    int capacity;
    int stage;
    int convs, norms, activations, sums;
};

/** Appends a node whose output has the shape of its first input's; the caller changes what differs.
 */
static struct node *append(struct builder *b, enum node_kind kind, int input)
{
    struct network *net = b->net;
    assert(net->node_count < b->capacity);
    struct node *node = &net->nodes[net->node_count++];
    node->kind = kind;
    node->inputs[0] = input;
    node->inputs[1] = -1;
    if (input >= 0)
        node->shape = net->nodes[input].shape;
    return node;
}

/** Names the newest node and returns its index. */
__attribute__((format(printf, 2, 3))) static int named(struct builder *b, const char *format, ...)
{
    struct node *node = &b->net->nodes[b->net->node_count - 1];
    va_list args;
    va_start(args, format);
    vsnprintf(node->name, sizeof node->name, format, args);
    va_end(args);
    return b->net->node_count - 1;
}

/** Output pixels of a window that slides over `in` pixels with `pad` more on both sides. */
static int windows(int in, int kernel, int stride, int pad)
{
    return (in + 2 * pad - kernel) / stride + 1;
}

/** A convolution or a max-pool with the padding that keeps the size at stride 1. */
static struct node *append_window(struct builder *b, enum node_kind kind, int input, int kernel,
                                  int stride)
{
    struct node *node = append(b, kind, input);
    node->kernel = kernel;
    node->stride = stride;
    node->pad = kernel / 2;
    node->shape.height = windows(node->shape.height, kernel, stride, node->pad);
    node->shape.width = windows(node->shape.width, kernel, stride, node->pad);
    return node;
}

static struct node *append_norm(struct builder *b, int input)
{
    struct node *node = append(b, NODE_BATCH_NORM, input);
    node->epsilon = b->spec->form->epsilon;
    return node;
}

static int unit_conv(struct builder *b, int input, int channels, int kernel, int stride)
{
    append_window(b, NODE_CONV, input, kernel, stride)->shape.channels = channels;
    return named(b, "stage%d_conv%d_fwd", b->stage + 1, b->convs++);
}

static int unit_activation(struct builder *b, int input)
{
    append_norm(b, input);
    int norm = named(b, "stage%d_batchnorm%d_fwd", b->stage + 1, b->norms++);
    append(b, NODE_RELU, norm);
    return named(b, "stage%d_activation%d", b->stage + 1, b->activations++);
}

/** One residual unit; a projection where the shortcut's shape would not fit. */
static int append_unit(struct builder *b, int input, int stride)
{
    const struct unit *unit = b->spec->unit;
    int width = b->spec->form->width[b->stage];
    int channels = width * unit->expansion;
    bool project = stride != 1 || b->net->nodes[input].shape.channels != channels;
    int entry = unit_activation(b, input);
    int x = entry;
    for (int i = 0; i < unit->convs; i++) {
        if (i > 0)
            x = unit_activation(b, x);
        x = unit_conv(b, x, i == unit->convs - 1 ? channels : width, unit->kernel[i],
                      i == unit->strided ? stride : 1);
    }
    int shortcut = project ? unit_conv(b, entry, channels, 1, stride) : input;
    append(b, NODE_ADD, x)->inputs[1] = shortcut;
    return named(b, "stage%d__plus%d", b->stage + 1, b->sums++);
}

static int append_stage(struct builder *b, int stage, int input)
{
    b->stage = stage;
    b->convs = b->norms = b->activations = b->sums = 0;
    int x = input;
    for (int i = 0; i < b->spec->blocks[stage]; i++)
        x = append_unit(b, x, i == 0 ? b->spec->form->stride[stage] : 1);
    return x;
}

/** From the image to the first residual unit. The norms outside the stages share one numbering. */
static int append_stem(struct builder *b, int size)
{
    const struct form *form = b->spec->form;
    append(b, NODE_INPUT, -1)->shape = (struct shape){form->image_channels, size, size};
    int x = named(b, "data");
    if (form->data_norm) {
        append_norm(b, x);
        x = named(b, "batchnorm%d_fwd", b->norms++);
    }
    append_window(b, NODE_CONV, x, form->stem_kernel, form->stem_stride)->shape.channels =
        form->stem_channels;
    x = named(b, "conv0_fwd");
    if (form->stem_norm) {
        append_norm(b, x);
        x = named(b, "batchnorm%d_fwd", b->norms++);
        append(b, NODE_RELU, x);
        x = named(b, "relu%d_fwd", b->activations++);
    }
    append_window(b, NODE_MAX_POOL, x, form->pool_kernel, form->pool_stride);
    return named(b, "pool0_fwd");
}

/** From the last residual unit to the probabilities. The published graphs stop at the logits. */
static void append_head(struct builder *b, int input, int norm, int activation)
{
    append_norm(b, input);
    int x = named(b, "batchnorm%d_fwd", norm);
    append(b, NODE_RELU, x);
    x = named(b, "relu%d_fwd", activation);
    struct node *pool = append(b, NODE_AVG_POOL, x);
    pool->shape.height = pool->shape.width = 1;
    x = named(b, "pool1_fwd");
    struct node *dense = append(b, NODE_DENSE, x);
    dense->bias = true;
    dense->shape.channels = b->net->classes;
    x = named(b, "dense0_fwd");
    append(b, NODE_SOFTMAX, x);
    named(b, "softmax0");
}

static void expand(struct builder *b, int size)
{
    int x = append_stem(b, size);
    int norm = b->norms;
    int activation = b->activations;
    for (int stage = 0; stage < STAGES; stage++)
        x = append_stage(b, stage, x);
    append_head(b, x, norm, activation);
}

/** At most this many nodes: a unit has a norm, a ReLU and a convolution each, a projection and a
 * sum. */
static int capacity_of(const struct spec *spec)
{
    int units = 0;
    for (int stage = 0; stage < STAGES; stage++)
        units += spec->blocks[stage];
    int stem_and_head = 11;
    return stem_and_head + units * (3 * spec->unit->convs + 2);
}

static void count_totals(struct network *net)
{
    for (int node = 0; node < net->node_count; node++) {
        net->macs += network_node_macs(net, node);
        for (int param = 0; param < PARAM_COUNT; param++)
            net->parameters += network_param_count(net, node, (enum param)param);
    }
}

static const struct spec *find(const char *name)
{
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        if (strcmp(specs[i].name, name) == 0)
            return &specs[i];
    }
    return NULL;
}

bool network_build(struct network *net, const char *name, int classes, int size, struct error *e)
{
    *net = (struct network){0};
    const struct spec *spec = find(name);
    if (!spec)
        return error_set(e, "unknown network '%s': known are %s to %s", name, network_names[0],
                         specs[sizeof specs / sizeof *specs - 1].name);
    if (size < MIN_SIZE || size > MAX_SIZE)
        return error_set(e, "image size %d: it must be in %d..%d", size, MIN_SIZE, MAX_SIZE);
    if (classes < 1 || classes > MAX_CLASSES)
        return error_set(e, "%d classes: there must be 1..%d", classes, MAX_CLASSES);
    struct builder b = {.net = net, .spec = spec, .capacity = capacity_of(spec)};
    net->name = spec->name;
    net->variant = spec->form->variant;
    net->classes = classes;
    net->nodes = calloc((size_t)b.capacity, sizeof *net->nodes);
    if (!net->nodes)
        return error_set(e, "no memory for the %d nodes of %s", b.capacity, name);
    expand(&b, size);
    count_totals(net);
    return true;
}

void network_free(struct network *net)
{
    free(net->nodes);
    *net = (struct network){0};
}

const char *node_short_name(const struct node *node, char name[48])
{
    size_t length = strlen(node->name);
    if (length > 4 && strcmp(node->name + length - 4, "_fwd") == 0)
        length -= 4;
    memcpy(name, node->name, length);
    name[length] = '\0';
    return name;
}

size_t network_param_count(const struct network *net, int node, enum param param)
{
    const struct node *n = &net->nodes[node];
    size_t channels = (size_t)n->shape.channels;
    if (n->kind == NODE_BATCH_NORM)
        return param >= PARAM_GAMMA && param <= PARAM_VARIANCE ? channels : 0;
    if (n->kind != NODE_CONV && n->kind != NODE_DENSE)
        return 0;
    if (param == PARAM_BIAS)
        return n->bias ? channels : 0;
    if (param != PARAM_WEIGHT)
        return 0;
    size_t inputs = (size_t)net->nodes[n->inputs[0]].shape.channels;
    size_t taps = n->kind == NODE_CONV ? (size_t)n->kernel * (size_t)n->kernel : 1;
    return channels * inputs * taps;
}

int network_param_dims(const struct network *net, int node, enum param param, bool outputs_last,
                       uint64_t dims[4])
{
    const struct node *n = &net->nodes[node];
    uint64_t outputs = (uint64_t)n->shape.channels, kernel = (uint64_t)n->kernel;
    if (param != PARAM_WEIGHT) {
        dims[0] = outputs;
        return 1;
    }
    uint64_t inputs = (uint64_t)net->nodes[n->inputs[0]].shape.channels;
    bool dense = n->kind == NODE_DENSE;
    uint64_t first[4] = {outputs, inputs, kernel, kernel};
    uint64_t last[4] = {kernel, kernel, inputs, outputs};
    const uint64_t *from = outputs_last ? last + (dense ? 2 : 0) : first;
    memcpy(dims, from, (dense ? 2 : 4) * sizeof *dims);
    return dense ? 2 : 4;
}

double network_node_macs(const struct network *net, int node)
{
    const struct node *n = &net->nodes[node];
    double pixels = (double)n->shape.height * n->shape.width;
    return pixels * (double)network_param_count(net, node, PARAM_WEIGHT);
}
