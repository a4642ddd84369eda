#include "harness/networks/builder.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The number that a letter behind a '$' stands for. */
static int number_of(const struct builder *b, enum node_kind kind, char letter)
{
    switch (letter) {
    case 's':
        return b->stage;
    case 'S':
        return b->stage + 1;
    case 'T':
        return b->stage + 2;
    case 'u':
        return b->unit;
    case 'U':
        return b->unit + 1;
    case 'i':
        return b->index;
    case 'I':
        return b->index + 1;
    default:
        assert(letter == 'n');
        return b->counts[kind];
    }
}

static void name_node(const struct builder *b, struct node *node, const char *pattern)
{
    size_t used = 0, size = sizeof node->name;
    assert(pattern);
    for (const char *at = pattern; *at && used + 1 < size; at++) {
        if (*at == '$')
            used += (size_t)snprintf(node->name + used, size - used, "%d",
                                     number_of(b, node->kind, *++at));
        else
            node->name[used++] = *at;
    }
    assert(used < size);
}

void builder_stage(struct builder *b, int stage)
{
    b->stage = stage;
    memset(b->counts, 0, sizeof b->counts);
}

int builder_append(struct builder *b, enum node_kind kind, enum part part, int input)
{
    struct network *net = b->net;
    assert(net->node_count < BUILDER_MAX_NODES);
    struct node *node = &net->nodes[net->node_count];
    node->kind = kind;
    node->inputs[0] = input;
    node->inputs[1] = -1;
    if (input >= 0)
        node->shape = net->nodes[input].shape;
    name_node(b, node, b->form->names[part]);
    b->counts[kind]++;
    return net->node_count++;
}

int builder_image(struct builder *b, int size)
{
    int node = builder_append(b, NODE_INPUT, PART_DATA, -1);
    b->net->nodes[node].shape = (struct shape){3, size, size};
    return node;
}

/* Output pixels of a window that slides over `in` pixels. */
static int windows(int in, struct filter w)
{
    assert(in + 2 * w.pad >= w.kernel);
    return (in + 2 * w.pad - w.kernel) / w.stride + 1;
}

static int append_window(struct builder *b, enum node_kind kind, enum part part, int input,
                         struct filter w)
{
    int index = builder_append(b, kind, part, input);
    struct node *node = &b->net->nodes[index];
    node->kernel = w.kernel;
    node->stride = w.stride;
    node->pad = w.pad;
    node->shape.height = windows(node->shape.height, w);
    node->shape.width = windows(node->shape.width, w);
    return index;
}

int builder_pool(struct builder *b, enum part part, int input, struct filter filter)
{
    return append_window(b, NODE_MAX_POOL, part, input, filter);
}

int builder_conv(struct builder *b, enum part part, int input, int channels, struct filter filter)
{
    int node = append_window(b, NODE_CONV, part, input, filter);
    b->net->nodes[node].shape.channels = channels;
    return node;
}

int builder_norm(struct builder *b, enum part part, int input)
{
    int node = builder_append(b, NODE_BATCH_NORM, part, input);
    b->net->nodes[node].epsilon = b->form->epsilon;
    return node;
}

int builder_norm_relu(struct builder *b, enum part norm, enum part relu, int input)
{
    return builder_append(b, NODE_RELU, relu, builder_norm(b, norm, input));
}

int builder_add(struct builder *b, enum part part, int branch, int shortcut)
{
    int node = builder_append(b, NODE_ADD, part, branch);
    b->net->nodes[node].inputs[1] = shortcut;
    return node;
}

void builder_head(struct builder *b, int input)
{
    int pool = builder_append(b, NODE_AVG_POOL, PART_GLOBAL_POOL, input);
    b->net->nodes[pool].shape.height = b->net->nodes[pool].shape.width = 1;
    int dense = builder_append(b, NODE_DENSE, PART_DENSE, pool);
    b->net->nodes[dense].bias = true;
    b->net->nodes[dense].shape.channels = b->net->classes;
    builder_append(b, NODE_SOFTMAX, PART_SOFTMAX, dense);
}

struct filter builder_same(int kernel, int stride)
{
    return (struct filter){kernel, stride, kernel / 2};
}
