/**
 * Networks as data: a table row describes a variant, and network_build() expands it into a graph
 * of primitive nodes (the graph an ONNX file of that network holds, nothing folded or fused).
 * MACs, parameters, the plan and the float64 oracle all come from that one graph.
 */
#ifndef RESMARK_HARNESS_NETWORK_H
#define RESMARK_HARNESS_NETWORK_H

#include "arch/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct normalisation;

enum node_kind {
    NODE_INPUT,
    NODE_CONV,
    NODE_BATCH_NORM,
    NODE_RELU,
    NODE_MAX_POOL,
    NODE_ADD,
    NODE_AVG_POOL, /**< global */
    NODE_DENSE,
    NODE_SOFTMAX,
};
#define NODE_KIND_COUNT (NODE_SOFTMAX + 1)

/** Parameter tensors of a node, in the order and layout in which the ONNX file has them. */
enum param {
    PARAM_WEIGHT, /**< conv [cout][cin][ky][kx]; dense [cout][cin] */
    PARAM_BIAS,   /**< conv, dense [cout] */
    PARAM_GAMMA,  /**< batch norm [channels], as are the next three */
    PARAM_BETA,
    PARAM_MEAN,
    PARAM_VARIANCE, /**< not negative; epsilon is added to it */
    PARAM_COUNT,
};

struct shape {
    int channels, height, width;
};

/** Of one channel, and of all of them. */
static inline size_t shape_pixels(const struct shape *s)
{
    return (size_t)s->height * (size_t)s->width;
}
static inline size_t shape_elements(const struct shape *s)
{
    return (size_t)s->channels * shape_pixels(s);
}

struct node {
    enum node_kind kind;
    char name[48];      /**< as in the published graph, without the network's prefix */
    int inputs[2];      /**< indices of earlier nodes; -1 where there is none */
    struct shape shape; /**< of the output, one image */
    int kernel, stride; /**< conv, max-pool: square */
    int pad;            /**< of them; negative: rows and columns that are left out on all sides */
    bool zeros;         /**< max-pool: the padding is zeros; else it takes no part in the maximum */
    bool bias;          /**< conv, dense */
    double epsilon;     /**< batch norm */
};

struct network {
    const char *name;                   /**< "resnet50_v2" */
    const char *variant;                /**< whose form of it: "gluon" */
    const struct normalisation *pixels; /**< what the weights expect of the image's pixels */
    int classes;
    int node_count;
    struct node *nodes; /**< in an order in which every input comes first; the last is the output */
    double macs; /**< multiply-adds of convolutions and dense layers, one image, padding counted */
    size_t parameters; /**< floats in the parameter tensors, running statistics included */
};

/** The name of a network that network_build() knows, from 0 on; NULL behind the last. */
const char *network_name(int index);

/** The pixels of the square images for which a network was published; 0 for an unknown one. */
int network_default_size(const char *name);

/** The smallest images of which a network leaves anything; 0 for an unknown one. */
int network_least_size(const char *name);

/**
 * Builds the graph of a known network for square images of `size` pixels and `classes` classes. It
 * ends in a dense layer and a softmax.
 * False with `e` set: an unknown name, a size under network_least_size() or over 4096, or classes
 * outside 1..100000. network_free() releases it, and does nothing after a failure.
 */
bool network_build(struct network *net, const char *name, int classes, int size, struct error *e);
void network_free(struct network *net);

/** Takes the softmax away, so that the network ends in the logits. */
void network_drop_softmax(struct network *net);

/** The dense layer, whose output is the logits. */
int network_logits(const struct network *net);

/** Nodes that read a node's output. */
int network_readers(const struct network *net, int node);

/** The first of them that is of a kind; -1: none. */
int network_reader(const struct network *net, int node, enum node_kind kind);

/** The same, if nothing else reads the output. */
int network_only_reader(const struct network *net, int node, enum node_kind kind);

/** The name by which a node goes in tables: without the suffix "_fwd". Returns `name`. */
const char *node_short_name(const struct node *node, char name[48]);

/** Elements of a parameter tensor of a node; 0 when the node has no such tensor. */
size_t network_param_count(const struct network *net, int node, enum param param);

/**
 * Dimensions of a parameter tensor that the node has, [cout][cin][ky][kx] or [cout][cin]; with
 * `outputs_last` of a weight as Keras has it, [ky][kx][cin][cout] or [cin][cout]. Returns the rank.
 */
int network_param_dims(const struct network *net, int node, enum param param, bool outputs_last,
                       uint64_t dims[4]);

/** Multiply-adds of a node for one image; 0 unless it is a convolution or a dense layer. */
double network_node_macs(const struct network *net, int node);

/** Where a network's parameters come from. */
struct param_source {
    /**
     * Writes elements first .. first + count - 1 of the tensor to out. Called from several
     * threads at once; must not fail (a source checks its file when it is opened).
     */
    void (*read)(const void *context, const struct network *net, int node, enum param param,
                 size_t first, size_t count, float *out);
    /** Gives a network that was just built what goes with the parameters: epsilons. NULL: nothing.
     */
    void (*adapt)(const void *context, struct network *net);
    const void *context;
};

#endif
