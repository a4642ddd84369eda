#include "harness/formats/export.h"
#include "harness/formats/onnx_builder.h"
#include "harness/formats/tensor_names.h"

/*
 * The operators of opset 7, as in the ONNX model zoo's files, with padding as an attribute. In
 * files of version 4 and later initializers are constants, which engines may fold and pack.
 */
#define IR_VERSION 4
#define OPSET 7

struct exporter {
    struct onnx_builder builder;
    const struct network *net;
    const struct param_source *source;
};

static const char *name_of(const struct exporter *x, int node)
{
    return x->net->nodes[node].name;
}

/* Adds the node's parameters, and their names behind those of its inputs. */
static void add_params(struct exporter *x, int node, const char **inputs, int count)
{
    for (enum param param = 0; param < PARAM_COUNT; param++) {
        uint64_t dims[4];
        char name[TENSOR_NAME_SIZE];
        size_t elements = network_param_count(x->net, node, param);
        if (elements == 0)
            continue;
        int rank = network_param_dims(x->net, node, param, false, dims);
        tensor_name(x->net, node, param, name);
        float *numbers = onnx_builder_tensor(&x->builder, name, rank, dims);
        if (numbers)
            x->source->read(x->source->context, x->net, node, param, 0, elements, numbers);
        inputs[count++] = onnx_builder_text(&x->builder, name);
    }
    inputs[count] = NULL;
}

/* Zeros around the image, or with a negative pad less of it; returns the value's name. */
static const char *add_padding(struct exporter *x, int node, const char *input)
{
    char name[64];
    const char *inputs[] = {input, NULL};
    snprintf(name, sizeof name, "%s_pad", name_of(x, node));
    Onnx__NodeProto *pad = onnx_builder_node(&x->builder, "Pad", name, inputs);
    int64_t *pads = onnx_builder_ints(&x->builder, pad, "pads", 8, x->net->nodes[node].pad);
    for (int i = 0; pads && i < 8; i += 4)
        pads[i] = pads[i + 1] = 0; /* of batch and channels */
    return onnx_builder_text(&x->builder, name);
}

static void add_window(struct exporter *x, int node, const char *op, bool pad_apart)
{
    const struct node *n = &x->net->nodes[node];
    const char *inputs[4] = {name_of(x, n->inputs[0])};
    if (pad_apart)
        inputs[0] = add_padding(x, node, inputs[0]);
    add_params(x, node, inputs, 1);
    Onnx__NodeProto *window = onnx_builder_node(&x->builder, op, n->name, inputs);
    onnx_builder_ints(&x->builder, window, "kernel_shape", 2, n->kernel);
    onnx_builder_ints(&x->builder, window, "strides", 2, n->stride);
    onnx_builder_ints(&x->builder, window, "pads", 4, pad_apart ? 0 : n->pad);
}

static void add_norm(struct exporter *x, int node)
{
    const char *inputs[6] = {name_of(x, x->net->nodes[node].inputs[0])};
    add_params(x, node, inputs, 1);
    Onnx__NodeProto *norm =
        onnx_builder_node(&x->builder, "BatchNormalization", name_of(x, node), inputs);
    onnx_builder_float(&x->builder, norm, "epsilon", (float)x->net->nodes[node].epsilon);
}

static void add_dense(struct exporter *x, int node)
{
    const struct node *n = &x->net->nodes[node];
    char flat[64];
    snprintf(flat, sizeof flat, "%s_flat", n->name);
    const char *before[] = {name_of(x, n->inputs[0]), NULL}, *inputs[4] = {flat};
    onnx_builder_node(&x->builder, "Flatten", flat, before);
    add_params(x, node, inputs, 1);
    Onnx__NodeProto *gemm = onnx_builder_node(&x->builder, "Gemm", n->name, inputs);
    onnx_builder_int(&x->builder, gemm, "transB", 1);
}

static void add_simple(struct exporter *x, int node, const char *op)
{
    const int *from = x->net->nodes[node].inputs;
    const char *inputs[] = {name_of(x, from[0]), from[1] < 0 ? NULL : name_of(x, from[1]), NULL};
    onnx_builder_node(&x->builder, op, name_of(x, node), inputs);
}

/* The graph ends in logits, as the published ones do. */
static void add_node(struct exporter *x, int node)
{
    const struct node *n = &x->net->nodes[node];
    switch (n->kind) {
    case NODE_CONV:
        add_window(x, node, "Conv", n->pad < 0);
        break;
    case NODE_BATCH_NORM:
        add_norm(x, node);
        break;
    case NODE_RELU:
        add_simple(x, node, "Relu");
        break;
    case NODE_MAX_POOL:
        add_window(x, node, "MaxPool", n->zeros);
        break;
    case NODE_ADD:
        add_simple(x, node, "Add");
        break;
    case NODE_AVG_POOL:
        add_simple(x, node, "GlobalAveragePool");
        break;
    case NODE_DENSE:
        add_dense(x, node);
        break;
    case NODE_INPUT:
    case NODE_SOFTMAX:
        break;
    }
}

static bool describe(struct exporter *x, const char *origin)
{
    struct onnx_builder *b = &x->builder;
    int last = x->net->node_count - 1;
    if (x->net->nodes[last].kind == NODE_SOFTMAX)
        last--;
    b->model.producer_name = onnx_builder_text(b, "resmark");
    b->model.producer_version = onnx_builder_text(b, RESMARK_VERSION);
    b->model.doc_string = onnx_builder_text(b, origin);
    b->graph.name = onnx_builder_text(b, x->net->name);
    b->graph.input = onnx_builder_take(b, sizeof *b->graph.input);
    b->graph.output = onnx_builder_take(b, sizeof *b->graph.output);
    if (b->failed)
        return false;
    b->graph.input[0] = onnx_builder_value(b, name_of(x, 0), true, x->net->nodes[0].shape.channels);
    b->graph.output[0] = onnx_builder_value(b, name_of(x, last), false, x->net->classes);
    b->graph.n_input = b->graph.n_output = 1;
    return !b->failed;
}

bool export_onnx(const struct network *net, const struct param_source *source, const char *origin,
                 FILE *stream, struct error *e)
{
    struct exporter x = {.net = net, .source = source};
    bool ok = onnx_builder_make(&x.builder, IR_VERSION, OPSET) && describe(&x, origin);
    for (int node = 0; ok && node < net->node_count; node++)
        add_node(&x, node);
    ok = ok && !x.builder.failed;
    if (ok)
        onnx_builder_write(&x.builder, stream);
    onnx_builder_free(&x.builder);
    return ok || error_set(e, "no memory to write %s", net->name);
}
