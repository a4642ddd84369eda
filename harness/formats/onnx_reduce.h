/**
 * An ONNX file without the numbers of its tensors, which stay where they are in the file.
 * protobuf-c copies whatever it unpacks, and follows messages in messages as deep as a file nests
 * them; so only the fields that are needed are kept for it, at a fixed depth.
 */
#ifndef RESMARK_HARNESS_FORMATS_ONNX_REDUCE_H
#define RESMARK_HARNESS_FORMATS_ONNX_REDUCE_H

#include "arch/error.h"

#include <stddef.h>

/** Numbers of an initializer, in the order of the initializers. */
struct onnx_payload {
    const unsigned char *bytes; /**< in the file; NULL: none */
    size_t size;
    bool floats; /**< TensorProto.float_data; else raw_data */
};

struct onnx_reduced {
    unsigned char *bytes; /**< a ModelProto */
    size_t size, capacity;
    struct onnx_payload *payloads;
    size_t payload_count;
};

/** False with `e` set: no protobuf, cut short, or no memory; onnx_reduced_free() releases. */
bool onnx_reduce(struct onnx_reduced *reduced, const unsigned char *bytes, size_t size,
                 struct error *e);
void onnx_reduced_free(struct onnx_reduced *reduced);

#endif
