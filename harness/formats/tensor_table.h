/** The tensors of a weights file, whatever its format: names, types, shapes and where they lie. */
#ifndef RESMARK_HARNESS_FORMATS_TENSOR_TABLE_H
#define RESMARK_HARNESS_FORMATS_TENSOR_TABLE_H

#include "arch/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    TENSOR_MAX_RANK = 8,
    TENSOR_SHAPE_TEXT = 176, /**< bytes of the longest shape as text */
    TENSOR_NAME_SHOWN = 80,  /**< characters of a tensor's name in messages */
};

/** A type of elements. */
struct dtype {
    const char *name; /**< as safetensors has it: "F32" */
    size_t size;      /**< bytes of an element */
    int onnx;         /**< TensorProto.DataType; 0: none */
    /** Converts `count` little-endian elements; NULL for what cannot be weights. */
    void (*to_float)(const unsigned char *bytes, size_t count, float *out);
};

/** NULL when it is unknown. */
const struct dtype *dtype_by_name(const char *name);
const struct dtype *dtype_by_onnx(int number);

struct file_tensor {
    const char *name; /**< owned by the table it is in */
    const struct dtype *dtype;
    int rank;
    uint64_t dims[TENSOR_MAX_RANK];
    const unsigned char *data; /**< in the mapped file, row-major; NULL without elements */
    size_t elements;
};

/** Sorted by name once tensor_table_sort() has run. */
struct tensor_table {
    struct file_tensor *tensors;
    size_t count, capacity;
};

/**
 * Sets data and elements of a tensor whose name, type and dims are there. False with `e` set,
 * naming the tensor, when `size` bytes are not what type and shape make.
 */
bool file_tensor_place(struct file_tensor *t, const unsigned char *data, size_t size,
                       struct error *e);

/** "64x3x7x7", or "a scalar". */
const char *tensor_shape_text(const uint64_t *dims, int rank, char text[TENSOR_SHAPE_TEXT]);

/** Appends a copy. False with `e` set: no memory. */
bool tensor_table_add(struct tensor_table *table, const struct file_tensor *t, struct error *e);

/** False with `e` set when two tensors have the same name. */
bool tensor_table_sort(struct tensor_table *table, struct error *e);

/** NULL when there is none of this name. */
const struct file_tensor *tensor_table_find(const struct tensor_table *table, const char *name);

void tensor_table_free(struct tensor_table *table);

#endif
