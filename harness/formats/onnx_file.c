#include "harness/formats/onnx_file.h"

#include "harness/formats/budget.h"
#include "harness/formats/onnx_reduce.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(void *data, size_t size)
{
    (void)data;
    return budget_malloc(size);
}

static void release(void *data, void *block)
{
    (void)data;
    budget_free(block);
}

static ProtobufCAllocator allocator = {allocate, release, NULL};

bool onnx_probe(const unsigned char *bytes, size_t size)
{
    static const unsigned char ir_version = 1 << 3, graph = 7 << 3 | 2, opset = 8 << 3 | 2,
                               producer = 2 << 3 | 2;
    return size > 1 && (bytes[0] == ir_version || bytes[0] == graph || bytes[0] == opset ||
                        bytes[0] == producer);
}

struct listing {
    struct tensor_table *table;
    struct onnx_externals *externals;
    const char *path; /* of the model */
};

static bool refuse(struct error *e, const char *name, const char *what)
{
    return error_set(e, "tensor %.*s: %s", TENSOR_NAME_SHOWN, name, what);
}

static const char *external_value(const Onnx__TensorProto *t, const char *key)
{
    for (size_t i = 0; i < t->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = t->external_data[i];
        if (entry->key && entry->value && strcmp(entry->key, key) == 0)
            return entry->value;
    }
    return NULL;
}

/* A relative path that stays in its folder. */
static bool is_inside(const char *location)
{
    bool up = false;
    for (const char *part = location; part; part = strchr(part, '/')) {
        part += *part == '/';
        up = up || (part[0] == '.' && part[1] == '.' && (part[2] == '/' || part[2] == '\0'));
    }
    return *location && *location != '/' && !up;
}

static const struct mapped_file *open_external(const struct listing *l, const char *location,
                                               const char *name, struct error *e)
{
    struct onnx_externals *externals = l->externals;
    const char *slash = strrchr(l->path, '/');
    int folder = slash ? (int)(slash - l->path) + 1 : 0;
    char path[PATH_MAX];
    struct error why;
    for (int i = 0; i < externals->count; i++) {
        if (strcmp(externals->files[i].location, location) == 0)
            return &externals->files[i].mapped;
    }
    if (externals->count == ONNX_MAX_EXTERNALS) {
        refuse(e, name, "the model names too many files with data");
        return NULL;
    }
    struct onnx_external *added = &externals->files[externals->count];
    bool fits = snprintf(path, sizeof path, "%.*s%s", folder, l->path, location) < PATH_MAX;
    if (!fits || !mapped_file_open(&added->mapped, path, &why)) {
        error_set(e, "tensor %.*s: its data are in another file: %.300s", TENSOR_NAME_SHOWN, name,
                  fits ? why.text : "its path is too long");
        return NULL;
    }
    externals->count++;
    added->location = strdup(location);
    if (!added->location)
        refuse(e, name, "no memory for the name of its file");
    return added->location ? &added->mapped : NULL;
}

static bool parse_size(const char *text, size_t otherwise, size_t *size)
{
    char *end = NULL;
    errno = 0;
    if (text)
        *size = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    else
        *size = otherwise;
    return !text || (end && !*end && errno == 0);
}

static bool find_external(const struct listing *l, const Onnx__TensorProto *t,
                          struct onnx_payload *payload, struct error *e)
{
    const char *location = external_value(t, "location");
    size_t offset, length;
    if (!location || !is_inside(location))
        return error_set(e,
                         "tensor %.*s: its data are in '%.80s'; a file in the model's folder, "
                         "without .., was expected",
                         TENSOR_NAME_SHOWN, t->name, location ? location : "");
    const struct mapped_file *file = open_external(l, location, t->name, e);
    if (!file)
        return false;
    if (!parse_size(external_value(t, "offset"), 0, &offset) || offset > file->size ||
        !parse_size(external_value(t, "length"), file->size - offset, &length) ||
        length > file->size - offset)
        return error_set(e, "tensor %.*s: its offset and length are outside of the %zu bytes of %s",
                         TENSOR_NAME_SHOWN, t->name, file->size, location);
    *payload = (struct onnx_payload){file->bytes + offset, length, false};
    return true;
}

static bool list_tensor(const struct listing *l, const Onnx__TensorProto *t,
                        struct onnx_payload payload, struct error *e)
{
    struct file_tensor listed = {.name = t->name ? t->name : "",
                                 .dtype = dtype_by_onnx(t->data_type),
                                 .rank = (int)t->n_dims};
    if (!listed.dtype)
        return error_set(e, "tensor %.*s: its data type %d is unknown; FLOAT was expected",
                         TENSOR_NAME_SHOWN, listed.name, t->data_type);
    if (t->n_dims > TENSOR_MAX_RANK)
        return refuse(e, listed.name, "it has more than 8 dimensions");
    for (size_t i = 0; i < t->n_dims; i++) {
        if (t->dims[i] < 0)
            return refuse(e, listed.name, "a dimension is negative");
        listed.dims[i] = (uint64_t)t->dims[i];
    }
    if (!listed.dtype->to_float) {
        bool whole = payload.bytes && !payload.floats &&
                     file_tensor_place(&listed, payload.bytes, payload.size, e);
        listed.data = whole ? listed.data : NULL;
        return tensor_table_add(l->table, &listed, e);
    }
    if (t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL &&
        !find_external(l, t, &payload, e))
        return false;
    if (payload.floats && listed.dtype != dtype_by_name("F32"))
        return refuse(e, listed.name, "float_data are of type FLOAT only; raw_data were expected");
    return file_tensor_place(&listed, payload.bytes, payload.size, e) &&
           tensor_table_add(l->table, &listed, e);
}

static bool list_tensors(const struct listing *l, const Onnx__GraphProto *graph,
                         const struct onnx_reduced *reduced, struct error *e)
{
    for (size_t i = 0; i < graph->n_initializer && i < reduced->payload_count; i++) {
        if (!list_tensor(l, graph->initializer[i], reduced->payloads[i], e))
            return false;
    }
    return tensor_table_sort(l->table, e);
}

bool onnx_file_parse(struct onnx_file *file, struct tensor_table *table,
                     struct onnx_externals *externals, const unsigned char *bytes, size_t size,
                     const char *path, struct error *e)
{
    struct listing listing = {table, externals, path};
    struct onnx_reduced reduced;
    *file = (struct onnx_file){0};
    if (!onnx_reduce(&reduced, bytes, size, e))
        return false;
    budget_begin(size);
    file->model = onnx__model_proto__unpack(&allocator, reduced.size, reduced.bytes);
    bool ok = file->model ||
              error_set(e, budget_exceeded() ? "its graph takes more memory than the file has bytes"
                                             : "no ONNX model; the file is damaged");
    if (ok && !file->model->graph)
        ok = error_set(e, "it has no graph; the file is damaged or incomplete");
    file->graph = ok ? file->model->graph : NULL;
    ok = ok && list_tensors(&listing, file->graph, &reduced, e);
    onnx_reduced_free(&reduced);
    if (!ok)
        onnx_file_free(file);
    return ok;
}

void onnx_file_free(struct onnx_file *file)
{
    if (file->model)
        onnx__model_proto__free_unpacked(file->model, &allocator);
    *file = (struct onnx_file){0};
}

void onnx_externals_free(struct onnx_externals *externals)
{
    for (int i = 0; i < externals->count; i++) {
        free(externals->files[i].location);
        mapped_file_close(&externals->files[i].mapped);
    }
    *externals = (struct onnx_externals){0};
}
