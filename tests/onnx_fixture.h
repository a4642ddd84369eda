/** ONNX files that are taken apart, changed and put together again; a failure ends the test. */
#ifndef RESMARK_TESTS_ONNX_FIXTURE_H
#define RESMARK_TESTS_ONNX_FIXTURE_H

#include "tests/exported_fixture.h"

#include "onnx.pb-c.h"

/** The one that is changed, and its size. */
#define TENSOR "stage2_conv1_weight"
#define TENSOR_BYTES 589824

static inline struct exported small(void)
{
    return make_exported(export_onnx, "resnet18_v2", 10);
}

static inline Onnx__ModelProto *unpack(const struct exported *file)
{
    Onnx__ModelProto *model =
        onnx__model_proto__unpack(NULL, file->size, (const uint8_t *)file->bytes);
    cr_assert(model && model->graph);
    return model;
}

/* Also frees the model. */
static inline struct exported pack(Onnx__ModelProto *model)
{
    struct exported file = {.size = onnx__model_proto__get_packed_size(model)};
    file.bytes = malloc(file.size);
    cr_assert(file.bytes);
    onnx__model_proto__pack(model, (uint8_t *)file.bytes);
    onnx__model_proto__free_unpacked(model, NULL);
    return file;
}

static inline Onnx__TensorProto *tensor_of(Onnx__ModelProto *model, const char *name)
{
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        if (strcmp(model->graph->initializer[i]->name, name) == 0)
            return model->graph->initializer[i];
    }
    cr_assert_fail("no %s", name);
    return NULL;
}

static inline Onnx__NodeProto *node_of(Onnx__ModelProto *model, const char *name)
{
    for (size_t i = 0; i < model->graph->n_node; i++) {
        if (strcmp(model->graph->node[i]->name, name) == 0)
            return model->graph->node[i];
    }
    cr_assert_fail("no %s", name);
    return NULL;
}

static inline Onnx__AttributeProto *attribute_of(Onnx__ModelProto *model, const char *node,
                                                 const char *name)
{
    Onnx__NodeProto *n = node_of(model, node);
    for (size_t i = 0; i < n->n_attribute; i++) {
        if (strcmp(n->attribute[i]->name, name) == 0)
            return n->attribute[i];
    }
    cr_assert_fail("no %s in %s", name, node);
    return NULL;
}

static inline void rename_text(char **text, const char *to)
{
    free(*text);
    *text = strdup(to);
}

static inline void add_external(Onnx__TensorProto *t, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *entry = calloc(1, sizeof *entry);
    onnx__string_string_entry_proto__init(entry);
    entry->key = strdup(key);
    entry->value = strdup(value);
    t->external_data =
        realloc(t->external_data, (t->n_external_data + 1) * sizeof *t->external_data);
    t->external_data[t->n_external_data++] = entry;
}

/* A model whose tensor lies elsewhere; offset and length may be NULL. */
static inline struct exported with_external(const struct exported *file, const char *location,
                                            const char *offset, const char *length)
{
    Onnx__ModelProto *model = unpack(file);
    Onnx__TensorProto *t = tensor_of(model, TENSOR);
    t->has_raw_data = 0;
    t->has_data_location = 1;
    t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    add_external(t, "location", location);
    if (offset)
        add_external(t, "offset", offset);
    if (length)
        add_external(t, "length", length);
    return pack(model);
}

static char folder[] = "/tmp/test_onnx_XXXXXX";

/* Writes the tensor's bytes behind 100 others. */
static inline void write_data(const struct exported *file, const char *path)
{
    Onnx__ModelProto *model = unpack(file);
    FILE *f = fopen(path, "wb");
    cr_assert(f);
    fprintf(f, "%100s", "");
    fwrite(tensor_of(model, TENSOR)->raw_data.data, 1, TENSOR_BYTES, f);
    cr_assert_eq(fclose(f), 0);
    onnx__model_proto__free_unpacked(model, NULL);
}

#endif
