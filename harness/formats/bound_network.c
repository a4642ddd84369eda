#include "harness/formats/bound_network.h"

#include "harness/formats/mapped_file.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Of the image, for the sake of network_build(). */
#define ANY_SIZE 64

/* Elements that are converted at a time to be checked. */
#define PIECE 4096

bool bound_network_make(struct bound_network *bound, const char *name, int classes, struct error *e)
{
    *bound = (struct bound_network){0};
    if (!network_build(&bound->net, name, classes, ANY_SIZE, e))
        return false;
    size_t count = (size_t)bound->net.node_count * PARAM_COUNT;
    bound->bindings = calloc(count, sizeof *bound->bindings);
    if (bound->bindings)
        return true;
    bound_network_free(bound);
    return error_set(e, "no memory for the %zu parameter tensors of %s", count, name);
}

void bound_network_free(struct bound_network *bound)
{
    free(bound->bindings);
    network_free(&bound->net);
    *bound = (struct bound_network){0};
}

struct binding *bound_network_at(const struct bound_network *bound, int node, enum param param)
{
    return &bound->bindings[(size_t)node * PARAM_COUNT + (size_t)param];
}

bool bound_network_fits(const struct bound_network *bound, int node, enum param param,
                        const struct file_tensor *t, bool outputs_last)
{
    uint64_t dims[4];
    int rank = network_param_dims(&bound->net, node, param, outputs_last, dims);
    bool fits = t->rank >= rank;
    for (int i = 0; i < t->rank && fits; i++)
        fits = t->dims[i] == (i < rank ? dims[i] : 1);
    return fits;
}

static bool check_form(const struct bound_network *bound, int node, enum param param,
                       struct error *e)
{
    const struct binding *b = bound_network_at(bound, node, param);
    const struct file_tensor *t = b->tensor;
    char found[TENSOR_SHAPE_TEXT], wanted[TENSOR_SHAPE_TEXT];
    uint64_t dims[4];
    if (t->dtype->to_float && bound_network_fits(bound, node, param, t, b->outputs_last))
        return true;
    int rank = network_param_dims(&bound->net, node, param, b->outputs_last, dims);
    return error_set(e, "tensor %.*s: %s (%s) expects %s of F32 there, the file has %s of %s",
                     TENSOR_NAME_SHOWN, t->name, bound->net.name, bound->net.variant,
                     tensor_shape_text(dims, rank, wanted),
                     tensor_shape_text(t->dims, t->rank, found), t->dtype->name);
}

static bool check_numbers(const struct binding *b, enum param param, struct error *e)
{
    float values[PIECE];
    const struct file_tensor *t = b->tensor;
    for (size_t at = 0; at < t->elements; at += PIECE) {
        size_t count = t->elements - at < PIECE ? t->elements - at : PIECE;
        t->dtype->to_float(t->data + at * t->dtype->size, count, values);
        for (size_t i = 0; i < count; i++) {
            if (!isfinite(values[i]))
                return error_set(e, "tensor %.*s: element %zu is %g; finite numbers are expected",
                                 TENSOR_NAME_SHOWN, t->name, at + i, (double)values[i]);
            if (param == PARAM_VARIANCE && values[i] < 0)
                return error_set(e, "tensor %.*s: element %zu is %g; a variance cannot be negative",
                                 TENSOR_NAME_SHOWN, t->name, at + i, (double)values[i]);
        }
    }
    return true;
}

bool bound_network_check(const struct bound_network *bound, struct error *e)
{
    for (int node = 0; node < bound->net.node_count; node++) {
        for (enum param param = 0; param < PARAM_COUNT; param++) {
            const struct binding *b = bound_network_at(bound, node, param);
            if (b->tensor && network_param_count(&bound->net, node, param) > 0 &&
                (!check_form(bound, node, param, e) || !check_numbers(b, param, e)))
                return false;
            if (b->tensor && bound->mapped)
                mapped_bytes_drop(b->tensor->data, b->tensor->elements * b->tensor->dtype->size);
        }
    }
    return true;
}

static void read_outputs_last(const struct file_tensor *t, size_t outputs, size_t taps,
                              size_t first, size_t count, float *out)
{
    size_t inputs = t->elements / outputs / taps, size = t->dtype->size;
    for (size_t i = 0; i < count; i++) {
        size_t at = first + i;
        size_t tap = at % taps, input = at / taps % inputs, output = at / taps / inputs;
        t->dtype->to_float(t->data + ((tap * inputs + input) * outputs + output) * size, 1,
                           out + i);
    }
}

void bound_network_read(const void *context, const struct network *net, int node, enum param param,
                        size_t first, size_t count, float *out)
{
    const struct bound_network *bound = context;
    const struct binding *b = bound_network_at(bound, node, param);
    const struct node *n = &net->nodes[node];
    assert(net->node_count == bound->net.node_count);
    for (size_t i = 0; !b->tensor && i < count; i++)
        out[i] = b->constant;
    if (!b->tensor)
        return;
    const struct file_tensor *t = b->tensor;
    if (b->outputs_last) {
        size_t taps = n->kind == NODE_CONV ? (size_t)n->kernel * (size_t)n->kernel : 1;
        read_outputs_last(t, (size_t)n->shape.channels, taps, first, count, out);
    } else {
        t->dtype->to_float(t->data + first * t->dtype->size, count, out);
    }
    if (bound->mapped && first + count == t->elements)
        mapped_bytes_drop(t->data, t->elements * t->dtype->size);
}

void bound_network_adapt(const void *context, struct network *net)
{
    const struct bound_network *bound = context;
    assert(net->node_count == bound->net.node_count);
    for (int node = 0; node < net->node_count; node++)
        net->nodes[node].epsilon = bound->net.nodes[node].epsilon;
}
