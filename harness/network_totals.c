#include "harness/network_totals.h"

#include <stdlib.h>

static bool has_weights(const struct node *node)
{
    return node->kind == NODE_CONV || node->kind == NODE_DENSE;
}

/* Layers with weights on the longest way to each node; returns the most. */
static int longest_way(const struct network *net, int *layers)
{
    int longest = 0;
    for (int i = 0; i < net->node_count; i++) {
        const struct node *node = &net->nodes[i];
        for (int k = 0; k < 2; k++) {
            if (node->inputs[k] >= 0 && layers[node->inputs[k]] > layers[i])
                layers[i] = layers[node->inputs[k]];
        }
        layers[i] += has_weights(node);
        longest = layers[i] > longest ? layers[i] : longest;
    }
    return longest;
}

static void count_node(const struct network *net, int index, struct network_totals *t)
{
    const struct node *node = &net->nodes[index];
    t->convolutions += node->kind == NODE_CONV;
    t->batch_norms += node->kind == NODE_BATCH_NORM;
    if (node->kind == NODE_ADD) {
        t->additions++;
        t->addition_floats += (double)node->shape.channels * node->shape.height * node->shape.width;
    }
    t->weights += network_param_count(net, index, PARAM_WEIGHT);
    for (enum param p = PARAM_WEIGHT; p <= PARAM_BETA; p++)
        t->learnable += network_param_count(net, index, p);
}

bool network_count(const struct network *net, struct network_totals *totals, struct error *e)
{
    *totals = (struct network_totals){.macs = net->macs, .parameters = net->parameters};
    int *layers = calloc((size_t)net->node_count, sizeof *layers);
    if (!layers)
        return error_set(e, "no memory to count the layers of %s", net->name);
    totals->layers = longest_way(net, layers);
    free(layers);
    for (int i = 0; i < net->node_count; i++)
        count_node(net, i, totals);
    return true;
}
