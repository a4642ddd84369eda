/** Graphs against the published networks. */
#include "harness/network.h"
#include "tests/network_fixture.h"

#include <criterion/criterion.h>

#include <string.h>

enum { CLASSES = 1000, SIZE = 224 };

static int count_kind(const struct network *net, enum node_kind kind)
{
    int count = 0;
    for (int i = 0; i < net->node_count; i++)
        count += net->nodes[i].kind == kind;
    return count;
}

/**
 * Parameters as in Gluon's model zoo. MACs from MXNet's layer shapes. Node totals of the ONNX
 * files, which have a Reshape before the dense layer, but no input and no softmax: one less.
 */
static const struct published {
    const char *name;
    double macs;
    size_t parameters;
    int onnx_nodes, norms, convs, relus, adds;
} published[] = {
    {"resnet18_v2", 1814073344, 11695796, 69, 19, 20, 18, 8},
    {"resnet34_v2", 3663761408, 21811380, 125, 35, 36, 34, 16},
    {"resnet50_v2", 4089184256, 25595060, 174, 51, 53, 50, 16},
    {"resnet101_v2", 7801405440, 44639412, 344, 102, 104, 101, 33},
    {"resnet152_v2", 11513626624, 60329140, 514, 153, 155, 152, 50},
};

Test(network, totals_are_the_published_ones)
{
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const struct published *p = &published[i];
        struct network net = build(p->name, CLASSES, SIZE);
        cr_expect_str_eq(network_name((int)i), p->name);
        cr_expect_str_eq(net.name, p->name);
        cr_expect_str_eq(net.variant, "gluon");
        cr_expect_eq(net.macs, p->macs, "%s: %.0f MACs", p->name, net.macs);
        cr_expect_eq(net.parameters, p->parameters, "%s: %zu", p->name, net.parameters);
        network_free(&net);
    }
}

Test(network, has_the_nodes_of_the_onnx_files)
{
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const struct published *p = &published[i];
        struct network net = build(p->name, CLASSES, SIZE);
        cr_expect_eq(net.node_count, p->onnx_nodes + 1, "%s: %d", p->name, net.node_count);
        cr_expect_eq(count_kind(&net, NODE_BATCH_NORM), p->norms, "%s", p->name);
        cr_expect_eq(count_kind(&net, NODE_CONV), p->convs, "%s", p->name);
        cr_expect_eq(count_kind(&net, NODE_RELU), p->relus, "%s", p->name);
        cr_expect_eq(count_kind(&net, NODE_ADD), p->adds, "%s", p->name);
        network_free(&net);
    }
}

/** Layers of resnet50_v2: where strides, projections and the numbering are easy to get wrong. */
static const struct layer {
    const char *name, *input;
    int cin, cout, kernel, stride, pad, in, out;
    double macs;
} layers[] = {
    {"conv0_fwd", "batchnorm0_fwd", 3, 64, 7, 2, 3, 224, 112, 118013952},
    {"stage1_conv0_fwd", "stage1_activation0", 64, 64, 1, 1, 0, 56, 56, 12845056},
    {"stage1_conv1_fwd", "stage1_activation1", 64, 64, 3, 1, 1, 56, 56, 115605504},
    {"stage1_conv2_fwd", "stage1_activation2", 64, 256, 1, 1, 0, 56, 56, 51380224},
    {"stage1_conv3_fwd", "stage1_activation0", 64, 256, 1, 1, 0, 56, 56, 51380224},
    {"stage1_conv4_fwd", "stage1_activation3", 256, 64, 1, 1, 0, 56, 56, 51380224},
    {"stage2_conv0_fwd", "stage2_activation0", 256, 128, 1, 1, 0, 56, 56, 102760448},
    {"stage2_conv1_fwd", "stage2_activation1", 128, 128, 3, 2, 1, 56, 28, 115605504},
    {"stage2_conv3_fwd", "stage2_activation0", 256, 512, 1, 2, 0, 56, 28, 102760448},
    {"stage3_conv17_fwd", "stage3_activation16", 256, 256, 3, 1, 1, 14, 14, 115605504},
    {"stage4_conv1_fwd", "stage4_activation1", 512, 512, 3, 2, 1, 14, 7, 115605504},
    {"stage4_conv9_fwd", "stage4_activation8", 512, 2048, 1, 1, 0, 7, 7, 51380224},
};

Test(network, layers_are_those_of_resnet50)
{
    struct network net = build("resnet50_v2", CLASSES, SIZE);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const struct layer *l = &layers[i];
        int index = find(&net, l->name);
        const struct node *node = &net.nodes[index];
        const struct node *input = &net.nodes[node->inputs[0]];
        cr_expect_str_eq(input->name, l->input, "%s reads %s", l->name, input->name);
        cr_expect(input->shape.channels == l->cin && input->shape.height == l->in &&
                      input->shape.width == l->in,
                  "%s", l->name);
        cr_expect(node->shape.channels == l->cout && node->shape.height == l->out &&
                      node->shape.width == l->out,
                  "%s", l->name);
        cr_expect(node->kernel == l->kernel && node->stride == l->stride && node->pad == l->pad,
                  "%s", l->name);
        cr_expect_not(node->bias, "%s", l->name);
        cr_expect_eq(network_node_macs(&net, index), l->macs, "%s", l->name);
        cr_expect_eq(network_param_count(&net, index, PARAM_WEIGHT),
                     (size_t)(l->cin * l->cout * l->kernel * l->kernel), "%s", l->name);
    }
    network_free(&net);
}

