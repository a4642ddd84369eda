/** Weights from ONNX files: read back as exported, what other exporters do, files to be refused. */
#include "tests/exported_fixture.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(onnx, .timeout = 120);

#define TENSOR "stage2_conv1_weight"
#define TENSOR_BYTES 589824

Test(onnx, reads_back_what_export_writes)
{
    reads_back_each_variant(export_onnx);
}

static struct exported small(void)
{
    return make_exported(export_onnx, "resnet18_v2", 10);
}

static Onnx__ModelProto *unpack(const struct exported *file)
{
    Onnx__ModelProto *model =
        onnx__model_proto__unpack(NULL, file->size, (const uint8_t *)file->bytes);
    cr_assert(model && model->graph);
    return model;
}

/* Also frees the model. */
static struct exported pack(Onnx__ModelProto *model)
{
    struct exported file = {.size = onnx__model_proto__get_packed_size(model)};
    file.bytes = malloc(file.size);
    cr_assert(file.bytes);
    onnx__model_proto__pack(model, (uint8_t *)file.bytes);
    onnx__model_proto__free_unpacked(model, NULL);
    return file;
}

static Onnx__TensorProto *tensor_of(Onnx__ModelProto *model, const char *name)
{
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        if (strcmp(model->graph->initializer[i]->name, name) == 0)
            return model->graph->initializer[i];
    }
    cr_assert_fail("no %s", name);
    return NULL;
}

static Onnx__NodeProto *node_of(Onnx__ModelProto *model, const char *name)
{
    for (size_t i = 0; i < model->graph->n_node; i++) {
        if (strcmp(model->graph->node[i]->name, name) == 0)
            return model->graph->node[i];
    }
    cr_assert_fail("no %s", name);
    return NULL;
}

static Onnx__AttributeProto *attribute_of(Onnx__ModelProto *model, const char *node,
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

static void rename_text(char **text, const char *to)
{
    free(*text);
    *text = strdup(to);
}

static struct weights_file open_file(const struct exported *file, const char *path)
{
    struct weights_file opened;
    struct error e;
    cr_assert(weights_file_parse(&opened, (const unsigned char *)file->bytes, file->size, path, &e),
              "%s", e.text);
    return opened;
}

static void accepts(Onnx__ModelProto *model)
{
    struct exported file = pack(model);
    struct weights_file opened = open_file(&file, "a file");
    check_same_numbers(&opened, "resnet18_v2", 10);
    weights_file_close(&opened);
    free(file.bytes);
}

/* As the model zoo's files have them: float_data, and every initializer an input, too. */
static void make_zoo_like(Onnx__ModelProto *model)
{
    Onnx__GraphProto *g = model->graph;
    Onnx__ValueInfoProto **inputs = calloc(g->n_initializer + 1, sizeof *inputs);
    for (size_t i = 0; i < g->n_initializer; i++) {
        Onnx__TensorProto *t = g->initializer[i];
        t->float_data = (float *)t->raw_data.data;
        t->n_float_data = t->raw_data.len / sizeof(float);
        t->raw_data = (ProtobufCBinaryData){0};
        t->has_raw_data = 0;
        inputs[i] = calloc(1, sizeof **inputs);
        onnx__value_info_proto__init(inputs[i]);
        inputs[i]->name = strdup(t->name);
    }
    inputs[g->n_initializer] = g->input[0];
    free(g->input);
    g->input = inputs;
    g->n_input = g->n_initializer + 1;
}

Test(onnx, reads_float_data_and_initializers_that_are_inputs)
{
    struct exported file = small();
    Onnx__ModelProto *model = unpack(&file);
    make_zoo_like(model);
    accepts(model);
    free(file.bytes);
}

/* Every name of a value or an initializer is another one. */
Test(onnx, depends_on_no_name)
{
    struct exported file = small();
    Onnx__ModelProto *model = unpack(&file);
    char name[200];
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        snprintf(name, sizeof name, "x_%s", model->graph->initializer[i]->name);
        rename_text(&model->graph->initializer[i]->name, name);
    }
    for (size_t i = 0; i < model->graph->n_node; i++) {
        Onnx__NodeProto *n = model->graph->node[i];
        for (size_t k = 0; k < n->n_input; k++) {
            snprintf(name, sizeof name, "x_%s", n->input[k]);
            rename_text(&n->input[k], name);
        }
        snprintf(name, sizeof name, "x_%s", n->output[0]);
        rename_text(&n->output[0], name);
        rename_text(&n->name, "");
    }
    snprintf(name, sizeof name, "x_%s", model->graph->input[0]->name);
    rename_text(&model->graph->input[0]->name, name);
    snprintf(name, sizeof name, "x_%s", model->graph->output[0]->name);
    rename_text(&model->graph->output[0]->name, name);
    accepts(model);
    free(file.bytes);
}

