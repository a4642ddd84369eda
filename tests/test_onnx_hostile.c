/** ONNX files that must be refused, in one line and without harm. */
#include "tests/onnx_fixture.h"

#include <limits.h>
#include <math.h>
#include <unistd.h>

TestSuite(onnx_hostile, .timeout = 120);

static void refuses_model(Onnx__ModelProto *model, const char *text, const char *expected)
{
    struct exported file = pack(model);
    refuses(&file, text, expected);
    free(file.bytes);
}

/* One thing of one initializer is changed. */
Test(onnx_hostile, refuses_wrong_tensors)
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

static void add_number(Onnx__ModelProto *model, const char *node, const char *name, int value)
{
    Onnx__NodeProto *n = node_of(model, node);
    Onnx__AttributeProto *a = calloc(1, sizeof *a);
    onnx__attribute_proto__init(a);
    a->name = strdup(name);
    a->has_i = 1;
    a->i = value;
    n->attribute = realloc(n->attribute, (n->n_attribute + 1) * sizeof *n->attribute);
    n->attribute[n->n_attribute++] = a;
}

/* One thing of one node is changed. */
Test(onnx_hostile, refuses_graphs_of_other_networks)
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
    attribute_of(model, "stage1_conv0_fwd", "strides")->ints[0] = 2;
    attribute_of(model, "stage1_conv0_fwd", "strides")->ints[1] = 2;
    rename_text(&attribute_of(model, "stage1_conv0_fwd", "strides")->name, "dilations");
    refuses_model(model, nearest, "stage1_conv0_fwd");
    model = unpack(&file);
    add_number(model, "stage1_conv0_fwd", "group", 2);
    refuses_model(model, nearest, "stage1_conv0_fwd");
    model = unpack(&file);
    add_number(model, "pool0_fwd", "ceil_mode", 1);
    refuses_model(model, nearest, "pool0_fwd");
    model = unpack(&file);
    add_number(model, "batchnorm1_fwd", "training_mode", 1);
    refuses_model(model, nearest, "batchnorm1_fwd");
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

/* The convolution before a sum, which no batch norm could have been folded into. */
Test(onnx_hostile, refuses_a_bias_that_the_network_does_not_have)
{
    struct exported file = small();
    Onnx__ModelProto *model = unpack(&file);
    Onnx__NodeProto *conv = node_of(model, "stage1_conv1_fwd");
    conv->input = realloc(conv->input, 3 * sizeof *conv->input);
    conv->input[2] = strdup("stage1_batchnorm1_beta");
    conv->n_input = 3;
    refuses_model(model, "tensor stage1_batchnorm1_beta: ", "has no bias in stage1_conv1_fwd");
    free(file.bytes);
}

/* Relative to the tests' own folder, in which there is none of these. */
Test(onnx_hostile, refuses_external_data)
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
Test(onnx_hostile, refuses_truncated_files)
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
Test(onnx_hostile, takes_no_more_memory_than_the_file_has)
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
Test(onnx_hostile, is_not_led_into_the_depth)
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
Test(onnx_hostile, refuses_lengths_beyond_the_file)
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
Test(onnx_hostile, refuses_numbers_in_pieces)
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
