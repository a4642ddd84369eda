#include "tests/operator_runs.h"

#include "kernels/conv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_EPSILON 1e-5

static const Onnx__AttributeProto *attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++) {
        if (strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    }
    return NULL;
}

static int64_t integer(const Onnx__NodeProto *node, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *a = attribute(node, name);
    return a ? a->i : otherwise;
}

static float number(const Onnx__NodeProto *node, const char *name, float otherwise)
{
    const Onnx__AttributeProto *a = attribute(node, name);
    return a ? a->f : otherwise;
}

/* The number that a list holds everywhere; -1: it holds several. */
static int everywhere(const Onnx__NodeProto *node, const char *name, int otherwise)
{
    const Onnx__AttributeProto *a = attribute(node, name);
    int64_t first = a && a->n_ints > 0 ? a->ints[0] : otherwise;
    for (size_t i = 1; a && i < a->n_ints; i++) {
        if (a->ints[i] != first)
            return -1;
    }
    return (int)first;
}

static void *zeros(size_t count)
{
    void *memory = calloc(count + 1, sizeof(float));
    if (!memory)
        abort();
    return memory;
}

static size_t blocked_at(const struct tensor *t, int n, int c, int y, int x)
{
    return (size_t)n * t->image_stride + (size_t)(c / BLOCK) * t->block_stride +
           (size_t)y * t->row_stride + (size_t)(x * BLOCK + c % BLOCK);
}

/* A blocked tensor of [N][C][H][W]; `*memory` is to be freed. */
static struct tensor make_blocked(const int64_t *dims, int border, float **memory)
{
    struct tensor t = tensor_blocked((int)dims[1], (int)dims[2], (int)dims[3], border);
    *memory = zeros(tensor_floats(&t, (int)dims[0]));
    tensor_place(&t, *memory);
    return t;
}

/* Copies between [N][C][H][W] and the blocked tensor. */
static void copy(const struct tensor *t, const int64_t *dims, float *plain, bool into)
{
    for (int n = 0; n < dims[0]; n++) {
        for (int c = 0; c < dims[1]; c++) {
            for (int y = 0; y < dims[2]; y++) {
                for (int x = 0; x < dims[3]; x++, plain++) {
                    float *at = t->data + blocked_at(t, n, c, y, x);
                    *(into ? at : plain) = *(into ? plain : at);
                }
            }
        }
    }
}

/* [cout][cin][tap] as panels [cout/16][cin/16][tap][16 cin][16 cout]; to be freed. */
static float *make_panels(const struct array *w, int cin)
{
    int cout = (int)w->dims[0], taps = (int)w->count / cout / cin;
    int in_blocks = (cin + BLOCK - 1) / BLOCK, out_blocks = (cout + BLOCK - 1) / BLOCK;
    float *panels = zeros((size_t)(in_blocks * out_blocks * taps) * BLOCK * BLOCK);
    for (int o = 0; o < cout; o++) {
        for (int c = 0; c < cin; c++) {
            for (int tap = 0; tap < taps; tap++) {
                int block = (o / BLOCK * in_blocks + c / BLOCK) * taps + tap;
                panels[(block * BLOCK + c % BLOCK) * BLOCK + o % BLOCK] =
                    w->data[(o * cin + c) * taps + tap];
            }
        }
    }
    return panels;
}

static float *make_vector(const struct array *a, size_t size)
{
    float *v = zeros((size + BLOCK - 1) / BLOCK * BLOCK);
    if (a->data)
        memcpy(v, a->data, a->count * sizeof *v);
    return v;
}

static const char *window_problem(const struct operator_case *c)
{
    const Onnx__AttributeProto *automatic = attribute(c->node, "auto_pad");
    if (c->inputs[0].rank != 4)
        return "not two dimensions";
    if (automatic && !(automatic->s.len == 6 && memcmp(automatic->s.data, "NOTSET", 6) == 0))
        return "automatic padding";
    if (everywhere(c->node, "kernel_shape", 0) < 0 || everywhere(c->node, "strides", 1) < 0)
        return "a window that is not square";
    if (everywhere(c->node, "pads", 0) < 0)
        return "different padding on different sides";
    if (everywhere(c->node, "dilations", 1) != 1)
        return "dilation";
    if (integer(c->node, "group", 1) != 1)
        return "groups";
    return integer(c->node, "ceil_mode", 0) ? "sizes rounded up" : NULL;
}

