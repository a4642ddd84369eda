#include "harness/formats/safetensors.h"

#include "harness/formats/budget.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define METADATA "__metadata__"
#define LENGTH_BYTES 8

/* The reference implementation's limit. */
#define MAX_HEADER 100000000

static uint64_t header_length(const unsigned char *bytes)
{
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    return length;
}

bool safetensors_probe(const unsigned char *bytes, size_t size)
{
    return size > LENGTH_BYTES && bytes[LENGTH_BYTES] == '{';
}

static bool refuse(struct error *e, const char *name, const char *what)
{
    return error_set(e, "tensor %.*s: %s", TENSOR_NAME_SHOWN, name, what);
}

/* Numbers come as doubles, so that one over 2^63 is refused here, where the tensor's name is known.
 */
static bool read_whole(const json_t *number, uint64_t *whole)
{
    double value = json_real_value(number);
    bool ok = json_is_real(number) && value >= 0 && value < 0x1p53 && value == floor(value);
    *whole = ok ? (uint64_t)value : 0;
    return ok;
}

static bool read_shape(struct file_tensor *t, const json_t *shape, struct error *e)
{
    if (!json_is_array(shape) || json_array_size(shape) > TENSOR_MAX_RANK)
        return refuse(e, t->name, "its shape must be a list of at most 8 numbers");
    t->rank = (int)json_array_size(shape);
    for (int i = 0; i < t->rank; i++) {
        if (!read_whole(json_array_get(shape, (size_t)i), &t->dims[i]))
            return refuse(e, t->name, "its shape must be whole numbers from 0 to under 2^53");
    }
    return true;
}

static bool read_tensor(struct file_tensor *t, const json_t *entry, const unsigned char *data,
                        size_t size, struct error *e)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const json_t *offsets = json_object_get(entry, "data_offsets");
    uint64_t from, to;
    if (!dtype)
        return refuse(e, t->name, "its entry in the header has no dtype");
    t->dtype = dtype_by_name(dtype);
    if (!t->dtype)
        return error_set(e, "tensor %.*s: its dtype %.20s is unknown; F32 was expected",
                         TENSOR_NAME_SHOWN, t->name, dtype);
    if (!read_shape(t, json_object_get(entry, "shape"), e))
        return false;
    if (json_array_size(offsets) != 2 || !read_whole(json_array_get(offsets, 0), &from) ||
        !read_whole(json_array_get(offsets, 1), &to))
        return refuse(e, t->name, "its data_offsets must be two whole numbers under 2^53");
    if (to < from || to > size)
        return error_set(e,
                         "tensor %.*s: data_offsets %llu to %llu are outside of the %zu bytes of "
                         "data; the file is damaged or incomplete",
                         TENSOR_NAME_SHOWN, t->name, (unsigned long long)from,
                         (unsigned long long)to, size);
    return file_tensor_place(t, data + from, (size_t)(to - from), e);
}

static bool read_entries(struct tensor_table *table, json_t *header, const unsigned char *data,
                         size_t size, struct error *e)
{
    const char *name;
    json_t *entry;
    size_t used = 0;
    json_object_foreach(header, name, entry)
    {
        struct file_tensor t = {.name = name};
        if (strcmp(name, METADATA) == 0)
            continue;
        if (!read_tensor(&t, entry, data, size, e) || !tensor_table_add(table, &t, e))
            return false;
        used += t.elements * t.dtype->size;
    }
    return used == size || error_set(e,
                                     "its tensors have %zu bytes, but %zu bytes of data follow the "
                                     "header; the file is damaged or incomplete",
                                     used, size);
}

/* Shows what stands before the place, where the name of a tensor is likely to be. */
static void refuse_json(const json_error_t *why, const unsigned char *text, size_t length,
                        struct error *e)
{
    size_t at = why->position > 0 ? (size_t)why->position : 0;
    at = at < length ? at : length;
    int shown = (int)(at < TENSOR_NAME_SHOWN ? at : TENSOR_NAME_SHOWN);
    error_set(e, "its header is no JSON: %.100s, at byte %zu behind %.*s", why->text, at, shown,
              (const char *)text + at - shown);
}

static json_t *parse_header(const unsigned char *text, size_t length, size_t file_size,
                            struct error *e)
{
    json_malloc_t old_malloc;
    json_free_t old_free;
    json_error_t why;
    json_get_alloc_funcs(&old_malloc, &old_free);
    json_set_alloc_funcs(budget_malloc, budget_free);
    budget_begin(file_size);
    json_t *header = json_loadb((const char *)text, length,
                                JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    json_set_alloc_funcs(old_malloc, old_free);
    if (!header && budget_exceeded())
        error_set(e, "its header takes more memory than the file has bytes");
    else if (!header)
        refuse_json(&why, text, length, e);
    return header;
}

bool safetensors_parse(struct tensor_table *table, char network[64], const unsigned char *bytes,
                       size_t size, struct error *e)
{
    uint64_t length = size >= LENGTH_BYTES ? header_length(bytes) : 0;
    if (size < LENGTH_BYTES || length > MAX_HEADER || length > size - LENGTH_BYTES)
        return error_set(e,
                         "a header of %llu bytes cannot be in a file of %zu; it is damaged or "
                         "incomplete",
                         (unsigned long long)length, size);
    json_t *header = parse_header(bytes + LENGTH_BYTES, length, size, e);
    if (!header)
        return false;
    const char *name =
        json_string_value(json_object_get(json_object_get(header, METADATA), SAFETENSORS_NETWORK));
    snprintf(network, 64, "%s", name ? name : "");
    size_t data = LENGTH_BYTES + length;
    bool ok = (json_is_object(header) || error_set(e, "its header is no JSON object")) &&
              read_entries(table, header, bytes + data, size - data, e);
    json_decref(header);
    return ok;
}
