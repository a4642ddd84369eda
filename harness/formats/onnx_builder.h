/** An ONNX model in the making: protobuf-c's structures in memory of its own. */
#ifndef RESMARK_HARNESS_FORMATS_ONNX_BUILDER_H
#define RESMARK_HARNESS_FORMATS_ONNX_BUILDER_H

#include "arch/error.h"
#include "onnx.pb-c.h"

#include <stdio.h>

enum {
    ONNX_BUILDER_NODES = 4096, /**< of all kinds together, initializers too */
    ONNX_BUILDER_ATTRIBUTES = 8,
};

struct onnx_builder {
    void **blocks; /**< everything that was taken */
    size_t block_count, block_capacity;
    bool failed; /**< no memory: what was taken since is not all there */
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
};

/** Begins a model of one opset; onnx_builder_free() releases. False: no memory. */
bool onnx_builder_make(struct onnx_builder *b, int ir_version, int opset);
void onnx_builder_free(struct onnx_builder *b);

/** A zeroed block, or a copy of a text, that lasts as long as the builder; NULL: no memory. */
void *onnx_builder_take(struct onnx_builder *b, size_t size);
char *onnx_builder_text(struct onnx_builder *b, const char *text);

/**
 * Appends a node. `inputs` ends with NULL. The node is never NULL: after a failure it is one that
 * is part of nothing.
 */
Onnx__NodeProto *onnx_builder_node(struct onnx_builder *b, const char *op, const char *name,
                                   const char *const *inputs);

void onnx_builder_int(struct onnx_builder *b, Onnx__NodeProto *node, const char *name, int value);
void onnx_builder_float(struct onnx_builder *b, Onnx__NodeProto *node, const char *name,
                        float value);

/** A list of `count` numbers, each the same; returns them, or NULL: no memory. */
int64_t *onnx_builder_ints(struct onnx_builder *b, Onnx__NodeProto *node, const char *name,
                           size_t count, int value);

/** Appends a float32 initializer and returns where its numbers go; NULL: no memory. */
float *onnx_builder_tensor(struct onnx_builder *b, const char *name, int rank,
                           const uint64_t *dims);

/** An image batch [N][channels][H][W], or with `image` false an output [N][channels]. */
Onnx__ValueInfoProto *onnx_builder_value(struct onnx_builder *b, const char *name, bool image,
                                         int channels);

/** Writes the model. Errors of the stream are the caller's to find. */
void onnx_builder_write(struct onnx_builder *b, FILE *stream);

#endif
