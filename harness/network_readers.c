#include "harness/network.h"

static bool reads(const struct node *reader, int node)
{
    return reader->inputs[0] == node || reader->inputs[1] == node;
}

int network_readers(const struct network *net, int node)
{
    int readers = 0;
    for (int n = node + 1; n < net->node_count; n++)
        readers += reads(&net->nodes[n], node);
    return readers;
}

int network_reader(const struct network *net, int node, enum node_kind kind)
{
    for (int n = node + 1; n < net->node_count; n++) {
        if (net->nodes[n].kind == kind && reads(&net->nodes[n], node))
            return n;
    }
    return -1;
}

int network_only_reader(const struct network *net, int node, enum node_kind kind)
{
    return network_readers(net, node) == 1 ? network_reader(net, node, kind) : -1;
}
