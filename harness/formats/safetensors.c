#include "harness/formats/safetensors.h"

#include "harness/formats/budget.h"
#include "harness/json_reader.h"

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

static bool read_whole(const struct json_value *number, uint64_t *whole)
{
    double value;
    bool ok = json_number(number, &value) && value >= 0 && value < 0x1p53 && value == floor(value);
    *whole = ok ? (uint64_t)value : 0;
    return ok;
}

static bool read_shape(struct file_tensor *t, const struct json_value *shape, struct error *e)
{
    if (!json_is(shape, JSON_KIND_LIST) || json_entries(shape) > TENSOR_MAX_RANK)
        return refuse(e, t->name, "its shape must be a list of at most 8 numbers");
    t->rank = (int)json_entries(shape);
    for (int i = 0; i < t->rank; i++) {
        if (!read_whole(json_entry(shape, (size_t)i), &t->dims[i]))
            return refuse(e, t->name, "its shape must be whole numbers from 0 to under 2^53");
    }
    return true;
}

static bool read_tensor(struct file_tensor *t, const struct json_value *entry,
                        const unsigned char *data, size_t size, struct error *e)
{
    const char *dtype = json_text(json_member(entry, "dtype"));
    const struct json_value *offsets = json_member(entry, "data_offsets");
    uint64_t from, to;
    if (!dtype)
        return refuse(e, t->name, "its entry in the header has no dtype");
    t->dtype = dtype_by_name(dtype);
    if (!t->dtype)
        return error_set(e, "tensor %.*s: its dtype %.20s is unknown; F32 was expected",
                         TENSOR_NAME_SHOWN, t->name, dtype);
    if (!read_shape(t, json_member(entry, "shape"), e))
        return false;
    if (json_entries(offsets) != 2 || !read_whole(json_entry(offsets, 0), &from) ||
        !read_whole(json_entry(offsets, 1), &to))
        return refuse(e, t->name, "its data_offsets must be two whole numbers under 2^53");
    if (to < from || to > size)
        return error_set(e,
                         "tensor %.*s: data_offsets %llu to %llu are outside of the %zu bytes of "
                         "data; the file is damaged or incomplete",
                         TENSOR_NAME_SHOWN, t->name, (unsigned long long)from,
                         (unsigned long long)to, size);
    return file_tensor_place(t, data + from, (size_t)(to - from), e);
}

static bool read_entries(struct tensor_table *table, const struct json_value *header,
                         const unsigned char *data, size_t size, struct error *e)
{
    size_t used = 0;
    for (size_t i = 0; i < header->size; i++) {
        const struct json_value *entry = &header->is.values[i];
        struct file_tensor t = {.name = entry->key};
        if (strcmp(entry->key, METADATA) == 0)
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

static bool parse_header(struct json_document *header, const unsigned char *text, size_t length,
                         size_t file_size, struct error *e)
{
    static const struct json_memory memory = {budget_malloc, budget_free};
    budget_begin(file_size);
    if (json_parse(header, (const char *)text, length, &memory, e))
        return json_is(header->root, JSON_KIND_OBJECT) ||
               error_set(e, "its header is no JSON object");
    struct error inner = *e;
    return budget_exceeded() ? error_set(e, "its header takes more memory than the file has bytes")
                             : error_set(e, "its header is no JSON: %s", inner.text);
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
    struct json_document header;
    size_t data = LENGTH_BYTES + length;
    bool ok = parse_header(&header, bytes + LENGTH_BYTES, length, size, e);
    const char *name =
        json_text(json_member(json_member(header.root, METADATA), SAFETENSORS_NETWORK));
    snprintf(network, 64, "%s", name ? name : "");
    ok = ok && read_entries(table, header.root, bytes + data, size - data, e);
    json_document_free(&header);
    return ok;
}
