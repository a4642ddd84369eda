#include "harness/formats/onnx_graph.h"

#include <stdlib.h>
#include <string.h>

/* The deepest network has about 600; exporters add some for shapes. */
#define MAX_NODES 20000

/* Identity nodes between an initializer and its reader. */
#define MAX_ALIASES 8

static int compare_values(const void *a, const void *b)
{
    return strcmp(((const struct onnx_value *)a)->name, ((const struct onnx_value *)b)->name);
}

static int compare_readers(const void *a, const void *b)
{
    const struct onnx_reader *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static int find_value(const struct onnx_graph *g, const char *name)
{
    struct onnx_value key = {.name = name};
    const struct onnx_value *found =
        g->value_count == 0
            ? NULL
            : bsearch(&key, g->values, (size_t)g->value_count, sizeof *g->values, compare_values);
    return found ? (int)(found - g->values) : -1;
}

static bool add_value(struct onnx_graph *g, const char *name, int producer)
{
    if (name && *name)
        g->values[g->value_count++] = (struct onnx_value){name, producer};
    return name && *name;
}

/* Initializers may be listed as inputs, too. */
static bool list_values(struct onnx_graph *g, struct error *e)
{
    const char *input = NULL;
    for (size_t i = 0; i < g->proto->n_input; i++) {
        const char *name = g->proto->input[i]->name;
        if (name && tensor_table_find(g->tensors, name))
            continue;
        if (input || !add_value(g, name, -1))
            return error_set(e, "its graph has more inputs than the image");
        input = name;
    }
    if (!input || g->proto->n_output != 1 || !g->proto->output[0]->name)
        return error_set(e, "its graph must have one input, the image, and one output");
    for (size_t i = 0; i < g->proto->n_node; i++) {
        if (g->proto->node[i]->n_output > 0)
            add_value(g, g->proto->node[i]->output[0], (int)i);
    }
    qsort(g->values, (size_t)g->value_count, sizeof *g->values, compare_values);
    for (int i = 1; i < g->value_count; i++) {
        if (compare_values(&g->values[i - 1], &g->values[i]) == 0)
            return error_set(e, "value %.80s of its graph is computed twice", g->values[i].name);
    }
    g->input = find_value(g, input);
    g->output = find_value(g, g->proto->output[0]->name);
    return true;
}

static void list_readers(struct onnx_graph *g)
{
    for (size_t i = 0; i < g->proto->n_node; i++) {
        const Onnx__NodeProto *node = g->proto->node[i];
        for (size_t k = 0; k < node->n_input && k < ONNX_MAX_INPUTS; k++) {
            int value = find_value(g, node->input[k]);
            if (value >= 0)
                g->readers[g->reader_count++] = (struct onnx_reader){value, (int)i};
        }
    }
    qsort(g->readers, (size_t)g->reader_count, sizeof *g->readers, compare_readers);
}

bool onnx_graph_make(struct onnx_graph *g, const Onnx__GraphProto *proto,
                     const struct tensor_table *tensors, struct error *e)
{
    *g = (struct onnx_graph){.proto = proto, .tensors = tensors};
    if (proto->n_node > MAX_NODES)
        return error_set(e, "its graph has %zu nodes; no network of resmark has over %d",
                         proto->n_node, MAX_NODES);
    g->values = calloc(proto->n_node + 1, sizeof *g->values);
    g->readers = calloc(proto->n_node * ONNX_MAX_INPUTS + 1, sizeof *g->readers);
    bool ok = (g->values && g->readers) || error_set(e, "no memory for its graph");
    ok = ok && list_values(g, e);
    if (ok)
        list_readers(g);
    else
        onnx_graph_free(g);
    return ok;
}

void onnx_graph_free(struct onnx_graph *g)
{
    free(g->values);
    free(g->readers);
    *g = (struct onnx_graph){0};
}

/* The first of a value's readers; they lie together. */
static int first_reader(const struct onnx_graph *g, int value)
{
    int low = 0, high = g->reader_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (g->readers[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int onnx_graph_reader(const struct onnx_graph *g, int value, const char *op, int from)
{
    for (int i = first_reader(g, value); i < g->reader_count && g->readers[i].value == value; i++) {
        const Onnx__NodeProto *node = g->proto->node[g->readers[i].node];
        if (g->readers[i].node > from && node->op_type && strcmp(node->op_type, op) == 0 &&
            find_value(g, node->input[0]) == value)
            return g->readers[i].node;
    }
    return -1;
}

int onnx_graph_count_readers(const struct onnx_graph *g, int value)
{
    int first = first_reader(g, value), end = first;
    while (end < g->reader_count && g->readers[end].value == value)
        end++;
    return end - first;
}

int onnx_graph_output(const struct onnx_graph *g, int node)
{
    const Onnx__NodeProto *n = g->proto->node[node];
    return n->n_output > 0 ? find_value(g, n->output[0]) : -1;
}

int onnx_graph_input(const struct onnx_graph *g, int node, size_t input)
{
    const Onnx__NodeProto *n = g->proto->node[node];
    return input < n->n_input ? find_value(g, n->input[input]) : -1;
}

const struct file_tensor *onnx_graph_tensor(const struct onnx_graph *g, int node, size_t input,
                                            const char **name)
{
    const Onnx__NodeProto *n = g->proto->node[node];
    *name = input < n->n_input ? n->input[input] : "";
    for (int i = 0; i < MAX_ALIASES; i++) {
        int value = find_value(g, *name), producer = value < 0 ? -1 : g->values[value].producer;
        if (producer < 0)
            break;
        n = g->proto->node[producer];
        if (!n->op_type || strcmp(n->op_type, "Identity") != 0 || n->n_input != 1)
            return NULL;
        *name = n->input[0];
    }
    return tensor_table_find(g->tensors, *name);
}

const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++) {
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    }
    return NULL;
}

int64_t onnx_attribute_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *a = onnx_attribute(node, name);
    return a && a->has_i ? a->i : otherwise;
}

bool onnx_attribute_all(const Onnx__NodeProto *node, const char *name, size_t count, int64_t value)
{
    const Onnx__AttributeProto *a = onnx_attribute(node, name);
    bool all = !a || a->n_ints == count;
    for (size_t i = 0; a && all && i < count; i++)
        all = a->ints[i] == value;
    return all;
}