static void expect_sum(const struct network *net, const char *sum, const char *branch,
                       const char *shortcut)
{
    const struct node *node = &net->nodes[find(net, sum)];
    cr_expect_eq(node->kind, NODE_ADD);
    cr_expect_str_eq(net->nodes[node->inputs[0]].name, branch);
    cr_expect_str_eq(net->nodes[node->inputs[1]].name, shortcut);
}

Test(network, shortcuts_lead_where_they_should)
{
    struct network net = build("resnet50_v2", CLASSES, SIZE);
    expect_sum(&net, "stage1__plus0", "stage1_conv2_fwd", "stage1_conv3_fwd");
    expect_sum(&net, "stage1__plus1", "stage1_conv6_fwd", "stage1__plus0");
    expect_sum(&net, "stage4__plus2", "stage4_conv9_fwd", "stage4__plus1");
    network_free(&net);
    net = build("resnet18_v2", CLASSES, SIZE);
    expect_sum(&net, "stage1__plus0", "stage1_conv1_fwd", "pool0_fwd");
    expect_sum(&net, "stage2__plus0", "stage2_conv1_fwd", "stage2_conv2_fwd");
    expect_sum(&net, "stage2__plus1", "stage2_conv4_fwd", "stage2__plus0");
    const struct node *projection = &net.nodes[find(&net, "stage2_conv2_fwd")];
    cr_expect(projection->kernel == 1 && projection->stride == 2);
    network_free(&net);
}

Test(network, stem_and_head_are_gluons)
{
    struct network net = build("resnet50_v2", CLASSES, SIZE);
    const char *const stem[] = {"data",           "batchnorm0_fwd", "conv0_fwd",
                                "batchnorm1_fwd", "relu0_fwd",      "pool0_fwd"};
    const char *const head[] = {"stage4__plus2", "batchnorm2_fwd", "relu1_fwd",
                                "pool1_fwd",     "dense0_fwd",     "softmax0"};
    for (int i = 0; i < 6; i++) {
        cr_expect_str_eq(net.nodes[i].name, stem[i]);
        cr_expect_str_eq(net.nodes[net.node_count - 6 + i].name, head[i]);
        cr_expect_eq(net.nodes[net.node_count - 5 + i % 5].inputs[0], net.node_count - 6 + i % 5);
    }
    const struct node *pool = &net.nodes[5];
    cr_expect(pool->kernel == 3 && pool->stride == 2 && pool->pad == 1 && pool->shape.width == 56);
    int dense = net.node_count - 2;
    cr_expect_eq(net.nodes[dense - 1].shape.channels, 2048);
    cr_expect_eq(net.nodes[dense - 1].shape.width, 1);
    cr_expect_eq(network_param_count(&net, dense, PARAM_WEIGHT), 2048000);
    cr_expect_eq(network_param_count(&net, dense, PARAM_BIAS), 1000);
    cr_expect_eq(network_node_macs(&net, dense), 2048000);
    network_free(&net);
}

Test(network, order_names_and_norms_are_sound)
{
    struct network net = build("resnet152_v2", CLASSES, SIZE);
    for (int i = 0; i < net.node_count; i++) {
        const struct node *node = &net.nodes[i];
        cr_expect_lt(node->inputs[0], i);
        cr_expect_lt(node->inputs[1], i);
        cr_expect_eq(node->inputs[0] >= 0, node->kind != NODE_INPUT);
        cr_expect_eq(node->inputs[1] >= 0, node->kind == NODE_ADD);
        cr_expect_eq(find(&net, node->name), i, "%s twice", node->name);
        size_t norm = node->kind == NODE_BATCH_NORM ? (size_t)node->shape.channels : 0;
        for (int p = PARAM_GAMMA; p <= PARAM_VARIANCE; p++)
            cr_expect_eq(network_param_count(&net, i, (enum param)p), norm, "%s", node->name);
        if (norm)
            cr_expect_eq(node->epsilon, 1e-5);
    }
    network_free(&net);
}

Test(network, other_sizes_and_classes)
{
    struct network net = build("resnet18_v2", 10, 33);
    const int sizes[] = {33, 33, 17, 17, 17, 9};
    for (int i = 0; i < 6; i++)
        cr_expect_eq(net.nodes[i].shape.height, sizes[i]);
    cr_expect_eq(net.nodes[find(&net, "stage4__plus1")].shape.width, 2);
    cr_expect_eq(net.nodes[net.node_count - 1].shape.channels, 10);
    cr_expect_eq(net.classes, 10);
    network_free(&net);
    const int limits[][2] = {{1, 32}, {100000, 4096}};
    for (int i = 0; i < 2; i++) {
        net = build("resnet50_v2", limits[i][0], limits[i][1]);
        network_free(&net);
    }
}

Test(network, bad_input_is_an_error)
{
    const struct {
        const char *name;
        int classes, size;
        const char *says;
    } cases[] = {
        {"resnet51_v2", 1000, 224, "resnet51_v2"}, {"", 1000, 224, "unknown"},
        {"resnet50_v2", 1000, 31, "31"},           {"resnet50_v2", 1000, 4097, "4097"},
        {"resnet50_v2", 1000, -224, "-224"},       {"resnet50_v2", 0, 224, "0 classes"},
        {"resnet50_v2", 100001, 224, "100001"},    {"resnet50_v2", -1, 224, "-1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network net;
        struct error e = {{0}};
        cr_expect_not(network_build(&net, cases[i].name, cases[i].classes, cases[i].size, &e));
        cr_expect(strstr(e.text, cases[i].says), "'%s' lacks '%s'", e.text, cases[i].says);
        network_free(&net);
    }
}