static void remove_node(Onnx__ModelProto *model, Onnx__NodeProto *node)
{
    Onnx__GraphProto *g = model->graph;
    size_t at = 0;
    while (g->node[at] != node)
        at++;
    memmove(&g->node[at], &g->node[at + 1], (g->n_node - at - 1) * sizeof *g->node);
    g->n_node--;
    onnx__node_proto__free_unpacked(node, NULL);
}

/* PyTorch's exporter leaves a convolution with a bias, which here is the batch norm's beta. */
static void fold_norm(Onnx__ModelProto *model, const char *conv, const char *norm)
{
    Onnx__NodeProto *c = node_of(model, conv), *n = node_of(model, norm);
    c->input = realloc(c->input, 3 * sizeof *c->input);
    c->input[2] = strdup(n->input[2]);
    c->n_input = 3;
    rename_text(&c->output[0], n->output[0]);
    remove_node(model, n);
}

Test(onnx, sees_through_folded_batch_norms)
{
    struct exported file = small();
    Onnx__ModelProto *model = unpack(&file);
    fold_norm(model, "conv0_fwd", "batchnorm1_fwd");
    fold_norm(model, "stage3_conv0_fwd", "stage3_batchnorm1_fwd");
    struct exported other = pack(model);
    struct weights_file opened = open_file(&other, "a file");
    struct param_source read = weights_file_source(&opened), old = synthetic_source(&exported_seed);
    const struct network *net = &opened.network.net;
    float got[PARAM_COUNT][64], beta[64];
    int norm = 0, folded = 0;
    while (strcmp(net->nodes[norm].name, "batchnorm1_fwd") != 0)
        norm++;
    for (enum param param = PARAM_GAMMA; param < PARAM_COUNT; param++)
        read.read(read.context, net, norm, param, 0, 64, got[param]);
    old.read(old.context, net, norm, PARAM_BETA, 0, 64, beta);
    for (int c = 0; c < 64; c++) {
        cr_expect_eq(got[PARAM_GAMMA][c], 1);
        cr_expect_eq(got[PARAM_BETA][c], beta[c]);
        cr_expect_eq(got[PARAM_MEAN][c], 0);
        cr_expect_eq(got[PARAM_VARIANCE][c], 1);
    }
    for (int i = 0; i < net->node_count; i++)
        folded += net->nodes[i].kind == NODE_BATCH_NORM && net->nodes[i].epsilon == 0;
    cr_expect_eq(folded, 2);
    weights_file_close(&opened);
    free(other.bytes);
    free(file.bytes);
}

/* The file's epsilon counts, and its own where it is the network's rounded to a float. */
Test(onnx, takes_epsilons_from_the_file)
{
    struct exported file = small();
    Onnx__ModelProto *model = unpack(&file);
    attribute_of(model, "stage1_batchnorm0_fwd", "epsilon")->f = 0.25F;
    struct exported other = pack(model);
    struct weights_file opened = open_file(&other, "a file");
    struct network net;
    struct error e;
    struct param_source source = weights_file_source(&opened);
    cr_assert(network_build(&net, "resnet18_v2", 10, 32, &e));
    source.adapt(source.context, &net);
    for (int i = 0; i < net.node_count; i++) {
        bool other_one = strcmp(net.nodes[i].name, "stage1_batchnorm0_fwd") == 0;
        if (net.nodes[i].kind == NODE_BATCH_NORM)
            cr_expect_eq(net.nodes[i].epsilon, other_one ? 0.25 : 1e-5);
    }
    network_free(&net);
    weights_file_close(&opened);
    free(other.bytes);
    free(file.bytes);
}

