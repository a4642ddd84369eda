/** An ONNX file: its graph, and its initializers as tensors. */
#ifndef RESMARK_HARNESS_FORMATS_ONNX_FILE_H
#define RESMARK_HARNESS_FORMATS_ONNX_FILE_H

#include "harness/formats/mapped_file.h"
#include "harness/formats/tensor_table.h"
#include "onnx.pb-c.h"

/** Most files beside the model that hold tensors' numbers. */
#define ONNX_MAX_EXTERNALS 64

struct onnx_external {
    char *location; /**< as the model names it */
    struct mapped_file mapped;
};

struct onnx_externals {
    int count;
    struct onnx_external files[ONNX_MAX_EXTERNALS];
};

struct onnx_file {
    const Onnx__GraphProto *graph; /**< without types and the numbers of initializers */
    Onnx__ModelProto *model;
};

/** Whether bytes begin as a ModelProto does: with ir_version or another of its first fields. */
bool onnx_probe(const unsigned char *bytes, size_t size);

/**
 * Unpacks a model in memory and lists its initializers in `table`, sorted; those with floats point
 * into `bytes` or into an external file, whose location is relative to the folder of `path` and
 * must stay in it. False with `e` set; onnx_file_free() releases, and `externals` is the caller's
 * to free in either case.
 */
bool onnx_file_parse(struct onnx_file *file, struct tensor_table *table,
                     struct onnx_externals *externals, const unsigned char *bytes, size_t size,
                     const char *path, struct error *e);
void onnx_file_free(struct onnx_file *file);
void onnx_externals_free(struct onnx_externals *externals);

#endif
