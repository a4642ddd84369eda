#include "harness/formats/onnx_reduce.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The encoding: protobuf.dev/programming-guides/encoding. */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum {
    VARINT_BYTES = 10,
    LENGTH_BYTES = 5, /* of a message in the reduced file: room for 2^35 */
    MAX_INITIALIZERS = 1 << 16,
};

/* Field numbers are onnx.proto's. */
enum { TENSOR_FLOAT_DATA = 4, TENSOR_RAW_DATA = 9, LAST_FIELD = 24 };

/* What becomes of a message's fields: copied as they are, reduced as another message, or left out.
 */
struct message {
    const char *name;
    uint32_t copied; /* bits */
    const struct message *inner[LAST_FIELD + 1];
    bool payload; /* it is an initializer, whose numbers stay in the file */
};

#define BIT(field) (1u << (field))

/* dims, data_type, int32_data, int64_data, name, external_data, data_location */
#define TENSOR_FIELDS (BIT(1) | BIT(2) | BIT(5) | BIT(7) | BIT(8) | BIT(13) | BIT(14))

static const struct message constant = {
    .name = "a tensor", .copied = TENSOR_FIELDS | BIT(TENSOR_FLOAT_DATA) | BIT(TENSOR_RAW_DATA)};
static const struct message initializer = {
    .name = "an initializer", .copied = TENSOR_FIELDS, .payload = true};
static const struct message value = {.name = "a value", .copied = BIT(1)};
/* name, f, i, s, floats, ints, type; t */
static const struct message attribute = {.name = "an attribute",
                                         .copied = BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(7) |
                                                   BIT(8) | BIT(20),
                                         .inner = {[5] = &constant}};
/* input, output, name, op_type, domain; attribute */
static const struct message node = {.name = "a node",
                                    .copied = BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(7),
                                    .inner = {[5] = &attribute}};
/* name; node, initializer, input, output */
static const struct message graph = {
    .name = "the graph",
    .copied = BIT(2),
    .inner = {[1] = &node, [5] = &initializer, [11] = &value, [12] = &value}};
/* ir_version, opset_import; graph */
static const struct message model = {
    .name = "the model", .copied = BIT(1) | BIT(8), .inner = {[7] = &graph}};

struct field {
    uint32_t number;
    enum wire_type type;
    const unsigned char *begin, *content, *end;
};

static bool read_varint(const unsigned char **at, const unsigned char *end, uint64_t *number)
{
    *number = 0;
    for (int i = 0; i < VARINT_BYTES && *at < end; i++) {
        unsigned char byte = *(*at)++;
        *number |= (uint64_t)(byte & 127) << 7 * i;
        if (byte < 128)
            return true;
    }
    return false;
}

/* False: the bytes are no field. */
static bool read_field(const unsigned char *at, const unsigned char *end, struct field *f)
{
    uint64_t tag, length = 0;
    f->begin = at;
    if (!read_varint(&at, end, &tag) || tag >> 3 == 0 || tag >> 3 > INT32_MAX)
        return false;
    f->number = (uint32_t)(tag >> 3);
    f->type = (enum wire_type)(tag & 7);
    f->content = at;
    if (f->type == WIRE_VARINT) {
        uint64_t ignored;
        bool ok = read_varint(&at, end, &ignored);
        f->end = at;
        return ok;
    }
    if (f->type == WIRE_BYTES && !read_varint(&at, end, &length))
        return false;
    f->content = at;
    if (f->type == WIRE_FIXED64)
        length = 8;
    else if (f->type == WIRE_FIXED32)
        length = 4;
    else if (f->type != WIRE_BYTES)
        return false;
    if (length > (uint64_t)(end - at))
        return false;
    f->end = at + length;
    return true;
}

