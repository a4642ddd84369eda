/** An ONNX graph as one looks things up in it: who reads a value, what a node's attributes say. */
#ifndef RESMARK_HARNESS_FORMATS_ONNX_GRAPH_H
#define RESMARK_HARNESS_FORMATS_ONNX_GRAPH_H

#include "harness/formats/onnx_file.h"

/** Inputs of a node that are looked at: as many as a batch norm has. */
#define ONNX_MAX_INPUTS 5

struct onnx_reader {
    int value, node;
};

struct onnx_value {
    const char *name;
    int producer; /**< node; -1: none */
};

/** Values are numbers from 0, in the order of their names; -1 is none. */
struct onnx_graph {
    const Onnx__GraphProto *proto;
    const struct tensor_table *tensors;
    struct onnx_value *values; /**< outputs of nodes, and inputs of the graph */
    int value_count;
    struct onnx_reader *readers; /**< sorted by value */
    int reader_count;
    int input, output; /**< of the whole graph */
};

/** False with `e` set: not one input and one output, or too large for a network of resmark's. */
bool onnx_graph_make(struct onnx_graph *g, const Onnx__GraphProto *proto,
                     const struct tensor_table *tensors, struct error *e);
void onnx_graph_free(struct onnx_graph *g);

/**
 * The first node after `from` (-1: any) of this operator that reads the value as its first input;
 * -1: none.
 */
int onnx_graph_reader(const struct onnx_graph *g, int value, const char *op, int from);

/** How many nodes read a value. */
int onnx_graph_count_readers(const struct onnx_graph *g, int value);

/** The value that is a node's first output. */
int onnx_graph_output(const struct onnx_graph *g, int node);

/** The value that is a node's input of that number; -1: an initializer, or none. */
int onnx_graph_input(const struct onnx_graph *g, int node, size_t input);

/**
 * A node's input that is an initializer, also behind Identity nodes; NULL when it is none. `*name`
 * becomes what the file calls it.
 */
const struct file_tensor *onnx_graph_tensor(const struct onnx_graph *g, int node, size_t input,
                                            const char **name);

/** NULL when the node has no such attribute. */
const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *node, const char *name);
int64_t onnx_attribute_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise);

/** Whether an attribute is absent or a list of `count` numbers that all are `value`. */
bool onnx_attribute_all(const Onnx__NodeProto *node, const char *name, size_t count, int64_t value);

#endif