/* The dense layer as a 1x1 convolution, as timm has it, with a Flatten behind it. */
Test(onnx, reads_a_dense_layer_that_is_a_convolution)
{
    struct exported file = small();
    Onnx__ModelProto *model = unpack(&file);
    Onnx__NodeProto *gemm = node_of(model, "dense0_fwd");
    Onnx__TensorProto *t = tensor_of(model, "dense0_weight");
    rename_text(&gemm->op_type, "Conv");
    rename_text(&gemm->attribute[0]->name, "group");
    rename_text(&gemm->input[0], "pool1_fwd");
    rename_text(&gemm->output[0], "logits");
    t->dims = realloc(t->dims, 4 * sizeof *t->dims);
    t->dims[2] = t->dims[3] = 1;
    t->n_dims = 4;
    Onnx__NodeProto *flatten = node_of(model, "dense0_fwd_flat");
    rename_text(&flatten->input[0], "logits");
    rename_text(&flatten->output[0], "dense0_fwd");
    accepts(model);
    free(file.bytes);
}

static void refuses_model(Onnx__ModelProto *model, const char *text, const char *expected)
{
    struct exported file = pack(model);
    refuses(&file, text, expected);
    free(file.bytes);
}

/* One thing of one initializer is changed. */
Test(onnx, refuses_wrong_tensors)
{
    struct exported file = small();
    Onnx__ModelProto *model = unpack(&file);
    tensor_of(model, TENSOR)->dims[0] = 64;
    refuses_model(model, "tensor " TENSOR ": 64x128x3x3", "does not have the 589824 bytes");
    model = unpack(&file);
    tensor_of(model, TENSOR)->dims[1] = INT64_MAX;
    refuses_model(model, "tensor " TENSOR ": ", "does not have the 589824 bytes");
    model = unpack(&file);
    tensor_of(model, TENSOR)->dims[1] = -128;
    refuses_model(model, "tensor " TENSOR ": ", "a dimension is negative");
    model = unpack(&file);
    tensor_of(model, TENSOR)->dims[1] *= 3;
    tensor_of(model, TENSOR)->dims[2] = 1;
    refuses_model(model, "tensor " TENSOR ": resnet18_v2 (gluon) expects 128x128x3x3 of F32",
                  "has 128x384x1x3 of F32");
    model = unpack(&file);
    tensor_of(model, TENSOR)->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT32;
    refuses_model(model, "tensor " TENSOR ": ", "expects 128x128x3x3 of F32");
    model = unpack(&file);
    tensor_of(model, TENSOR)->data_type = 99;
    refuses_model(model, "tensor " TENSOR ": its data type 99 is unknown", "FLOAT was expected");
    model = unpack(&file);
    tensor_of(model, TENSOR)->has_raw_data = 0;
    refuses_model(model, "tensor " TENSOR ": 128x128x3x3", "does not have the 0 bytes");
    model = unpack(&file);
    ((float *)tensor_of(model, TENSOR)->raw_data.data)[7] = NAN;
    refuses_model(model, "tensor " TENSOR ": element 7 is ", "finite");
    model = unpack(&file);
    rename_text(&tensor_of(model, TENSOR)->name, "stage2_conv0_weight");
    refuses_model(model, "tensor stage2_conv0_weight: ", "it is there twice");
    model = unpack(&file);
    rename_text(&tensor_of(model, TENSOR)->name, "stranger");
    refuses_model(model, "tensor " TENSOR ": ", "expects an initializer there");
    free(file.bytes);
}