static bool append(struct onnx_reduced *r, const unsigned char *bytes, size_t size, struct error *e)
{
    if (size > r->capacity - r->size) {
        size_t capacity = 2 * (r->size + size) + 4096;
        unsigned char *grown = realloc(r->bytes, capacity);
        if (!grown)
            return error_set(e, "no memory for its graph");
        r->bytes = grown;
        r->capacity = capacity;
    }
    if (size > 0)
        memcpy(r->bytes + r->size, bytes, size);
    r->size += size;
    return true;
}

static bool add_payload(struct onnx_reduced *r, struct error *e)
{
    if (r->payload_count == MAX_INITIALIZERS)
        return error_set(e, "it has over %d initializers; no network of resmark has so many",
                         MAX_INITIALIZERS);
    if (!r->payloads)
        r->payloads = calloc(MAX_INITIALIZERS, sizeof *r->payloads);
    if (!r->payloads)
        return error_set(e, "no memory for its list of initializers");
    r->payload_count++;
    return true;
}

static bool set_payload(struct onnx_reduced *r, const struct field *f, struct error *e)
{
    struct onnx_payload *p = &r->payloads[r->payload_count - 1];
    if (p->bytes || f->type != WIRE_BYTES)
        return error_set(e, "initializer %zu: its numbers are in several pieces; one was expected",
                         r->payload_count - 1);
    *p = (struct onnx_payload){f->content, (size_t)(f->end - f->content),
                               f->number == TENSOR_FLOAT_DATA};
    return true;
}

static bool reduce_message(struct onnx_reduced *r, const struct message *m, const unsigned char *at,
                           const unsigned char *end, struct error *e);

/* The length is written with as many bytes as there was room left for it. */
static bool reduce_inner(struct onnx_reduced *r, const struct message *m, const struct field *f,
                         struct error *e)
{
    static const unsigned char room[LENGTH_BYTES];
    size_t tag = 0;
    while (f->begin[tag++] >= 128)
        ;
    if (!append(r, f->begin, tag, e) || !append(r, room, LENGTH_BYTES, e))
        return false;
    size_t start = r->size;
    if (!reduce_message(r, m, f->content, f->end, e))
        return false;
    size_t length = r->size - start;
    for (int i = 0; i < LENGTH_BYTES; i++)
        r->bytes[start - LENGTH_BYTES + (size_t)i] =
            (unsigned char)((length >> 7 * i & 127) | (i < LENGTH_BYTES - 1 ? 128 : 0));
    return length >> 7 * LENGTH_BYTES == 0 || error_set(e, "%s is too long", m->name);
}

static bool reduce_message(struct onnx_reduced *r, const struct message *m, const unsigned char *at,
                           const unsigned char *end, struct error *e)
{
    if (m->payload && !add_payload(r, e))
        return false;
    while (at < end) {
        struct field f;
        bool ok = true;
        if (!read_field(at, end, &f))
            return error_set(e, "%s is no protobuf; the file is damaged or incomplete", m->name);
        const struct message *inner = f.number <= LAST_FIELD ? m->inner[f.number] : NULL;
        if (inner && f.type == WIRE_BYTES)
            ok = reduce_inner(r, inner, &f, e);
        else if (m->payload && (f.number == TENSOR_FLOAT_DATA || f.number == TENSOR_RAW_DATA))
            ok = set_payload(r, &f, e);
        else if (f.number <= LAST_FIELD && m->copied & BIT(f.number))
            ok = append(r, f.begin, (size_t)(f.end - f.begin), e);
        if (!ok)
            return false;
        at = f.end;
    }
    return true;
}

bool onnx_reduce(struct onnx_reduced *reduced, const unsigned char *bytes, size_t size,
                 struct error *e)
{
    *reduced = (struct onnx_reduced){0};
    if (reduce_message(reduced, &model, bytes, bytes + size, e))
        return true;
    onnx_reduced_free(reduced);
    return false;
}

void onnx_reduced_free(struct onnx_reduced *reduced)
{
    free(reduced->bytes);
    free(reduced->payloads);
    *reduced = (struct onnx_reduced){0};
}
