#include "harness/formats/tensor_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE binary16; subnormals are exact in float. */
static float float_of_half(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 0)
        return float_of_bits(sign | 0x3f800000) * (float)fraction * 0x1p-24F;
    if (exponent == 31)
        return float_of_bits(sign | 0x7f800000 | fraction << 13);
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static void from_f32(const unsigned char *bytes, size_t count, float *out)
{
    memcpy(out, bytes, count * sizeof *out);
}

static void from_f64(const unsigned char *bytes, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, bytes + i * sizeof value, sizeof value);
        out[i] = (float)value;
    }
}

static void from_f16(const unsigned char *bytes, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = float_of_half(bytes[2 * i] | (uint32_t)bytes[2 * i + 1] << 8);
}

static void from_bf16(const unsigned char *bytes, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = float_of_bits((uint32_t)bytes[2 * i] << 16 | (uint32_t)bytes[2 * i + 1] << 24);
}

static const struct dtype dtypes[] = {
    {"F32", 4, 1, from_f32},  {"F16", 2, 10, from_f16}, {"BF16", 2, 16, from_bf16},
    {"F64", 8, 11, from_f64}, {"I64", 8, 7, NULL},      {"I32", 4, 6, NULL},
    {"I16", 2, 5, NULL},      {"I8", 1, 3, NULL},       {"U64", 8, 13, NULL},
    {"U32", 4, 12, NULL},     {"U16", 2, 4, NULL},      {"U8", 1, 2, NULL},
    {"BOOL", 1, 9, NULL},     {"F8_E4M3", 1, 17, NULL}, {"F8_E5M2", 1, 19, NULL},
};

const struct dtype *dtype_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    }
    return NULL;
}

const struct dtype *dtype_by_onnx(int number)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (dtypes[i].onnx == number)
            return &dtypes[i];
    }
    return NULL;
}

const char *tensor_shape_text(const uint64_t *dims, int rank, char text[TENSOR_SHAPE_TEXT])
{
    int used = 0;
    for (int i = 0; i < rank; i++)
        used += snprintf(text + used, (size_t)(TENSOR_SHAPE_TEXT - used), "%s%" PRIu64,
                         i ? "x" : "", dims[i]);
    return rank > 0 ? text : strcpy(text, "a scalar");
}

bool file_tensor_place(struct file_tensor *t, const unsigned char *data, size_t size,
                       struct error *e)
{
    char shape[TENSOR_SHAPE_TEXT];
    size_t elements = 1, bytes;
    bool fits = true;
    for (int i = 0; i < t->rank; i++)
        fits = !__builtin_mul_overflow(elements, t->dims[i], &elements) && fits;
    fits = !__builtin_mul_overflow(elements, t->dtype->size, &bytes) && fits;
    t->data = data;
    t->elements = elements;
    if (fits && bytes == size)
        return true;
    tensor_shape_text(t->dims, t->rank, shape);
    return error_set(e, "tensor %.*s: %s of %s does not have the %zu bytes that the file gives it",
                     TENSOR_NAME_SHOWN, t->name, shape, t->dtype->name, size);
}

bool tensor_table_add(struct tensor_table *table, const struct file_tensor *t, struct error *e)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        void *grown = reallocarray(table->tensors, capacity, sizeof *table->tensors);
        if (!grown)
            return error_set(e, "no memory for the list of its tensors");
        table->tensors = grown;
        table->capacity = capacity;
    }
    struct file_tensor *added = &table->tensors[table->count];
    *added = *t;
    added->name = strdup(t->name);
    if (!added->name)
        return error_set(e, "no memory for the list of its tensors");
    table->count++;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct file_tensor *)a)->name, ((const struct file_tensor *)b)->name);
}

bool tensor_table_sort(struct tensor_table *table, struct error *e)
{
    if (table->count > 0)
        qsort(table->tensors, table->count, sizeof *table->tensors, compare_names);
    for (size_t i = 1; i < table->count; i++) {
        if (compare_names(&table->tensors[i - 1], &table->tensors[i]) == 0)
            return error_set(e, "tensor %.*s: it is there twice; each name must be there once",
                             TENSOR_NAME_SHOWN, table->tensors[i].name);
    }
    return true;
}

const struct file_tensor *tensor_table_find(const struct tensor_table *table, const char *name)
{
    struct file_tensor key = {.name = name};
    return table->count == 0
               ? NULL
               : bsearch(&key, table->tensors, table->count, sizeof *table->tensors, compare_names);
}

void tensor_table_free(struct tensor_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free((void *)(uintptr_t)table->tensors[i].name);
    free(table->tensors);
    *table = (struct tensor_table){0};
}
