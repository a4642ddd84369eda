#include "harness/network.h"

#include "harness/networks/builder.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SIZE 4096
#define MAX_CLASSES 100000

static const struct spec *find(const char *name)
{
    for (const struct spec *spec = network_specs; spec->name; spec++) {
        if (strcmp(spec->name, name) == 0)
            return spec;
    }
    return NULL;
}

const char *network_name(int index)
{
    return network_specs[index].name;
}

int network_default_size(const char *name)
{
    const struct spec *spec = find(name);
    return spec ? spec->form->size : 0;
}

int network_least_size(const char *name)
{
    const struct spec *spec = find(name);
    return spec ? spec->form->min_size : 0;
}

static void count_totals(struct network *net)
{
    for (int node = 0; node < net->node_count; node++) {
        net->macs += network_node_macs(net, node);
        for (int param = 0; param < PARAM_COUNT; param++)
            net->parameters += network_param_count(net, node, (enum param)param);
    }
}

static bool check_request(const struct spec *spec, const char *name, int classes, int size,
                          struct error *e)
{
    if (!spec)
        return error_set(e, "unknown network '%s'; resmark networks lists those that there are",
                         name);
    if (size < spec->form->min_size || size > MAX_SIZE)
        return error_set(e, "image size %d: for %s it must be in %d..%d", size, name,
                         spec->form->min_size, MAX_SIZE);
    return (classes >= 1 && classes <= MAX_CLASSES) ||
           error_set(e, "%d classes: there must be 1..%d", classes, MAX_CLASSES);
}

bool network_build(struct network *net, const char *name, int classes, int size, struct error *e)
{
    *net = (struct network){0};
    const struct spec *spec = find(name);
    if (!check_request(spec, name, classes, size, e))
        return false;
    net->name = spec->name;
    net->variant = spec->form->variant;
    net->pixels = spec->form->pixels;
    net->classes = classes;
    net->nodes = calloc(BUILDER_MAX_NODES, sizeof *net->nodes);
    if (!net->nodes)
        return error_set(e, "no memory for the nodes of %s", name);
    struct builder b = {.net = net, .form = spec->form};
    spec->expand(&b, spec, size);
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

void network_drop_softmax(struct network *net)
{
    net->node_count = network_logits(net) + 1;
}

int network_logits(const struct network *net)
{
    int last = net->node_count - 1;
    return net->nodes[last].kind == NODE_SOFTMAX ? net->nodes[last].inputs[0] : last;
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