/* One thing of one node is changed. */
Test(onnx, refuses_graphs_of_other_networks)
{
    static const char nearest[] = "resnet18_v2 (gluon), the nearest";
    struct exported file = small();
    Onnx__ModelProto *model = unpack(&file);
    attribute_of(model, "stage2_conv0_fwd", "strides")->ints[0] = 1;
    refuses_model(model, nearest, "stage2_conv0_fwd (Conv, kernel 3, stride 2, 128 channels)");
    model = unpack(&file);
    attribute_of(model, "stage2_conv0_fwd", "pads")->ints[2] = 0;
    refuses_model(model, nearest, "stage2_conv0_fwd");
    model = unpack(&file);
    rename_text(&attribute_of(model, "stage2_conv0_fwd", "pads")->name, "dilations");
    refuses_model(model, nearest, "stage2_conv0_fwd");
    model = unpack(&file);
    rename_text(&node_of(model, "relu0_fwd")->op_type, "Sigmoid");
    refuses_model(model, nearest, "relu0_fwd");
    model = unpack(&file);
    rename_text(&node_of(model, "stage3__plus1")->input[1], "data");
    refuses_model(model, nearest, "stage3__plus1");
    model = unpack(&file);
    rename_text(&model->graph->output[0]->name, "pool1_fwd");
    refuses_model(model, "its output is not behind dense0_fwd", nearest);
    model = unpack(&file);
    rename_text(&model->graph->input[0]->name, "other");
    refuses_model(model, nearest, "batchnorm0_fwd");
    model = unpack(&file);
    rename_text(&node_of(model, "relu0_fwd")->output[0], "pool0_fwd");
    refuses_model(model, "pool0_fwd", "computed twice");
    model = unpack(&file);
    attribute_of(model, "batchnorm1_fwd", "epsilon")->f = -1;
    refuses_model(model, nearest, "batchnorm1_fwd");
    free(file.bytes);
}

static void add_external(Onnx__TensorProto *t, const char *key, const char *value)
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
static struct exported with_external(const struct exported *file, const char *location,
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
static void write_data(const struct exported *file, const char *path)
{
    Onnx__ModelProto *model = unpack(file);
    FILE *f = fopen(path, "wb");
    cr_assert(f);
    fprintf(f, "%100s", "");
    fwrite(tensor_of(model, TENSOR)->raw_data.data, 1, TENSOR_BYTES, f);
    cr_assert_eq(fclose(f), 0);
    onnx__model_proto__free_unpacked(model, NULL);
}

Test(onnx, reads_external_data)
{
    char model[64], data[64];
    struct exported file = small();
    cr_assert(mkdtemp(folder));
    snprintf(model, sizeof model, "%s/model.onnx", folder);
    snprintf(data, sizeof data, "%s/weights.bin", folder);
    write_data(&file, data);
    struct exported other = with_external(&file, "weights.bin", "100", "589824");
    struct weights_file opened = open_file(&other, model);
    check_same_numbers(&opened, "resnet18_v2", 10);
    weights_file_close(&opened);
    free(other.bytes);
    other = with_external(&file, "./weights.bin", "100", NULL);
    opened = open_file(&other, model);
    weights_file_close(&opened);
    free(other.bytes);
    unlink(data);
    rmdir(folder);
    free(file.bytes);
}

/* Relative to the tests' own folder, in which there is none of these. */
Test(onnx, refuses_external_data)
{
    static const struct {
        const char *location, *offset, *length, *expected;
    } cases[] = {
        {"../weights.bin", NULL, NULL, "without .., was expected"},
        {"a/../../weights.bin", NULL, NULL, "without .., was expected"},
        {"..", NULL, NULL, "without .., was expected"},
        {"/dev/zero", NULL, NULL, "without .., was expected"},
        {"", NULL, NULL, "without .., was expected"},
        {"nosuch.bin", NULL, NULL, "No such file"},
        {".", NULL, NULL, "is no regular file"},
        {"weights.bin", "-1", NULL, "outside of the 589924 bytes"},
        {"weights.bin", "589925", NULL, "outside of the 589924 bytes"},
        {"weights.bin", "101", "589824", "outside of the 589924 bytes"},
        {"weights.bin", "0", "18446744073709551615", "outside of the 589924 bytes"},
        {"weights.bin", "0", "99999999999999999999", "outside of the 589924 bytes"},
        {"weights.bin", "100", "589820", "does not have the 589820 bytes"},
        {"weights.bin", NULL, NULL, "does not have the 589924 bytes"},
    };
    char home[PATH_MAX];
    struct exported file = small();
    cr_assert(mkdtemp(folder) && getcwd(home, sizeof home) && chdir(folder) == 0);
    write_data(&file, "weights.bin");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct exported other =
            with_external(&file, cases[i].location, cases[i].offset, cases[i].length);
        refuses(&other, "tensor " TENSOR ": ", cases[i].expected);
        free(other.bytes);
    }
    unlink("weights.bin");
    cr_assert(chdir(home) == 0 && rmdir(folder) == 0);
    free(file.bytes);
}