static const char *run_conv(const struct operator_case *c, const struct kernel_set *set, float *out)
{
    const struct array *x = &c->inputs[0], *w = &c->inputs[1];
    float *in_memory, *out_memory;
    struct conv conv = {.set = set,
                        .batch = (int)x->dims[0],
                        .stride = everywhere(c->node, "strides", 1),
                        .pad = everywhere(c->node, "pads", 0),
                        .blocking = {24, 2, 2}};
    const char *problem = window_problem(c);
    if (!problem && (w->rank != 4 || w->dims[2] != w->dims[3]))
        problem = "a window that is not square";
    if (problem)
        return problem;
    conv.kernel = (int)w->dims[2];
    conv.in = make_blocked(x->dims, conv.pad, &in_memory);
    conv.sum = make_blocked(c->expected.dims, 0, &out_memory);
    copy(&conv.in, x->dims, x->data, true);
    float *panels = make_panels(w, (int)x->dims[1]);
    float *bias = make_vector(&c->inputs[2], (size_t)w->dims[0]);
    float *scratch = zeros(conv_scratch_floats(&conv));
    conv.weights = conv.weights_end = panels;
    conv.bias = bias;
    for (int unit = 0; unit < conv_units(&conv); unit++)
        conv_run(&conv, unit, scratch);
    copy(&conv.sum, c->expected.dims, out, false);
    free(scratch);
    free(bias);
    free(panels);
    free(out_memory);
    free(in_memory);
    return NULL;
}

static const char *run_max_pool(const struct operator_case *c, const struct kernel_set *set,
                                float *out)
{
    const struct array *x = &c->inputs[0];
    const int64_t *dims = c->expected.dims;
    float *in_memory, *out_memory;
    const char *problem = window_problem(c);
    if (!problem && c->node->n_output != 1)
        problem = "indices of the largest";
    if (problem)
        return problem;
    struct tensor in = make_blocked(x->dims, 0, &in_memory);
    struct tensor to = make_blocked(dims, 0, &out_memory);
    copy(&in, x->dims, x->data, true);
    for (int i = 0; i < dims[0] * tensor_blocks(&in) * dims[2]; i++) {
        int row = i % (int)dims[2], block = i / (int)dims[2];
        int n = block / tensor_blocks(&in), c0 = block % tensor_blocks(&in) * BLOCK;
        const struct max_pool_args args = {.in = in.data + blocked_at(&in, n, c0, 0, 0),
                                           .row_stride = in.row_stride,
                                           .height = in.height,
                                           .width = in.width,
                                           .kernel = everywhere(c->node, "kernel_shape", 1),
                                           .stride = everywhere(c->node, "strides", 1),
                                           .pad = everywhere(c->node, "pads", 0),
                                           .row = row,
                                           .out_width = (int)dims[3],
                                           .sum = to.data + blocked_at(&to, n, c0, row, 0)};
        set->max_pool.run(&args);
    }
    copy(&to, dims, out, false);
    free(out_memory);
    free(in_memory);
    return NULL;
}

static const char *run_avg_pool(const struct operator_case *c, const struct kernel_set *set,
                                float *out)
{
    const struct array *x = &c->inputs[0];
    float *memory, mean[BLOCK];
    if (x->rank != 4)
        return "not two dimensions";
    struct tensor in = make_blocked(x->dims, 0, &memory);
    copy(&in, x->dims, x->data, true);
    for (int n = 0; n < x->dims[0]; n++) {
        for (int c0 = 0; c0 < x->dims[1]; c0++) {
            if (c0 % BLOCK == 0)
                set->avg_pool.run(in.data + blocked_at(&in, n, c0, 0, 0),
                                  (size_t)(in.height * in.width), mean);
            *out++ = mean[c0 % BLOCK];
        }
    }
    free(memory);
    return NULL;
}

static const char *run_gemm(const struct operator_case *c, const struct kernel_set *set, float *out)
{
    const struct array *a = &c->inputs[0], *b = &c->inputs[1], *bias = &c->inputs[2];
    bool last = integer(c->node, "transB", 0) == 0;
    if (number(c->node, "alpha", 1) != 1 || number(c->node, "beta", 1) != 1)
        return "factors";
    if (integer(c->node, "transA", 0))
        return "the first matrix transposed";
    int64_t inputs = a->dims[1], outputs = c->expected.dims[1];
    if (bias->data && (int64_t)bias->count != outputs)
        return "a bias that is no vector of the outputs";
    struct array w = {zeros(b->count), 2, {outputs, inputs}, b->count};
    for (int64_t i = 0; i < inputs * outputs; i++)
        w.data[i] = b->data[last ? i % inputs * outputs + i / inputs : i];
    size_t padded = (size_t)(inputs + BLOCK - 1) / BLOCK * BLOCK;
    size_t blocks = (size_t)(outputs + BLOCK - 1) / BLOCK;
    float *panels = make_panels(&w, (int)inputs), *v = make_vector(bias, (size_t)outputs);
    float *in = zeros(padded), *row = zeros(blocks * BLOCK);
    for (int64_t n = 0; n < a->dims[0]; n++) {
        memcpy(in, a->data + n * inputs, (size_t)inputs * sizeof *in);
        set->fc.run(in, panels, v, row, padded, blocks);
        memcpy(out + n * outputs, row, (size_t)outputs * sizeof *out);
    }
    free(row);
    free(in);
    free(v);
    free(panels);
    free(w.data);
    return NULL;
}

