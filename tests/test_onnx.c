/** Weights from ONNX files: read back as exported, and what other exporters make of a graph. */
#include "tests/onnx_fixture.h"

#include <unistd.h>

TestSuite(onnx, .timeout = 120);

Test(onnx, reads_back_what_export_writes)
{
    reads_back_each_variant(export_onnx);
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