/* At every 4 KiB; the middle of so many equal numbers in larger steps. */
Test(onnx, refuses_truncated_files)
{
    enum { STEP = 4096, EDGE = 1 << 21, STRIDE = 1 << 16 };
    struct exported file = small();
    for (size_t size = 0; size < file.size;) {
        struct exported cut = {file.bytes, size};
        refuses(&cut, size == 0 ? "by its first bytes" : "damaged or incomplete", "");
        size += size < EDGE || size + EDGE > file.size ? STEP : STRIDE;
    }
    free(file.bytes);
}

static void put_varint(FILE *f, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        fputc((int)(value & 127) | 128, f);
    fputc((int)value, f);
}

static void put_message(FILE *f, int field, const struct exported *content)
{
    put_varint(f, (uint64_t)field << 3 | 2);
    put_varint(f, content->size);
    fwrite(content->bytes, 1, content->size, f);
}

/* `count` times the same message in a message of a model's. */
static struct exported repeat(int count, int field, const struct exported *content)
{
    struct exported inner, outer;
    FILE *f = open_memstream(&inner.bytes, &inner.size);
    for (int i = 0; i < count; i++)
        put_message(f, field, content);
    fclose(f);
    f = open_memstream(&outer.bytes, &outer.size);
    put_message(f, 7, &inner);
    fclose(f);
    free(inner.bytes);
    return outer;
}

/* Two bytes each, which protobuf-c makes hundreds of. */
Test(onnx, takes_no_more_memory_than_the_file_has)
{
    const struct exported empty = {"", 0};
    struct exported file = repeat(2000000, 1, &empty);
    refuses(&file, "takes more memory than the file has bytes", "");
    free(file.bytes);
    file = repeat(2000000, 5, &empty);
    refuses(&file, "over 65536 initializers", "");
    free(file.bytes);
    file = repeat(20001, 1, &empty);
    refuses(&file, "20001 nodes", "");
    free(file.bytes);
}

/* A graph in an attribute of a node of a graph, and so on. */
Test(onnx, is_not_led_into_the_depth)
{
    enum { DEPTH = 5000 };
    struct exported content = {calloc(1, 1), 0};
    for (int i = 0; i < DEPTH; i++) {
        static const int fields[] = {6, 5, 1}; /* AttributeProto.g, NodeProto.attribute, .node */
        struct exported outer;
        FILE *f = open_memstream(&outer.bytes, &outer.size);
        put_message(f, fields[i % 3], &content);
        fclose(f);
        free(content.bytes);
        content = outer;
    }
    struct exported file = repeat(1, 1, &content);
    refuses(&file, "one input", "");
    free(file.bytes);
    free(content.bytes);
}

/* A claim of 10 GB in a kilobyte, and lengths that overflow. */
Test(onnx, refuses_lengths_beyond_the_file)
{
    static const uint64_t lengths[] = {10000000000, UINT64_MAX, INT64_MAX, 1024};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct exported tensor, file;
        FILE *f = open_memstream(&tensor.bytes, &tensor.size);
        put_varint(f, 9 << 3 | 2);
        put_varint(f, lengths[i]);
        fprintf(f, "%1000s", "");
        fclose(f);
        file = repeat(1, 5, &tensor);
        refuses(&file, "an initializer is no protobuf", "damaged or incomplete");
        free(file.bytes);
        free(tensor.bytes);
    }
}

/* A tensor's numbers in two pieces would be one after the other. */
Test(onnx, refuses_numbers_in_pieces)
{
    static char pieces[] = "\x4a\x04"
                           "abcd"
                           "\x4a\x04"
                           "efgh"; /* raw_data twice */
    const struct exported tensor = {pieces, sizeof pieces - 1};
    struct exported file = repeat(1, 5, &tensor);
    refuses(&file, "initializer 0: its numbers are in several pieces", "one was expected");
    free(file.bytes);
}
