/** Which network an ONNX graph is. */
#ifndef RESMARK_HARNESS_FORMATS_RECOGNISE_GRAPH_H
#define RESMARK_HARNESS_FORMATS_RECOGNISE_GRAPH_H

#include "harness/formats/bound_network.h"
#include "harness/formats/onnx_graph.h"

/**
 * Finds the known network whose graph this is, node for node from the image to the output, whatever
 * its values are called, and binds the initializers to its parameters. What exporters do to a graph
 * is seen through: a batch norm that was folded into a convolution (its parameters become those
 * that change nothing but add the bias), padding as a node of its own, a softmax that is or is not
 * there, shape operators behind the global pool, a dense layer as Gemm, MatMul and Add, or 1x1
 * convolution. Epsilons are the file's.
 *
 * False with `e` set when none fits: it says where the graph leaves the nearest network.
 * bound_network_free() releases. Shapes and numbers are bound_network_check()'s.
 */
bool recognise_graph(struct bound_network *bound, const struct onnx_graph *g, struct error *e);

#endif
