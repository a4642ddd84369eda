#include "harness/formats/onnx_builder.h"

#include <stdlib.h>
#include <string.h>

void *onnx_builder_take(struct onnx_builder *b, size_t size)
{
    if (b->block_count == b->block_capacity) {
        size_t capacity = b->block_capacity ? 2 * b->block_capacity : 256;
        void **grown = reallocarray(b->blocks, capacity, sizeof *grown);
        if (!grown) {
            b->failed = true;
            return NULL;
        }
        b->blocks = grown;
        b->block_capacity = capacity;
    }
    void *block = calloc(1, size);
    if (block)
        b->blocks[b->block_count++] = block;
    else
        b->failed = true;
    return block;
}

char *onnx_builder_text(struct onnx_builder *b, const char *text)
{
    char *copy = onnx_builder_take(b, strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

bool onnx_builder_make(struct onnx_builder *b, int ir_version, int opset)
{
    *b = (struct onnx_builder){.model = ONNX__MODEL_PROTO__INIT, .graph = ONNX__GRAPH_PROTO__INIT};
    Onnx__OperatorSetIdProto *set = onnx_builder_take(b, sizeof *set);
    b->model.opset_import = onnx_builder_take(b, sizeof set);
    b->graph.node = onnx_builder_take(b, ONNX_BUILDER_NODES * sizeof *b->graph.node);
    b->graph.initializer = onnx_builder_take(b, ONNX_BUILDER_NODES * sizeof *b->graph.initializer);
    if (b->failed)
        return false;
    *set = (Onnx__OperatorSetIdProto)ONNX__OPERATOR_SET_ID_PROTO__INIT;
    set->domain = onnx_builder_text(b, "");
    set->has_version = 1;
    set->version = opset;
    b->model.opset_import[b->model.n_opset_import++] = set;
    b->model.has_ir_version = 1;
    b->model.ir_version = ir_version;
    b->model.graph = &b->graph;
    return !b->failed;
}

void onnx_builder_free(struct onnx_builder *b)
{
    for (size_t i = 0; i < b->block_count; i++)
        free(b->blocks[i]);
    free(b->blocks);
    *b = (struct onnx_builder){0};
}

Onnx__NodeProto *onnx_builder_node(struct onnx_builder *b, const char *op, const char *name,
                                   const char *const *inputs)
{
    static Onnx__NodeProto nothing;
    size_t count = 0;
    while (inputs[count])
        count++;
    Onnx__NodeProto *node = onnx_builder_take(b, sizeof *node);
    char **texts = onnx_builder_take(b, (count + 1) * sizeof *texts);
    void *attributes = onnx_builder_take(b, ONNX_BUILDER_ATTRIBUTES * sizeof(void *));
    b->failed = b->failed || b->graph.n_node == ONNX_BUILDER_NODES;
    if (b->failed)
        return &nothing;
    for (size_t i = 0; i < count; i++)
        texts[i] = onnx_builder_text(b, inputs[i]);
    texts[count] = onnx_builder_text(b, name);
    *node = (Onnx__NodeProto)ONNX__NODE_PROTO__INIT;
    node->op_type = onnx_builder_text(b, op);
    node->name = texts[count];
    node->input = texts;
    node->n_input = count;
    node->output = &texts[count];
    node->n_output = 1;
    node->attribute = attributes;
    b->graph.node[b->graph.n_node++] = node;
    return node;
}

static Onnx__AttributeProto *add_attribute(struct onnx_builder *b, Onnx__NodeProto *node,
                                           const char *name,
                                           Onnx__AttributeProto__AttributeType type)
{
    static Onnx__AttributeProto nothing;
    Onnx__AttributeProto *a = onnx_builder_take(b, sizeof *a);
    b->failed = b->failed || node->n_attribute == ONNX_BUILDER_ATTRIBUTES;
    if (b->failed)
        return &nothing;
    *a = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    a->name = onnx_builder_text(b, name);
    a->has_type = 1;
    a->type = type;
    node->attribute[node->n_attribute++] = a;
    return a;
}

void onnx_builder_int(struct onnx_builder *b, Onnx__NodeProto *node, const char *name, int value)
{
    Onnx__AttributeProto *a =
        add_attribute(b, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = 1;
    a->i = value;
}

void onnx_builder_float(struct onnx_builder *b, Onnx__NodeProto *node, const char *name,
                        float value)
{
    Onnx__AttributeProto *a =
        add_attribute(b, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = 1;
    a->f = value;
}

int64_t *onnx_builder_ints(struct onnx_builder *b, Onnx__NodeProto *node, const char *name,
                           size_t count, int value)
{
    Onnx__AttributeProto *a =
        add_attribute(b, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    int64_t *ints = onnx_builder_take(b, count * sizeof *ints);
    for (size_t i = 0; ints && i < count; i++)
        ints[i] = value;
    a->ints = ints;
    a->n_ints = ints ? count : 0;
    return ints;
}

float *onnx_builder_tensor(struct onnx_builder *b, const char *name, int rank, const uint64_t *dims)
{
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    Onnx__TensorProto *t = onnx_builder_take(b, sizeof *t);
    int64_t *copy = onnx_builder_take(b, 8 * sizeof *copy);
    float *numbers = onnx_builder_take(b, count * sizeof *numbers);
    b->failed = b->failed || b->graph.n_initializer == ONNX_BUILDER_NODES;
    if (b->failed)
        return NULL;
    *t = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    for (int i = 0; i < rank; i++)
        copy[i] = (int64_t)dims[i];
    t->name = onnx_builder_text(b, name);
    t->dims = copy;
    t->n_dims = (size_t)rank;
    t->has_data_type = 1;
    t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    t->has_raw_data = 1;
    t->raw_data.data = (uint8_t *)numbers;
    t->raw_data.len = count * sizeof *numbers;
    b->graph.initializer[b->graph.n_initializer++] = t;
    return numbers;
}

static void set_dim(struct onnx_builder *b, Onnx__TensorShapeProto__Dimension *dim, int value,
                    const char *symbol)
{
    *dim = (Onnx__TensorShapeProto__Dimension)ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
    dim->value_case = symbol ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                             : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    if (symbol)
        dim->dim_param = onnx_builder_text(b, symbol);
    else
        dim->dim_value = value;
}

struct described {
    Onnx__ValueInfoProto info;
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dims[4], *pointers[4];
};

Onnx__ValueInfoProto *onnx_builder_value(struct onnx_builder *b, const char *name, bool image,
                                         int channels)
{
    static const char *const symbols[4] = {"N", NULL, "H", "W"};
    struct described *d = onnx_builder_take(b, sizeof *d);
    if (!d)
        return NULL;
    d->info = (Onnx__ValueInfoProto)ONNX__VALUE_INFO_PROTO__INIT;
    d->type = (Onnx__TypeProto)ONNX__TYPE_PROTO__INIT;
    d->tensor = (Onnx__TypeProto__Tensor)ONNX__TYPE_PROTO__TENSOR__INIT;
    d->shape = (Onnx__TensorShapeProto)ONNX__TENSOR_SHAPE_PROTO__INIT;
    d->shape.n_dim = image ? 4 : 2;
    d->shape.dim = d->pointers;
    for (size_t i = 0; i < 4; i++) {
        set_dim(b, &d->dims[i], channels, symbols[i]);
        d->pointers[i] = &d->dims[i];
    }
    d->tensor.has_elem_type = 1;
    d->tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    d->tensor.shape = &d->shape;
    d->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    d->type.tensor_type = &d->tensor;
    d->info.name = onnx_builder_text(b, name);
    d->info.type = &d->type;
    return &d->info;
}

struct sink {
    ProtobufCBuffer base;
    FILE *stream;
};

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes)
{
    fwrite(bytes, 1, size, ((struct sink *)buffer)->stream);
}

void onnx_builder_write(struct onnx_builder *b, FILE *stream)
{
    struct sink sink = {{append}, stream};
    onnx__model_proto__pack_to_buffer(&b->model, &sink.base);
}