static const char *run_softmax(const struct operator_case *c, const struct kernel_set *set,
                               float *out)
{
    const struct array *x = &c->inputs[0];
    int64_t axis = integer(c->node, "axis", x->rank == 2 ? 1 : -1);
    size_t row = (size_t)x->dims[x->rank - 1];
    if (axis != -1 && axis != x->rank - 1)
        return "not over the last dimension";
    for (size_t at = 0; at < x->count; at += row)
        set->softmax.run(x->data + at, out + at, row);
    return NULL;
}

static float *of_ones(size_t count, float value)
{
    float *v = zeros(count);
    for (size_t i = 0; i < count; i++)
        v[i] = value;
    return v;
}

static const char *run_relu(const struct operator_case *c, const struct kernel_set *set, float *out)
{
    size_t count = c->inputs[0].count, pixels = (count + BLOCK - 1) / BLOCK;
    float *x = make_vector(&c->inputs[0], count), *y = zeros(pixels * BLOCK);
    float *one = of_ones(BLOCK, 1), *zero = zeros(BLOCK);
    set->bn_relu.run(x, one, zero, y, pixels);
    memcpy(out, y, count * sizeof *out);
    free(zero);
    free(one);
    free(y);
    free(x);
    return NULL;
}

static const char *run_add(const struct operator_case *c, const struct kernel_set *set, float *out)
{
    if (c->inputs[0].count != c->expected.count || c->inputs[1].count != c->expected.count)
        return "broadcasting";
    set->add.run(c->inputs[0].data, c->inputs[1].data, out, c->expected.count);
    return NULL;
}

/* The kernel has a ReLU behind it: y is relu(y) - relu(-y), of which one is zero. */
static const char *run_norm(const struct operator_case *c, const struct kernel_set *set, float *out)
{
    const struct array *x = &c->inputs[0];
    if (integer(c->node, "training_mode", 0) || c->node->n_output != 1)
        return "training";
    if (x->rank != 4)
        return "not two dimensions";
    float *in_memory, *y_memory, *minus_memory;
    double epsilon = (double)number(c->node, "epsilon", (float)DEFAULT_EPSILON);
    struct tensor in = make_blocked(x->dims, 0, &in_memory);
    struct tensor y = make_blocked(x->dims, 0, &y_memory);
    struct tensor minus = make_blocked(x->dims, 0, &minus_memory);
    copy(&in, x->dims, x->data, true);
    for (int i = 0; i < x->dims[0] * tensor_blocks(&in); i++) {
        float scale[2][BLOCK] = {{0}}, shift[2][BLOCK] = {{0}};
        int n = i / tensor_blocks(&in), c0 = i % tensor_blocks(&in) * BLOCK;
        for (int k = c0; k < c0 + BLOCK && k < x->dims[1]; k++) {
            double s = (double)c->inputs[1].data[k] / sqrt((double)c->inputs[4].data[k] + epsilon);
            double t = (double)c->inputs[2].data[k] - (double)c->inputs[3].data[k] * s;
            scale[1][k - c0] = -(scale[0][k - c0] = (float)s);
            shift[1][k - c0] = -(shift[0][k - c0] = (float)t);
        }
        size_t at = blocked_at(&in, n, c0, 0, 0), pixels = (size_t)(in.height * in.width);
        set->bn_relu.run(in.data + at, scale[0], shift[0], y.data + at, pixels);
        set->bn_relu.run(in.data + at, scale[1], shift[1], minus.data + at, pixels);
    }
    for (size_t i = 0; i < tensor_floats(&y, (int)x->dims[0]); i++)
        y_memory[i] -= minus_memory[i];
    copy(&y, x->dims, out, false);
    free(minus_memory);
    free(y_memory);
    free(in_memory);
    return NULL;
}

const char *operator_run(const struct operator_case *c, const struct kernel_set *set, float *out)
{
    static const struct {
        const char *op;
        const char *(*run)(const struct operator_case *, const struct kernel_set *, float *);
    } operators[] = {
        {"Conv", run_conv},        {"BatchNormalization", run_norm},
        {"MaxPool", run_max_pool}, {"GlobalAveragePool", run_avg_pool},
        {"Gemm", run_gemm},        {"Softmax", run_softmax},
        {"Relu", run_relu},        {"Add", run_add},
    };
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].op, c->node->op_type) == 0)
            return operators[i].run(c, set, out);
    }
    return "no kernel for it";
}
