/** A graph in the making: nodes are appended in an order in which every input comes first. */
#ifndef RESMARK_HARNESS_NETWORKS_BUILDER_H
#define RESMARK_HARNESS_NETWORKS_BUILDER_H

#include "harness/network.h"
#include "harness/networks/form.h"

/** Nodes that a graph has room for; the deepest network has 565. */
#define BUILDER_MAX_NODES 1024

struct builder {
    struct network *net; /**< `nodes` has room for BUILDER_MAX_NODES */
    const struct form *form;
    int stage, unit, index;      /**< of what is appended next: these go into its name */
    int counts[NODE_KIND_COUNT]; /**< nodes in this stage */
};

/** A sliding window, square. A negative pad leaves that many rows and columns out on all sides. */
struct filter {
    int kernel, stride, pad;
};

/** The next nodes are those of another stage. */
void builder_stage(struct builder *b, int stage);

/** Appends a node whose output has the shape of its input's; returns its index, as do the next. */
int builder_append(struct builder *b, enum node_kind kind, enum part part, int input);

/** Appends the image, of 3 channels. */
int builder_image(struct builder *b, int size);

/** Appends a max-pool. */
int builder_pool(struct builder *b, enum part part, int input, struct filter filter);

/** Appends a convolution without bias. */
int builder_conv(struct builder *b, enum part part, int input, int channels, struct filter filter);

/** Appends a batch norm with the form's epsilon. */
int builder_norm(struct builder *b, enum part part, int input);

/** Appends a batch norm and a ReLU. */
int builder_norm_relu(struct builder *b, enum part norm, enum part relu, int input);

/** Appends the sum of two nodes. */
int builder_add(struct builder *b, enum part part, int branch, int shortcut);

/** Appends the end of every network: global average pool, dense layer with bias, softmax. */
void builder_head(struct builder *b, int input);

/** The window of that size with the padding that keeps the size of its input at stride 1. */
struct filter builder_same(int kernel, int stride);

#endif
