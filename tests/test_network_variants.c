/** The table of networks against what their publishers say of them. */
#include "harness/network_totals.h"
#include "harness/preprocess.h"
#include "tests/network_fixture.h"

enum { CLASSES = 1000 };

/**
 * At 224 pixels (227 of two_shortcuts) and 1000 classes. Parameters: Gluon's are those of MXNet's
 * model zoo; Keras's of keras.io, which has learnable and all; timm's resnetv2_50 has 25,549,352
 * that are learnable, the others have as many fewer than Gluon's as its norms of the data and the
 * stem have; resnet14_v2_digits has 509,594 learnable with 10 classes; torchvision's are the
 * `num_params` of its weights, without running statistics. MACs are those of MXNet's operator
 * counter less its batch norms; torchvision gives 4.09 G for v1.5.
 */
static const struct published {
    const char *name, *variant;
    int layers, convolutions, batch_norms, additions;
    double macs, addition_floats;
    size_t weights, learnable, parameters; /* 0: not published */
} published[] = {
    {"resnet18_v2", "gluon", 18, 20, 19, 8, 1814073344, 752640, 11678912, 0, 11695796},
    {"resnet34_v2", "gluon", 34, 36, 35, 16, 3663761408, 1379840, 21779648, 0, 21811380},
    {"resnet50_v2", "gluon", 50, 53, 51, 16, 4089184256, 5519360, 25502912, 25549486, 25595060},
    {"resnet101_v2", "gluon", 101, 104, 102, 33, 7801405440, 8931328, 44442816, 0, 44639412},
    {"resnet152_v2", "gluon", 152, 155, 153, 50, 11513626624, 13146112, 60040384, 0, 60329140},
    {"resnet50_v2_keras", "keras", 50, 53, 49, 16, 3482255360, 4465664, 25502912, 25568360,
     25613800},
    {"resnet101_v2_keras", "keras", 101, 104, 100, 33, 7194476544, 7877632, 44442816, 0, 44675560},
    {"resnet152_v2_keras", "keras", 152, 155, 151, 50, 10906697728, 12092416, 60040384, 0,
     60380648},
    {"resnet18_v2_timm", "timm", 18, 20, 17, 8, 1814073344, 752640, 11678912, 0, 11695796 - 268},
    {"resnet34_v2_timm", "timm", 34, 36, 33, 16, 3663761408, 1379840, 21779648, 0, 21811380 - 268},
    {"resnet50_v2_timm", "timm", 50, 53, 49, 16, 4089184256, 5519360, 25502912, 25549352, 25594792},
    {"resnet101_v2_timm", "timm", 101, 104, 100, 33, 7801405440, 8931328, 44442816, 0,
     44639412 - 268},
    {"resnet152_v2_timm", "timm", 152, 155, 151, 50, 11513626624, 13146112, 60040384, 0,
     60329140 - 268},
    {"resnet18_v1.5", "torchvision", 18, 20, 20, 8, 1814073344, 752640, 11678912, 11689512, 0},
    {"resnet34_v1.5", "torchvision", 34, 36, 36, 16, 3663761408, 1379840, 21779648, 21797672, 0},
    {"resnet50_v1.5", "torchvision", 50, 53, 53, 16, 4089184256, 5519360, 25502912, 25557032, 0},
    {"resnet101_v1.5", "torchvision", 101, 104, 104, 33, 7801405440, 8931328, 44442816, 44549160,
     0},
    {"resnet152_v1.5", "torchvision", 152, 155, 155, 50, 11513626624, 13146112, 60040384, 60192808,
     0},
    {"resnet14_v2_digits", "timm", 14, 17, 13, 4,
     602112 + 294912 + 3 * 475136 + 512000, /* stem, stages, dense */
     4096 + 2048 + 1024 + 512, 0, 509594 + 990 * 513, 0},
    {"plain34_v2", "plain", 34, 33, 35, 0, 3644493824, 0, 21607616, 0, 0},
    {"plain50_v2", "plain", 50, 49, 51, 0, 3729522688, 0, 22734016, 0, 0},
    {"two_shortcuts", "illustrative", 5, 6, 0, 2, 105415200 + 856227840 + 384000, 251520, 0, 0, 0},
};

static void check_totals(const struct published *p)
{
    struct network net = build(p->name, CLASSES, network_default_size(p->name));
    struct network_totals t;
    struct error e;
    cr_assert(network_count(&net, &t, &e));
    cr_expect_str_eq(net.variant, p->variant, "%s", p->name);
    cr_expect_eq(t.layers, p->layers, "%s: %d layers", p->name, t.layers);
    cr_expect_eq(t.convolutions, p->convolutions, "%s: %d", p->name, t.convolutions);
    cr_expect_eq(t.batch_norms, p->batch_norms, "%s: %d norms", p->name, t.batch_norms);
    cr_expect_eq(t.additions, p->additions, "%s: %d", p->name, t.additions);
    cr_expect_eq(t.macs, p->macs, "%s: %.0f MACs", p->name, t.macs);
    cr_expect_eq(t.addition_floats, p->addition_floats, "%s: %.0f", p->name, t.addition_floats);
    cr_expect(!p->weights || t.weights == p->weights, "%s: %zu", p->name, t.weights);
    cr_expect(!p->learnable || t.learnable == p->learnable, "%s: %zu", p->name, t.learnable);
    cr_expect(!p->parameters || t.parameters == p->parameters, "%s: %zu", p->name, t.parameters);
    cr_expect_eq(t.parameters, net.parameters);
    network_free(&net);
}

Test(network_variants, totals_are_the_published_ones)
{
    size_t count = sizeof published / sizeof *published;
    for (size_t i = 0; i < count; i++) {
        cr_expect_str_eq(network_name((int)i), published[i].name);
        check_totals(&published[i]);
    }
    cr_expect_null(network_name((int)count), "one that no figures are known of");
}

Test(network_variants, order_and_names_are_sound)
{
    for (int n = 0; network_name(n); n++) {
        struct network net = build(network_name(n), CLASSES, network_least_size(network_name(n)));
        for (int i = 0; i < net.node_count; i++) {
            const struct node *node = &net.nodes[i];
            cr_expect_lt(node->inputs[0], i);
            cr_expect_lt(node->inputs[1], i);
            cr_expect_eq(node->inputs[0] >= 0, node->kind != NODE_INPUT);
            cr_expect_eq(node->inputs[1] >= 0, node->kind == NODE_ADD);
            cr_expect_eq(find(&net, node->name), i, "%s: %s twice", net.name, node->name);
        }
        network_free(&net);
    }
}

/** Where the variants differ. `inputs` are names; a pad under 0 leaves pixels out. */
static const struct layer {
    const char *network, *name, *input;
    int cin, cout, kernel, stride, pad, in, out;
    bool bias;
} layers[] = {
    {"resnet50_v2_keras", "conv1_conv", "input", 3, 64, 7, 2, 3, 224, 112, true},
    {"resnet50_v2_keras", "pool1_pool", "conv1_conv", 64, 64, 3, 2, 1, 112, 56, false},
    {"resnet50_v2_keras", "conv2_block1_1_conv", "conv2_block1_preact_relu", 64, 64, 1, 1, 0, 56,
     56, false},
    {"resnet50_v2_keras", "conv2_block1_0_conv", "conv2_block1_preact_relu", 64, 256, 1, 1, 0, 56,
     56, true},
    {"resnet50_v2_keras", "conv2_block3_2_conv", "conv2_block3_1_relu", 64, 64, 3, 2, 1, 56, 28,
     false},
    {"resnet50_v2_keras", "conv2_block3_3_conv", "conv2_block3_2_relu", 64, 256, 1, 1, 0, 28, 28,
     true},
    {"resnet50_v2_keras", "conv2_block3_0_pool", "conv2_block2_out", 256, 256, 1, 2, 0, 56, 28,
     false},
    {"resnet50_v2_keras", "conv4_block6_2_conv", "conv4_block6_1_relu", 256, 256, 3, 2, 1, 14, 7,
     false},
    {"resnet50_v2_keras", "conv5_block3_2_conv", "conv5_block3_1_relu", 512, 512, 3, 1, 1, 7, 7,
     false},
    {"resnet50_v2_timm", "stem.conv", "input", 3, 64, 7, 2, 3, 224, 112, false},
    {"resnet50_v2_timm", "stem.pool", "stem.conv", 64, 64, 3, 2, 1, 112, 56, false},
    {"resnet50_v2_timm", "stages.1.blocks.0.conv2", "stages.1.blocks.0.norm2.act", 128, 128, 3, 2,
     1, 56, 28, false},
    {"resnet50_v2_timm", "stages.1.blocks.0.downsample.conv", "stages.1.blocks.0.norm1.act", 256,
     512, 1, 2, 0, 56, 28, false},
    {"resnet50_v1.5", "conv1", "input", 3, 64, 7, 2, 3, 224, 112, false},
    {"resnet50_v1.5", "maxpool", "relu", 64, 64, 3, 2, 1, 112, 56, false},
    {"resnet50_v1.5", "layer2.0.conv1", "layer1.2.relu", 256, 128, 1, 1, 0, 56, 56, false},
    {"resnet50_v1.5", "layer2.0.conv2", "layer2.0.relu1", 128, 128, 3, 2, 1, 56, 28, false},
    {"resnet50_v1.5", "layer2.0.downsample.0", "layer1.2.relu", 256, 512, 1, 2, 0, 56, 28, false},
    {"resnet18_v1.5", "layer2.0.conv1", "layer1.1.relu", 64, 128, 3, 2, 1, 56, 28, false},
    {"plain34_v2", "stage2_conv0_fwd", "stage2_activation0", 64, 128, 3, 2, 1, 56, 28, false},
    {"two_shortcuts", "conv0", "data", 3, 96, 11, 4, 0, 227, 55, true},
    {"two_shortcuts", "conv1", "pool0", 96, 256, 5, 1, 2, 27, 27, true},
    {"two_shortcuts", "w_s0", "relu0", 96, 256, 1, 2, -1, 55, 27, false},
    {"two_shortcuts", "conv2", "pool1", 256, 384, 3, 1, 1, 13, 13, true},
    {"two_shortcuts", "conv3", "relu2", 384, 384, 3, 1, 1, 13, 13, true},
    {"two_shortcuts", "w_s1", "sum_relu0", 256, 384, 1, 2, -1, 27, 13, false},
};

static void check_layer(const struct layer *l)
{
    struct network net = build(l->network, CLASSES, network_default_size(l->network));
    const struct node *node = &net.nodes[find(&net, l->name)];
    const struct node *input = &net.nodes[node->inputs[0]];
    cr_expect_str_eq(input->name, l->input, "%s reads %s", l->name, input->name);
    cr_expect(input->shape.channels == l->cin && input->shape.height == l->in &&
                  input->shape.width == l->in,
              "%s", l->name);
    cr_expect(node->shape.channels == l->cout && node->shape.height == l->out &&
                  node->shape.width == l->out,
              "%s", l->name);
    cr_expect(node->kernel == l->kernel && node->stride == l->stride && node->pad == l->pad, "%s",
              l->name);
    cr_expect_eq(node->bias, l->bias, "%s", l->name);
    cr_expect_eq(node->zeros, strcmp(l->name, "pool1_pool") == 0, "%s", l->name);
    network_free(&net);
}

Test(network_variants, layers_are_where_they_should_be)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        check_layer(&layers[i]);
}

static const struct sum {
    const char *network, *name, *branch, *shortcut;
} sums[] = {
    {"resnet50_v2_keras", "conv2_block1_out", "conv2_block1_3_conv", "conv2_block1_0_conv"},
    {"resnet50_v2_keras", "conv2_block2_out", "conv2_block2_3_conv", "conv2_block1_out"},
    {"resnet50_v2_keras", "conv2_block3_out", "conv2_block3_3_conv", "conv2_block3_0_pool"},
    {"resnet50_v2_keras", "conv5_block3_out", "conv5_block3_3_conv", "conv5_block2_out"},
    {"resnet18_v2_timm", "stages.0.blocks.0.add", "stages.0.blocks.0.conv2", "stem.pool"},
    {"resnet50_v1.5", "layer1.0.add", "layer1.0.bn3", "layer1.0.downsample.1"},
    {"resnet50_v1.5", "layer1.1.add", "layer1.1.bn3", "layer1.0.relu"},
    {"two_shortcuts", "sum0", "conv1", "w_s0"},
    {"two_shortcuts", "sum1", "conv3", "w_s1"},
};

Test(network_variants, shortcuts_lead_where_they_should)
{
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        const struct sum *s = &sums[i];
        struct network net = build(s->network, CLASSES, network_default_size(s->network));
        const struct node *node = &net.nodes[find(&net, s->name)];
        cr_expect_eq(node->kind, NODE_ADD);
        cr_expect_str_eq(net.nodes[node->inputs[0]].name, s->branch);
        cr_expect_str_eq(net.nodes[node->inputs[1]].name, s->shortcut);
        network_free(&net);
    }
}

/** What batch norms add to the variance, and how pixels are normalised. */
Test(network_variants, constants_are_the_publishers)
{
    const struct {
        const char *network, *norm;
        double epsilon;
        const struct normalisation *pixels;
    } constants[] = {
        {"resnet50_v2_keras", "post_bn", 1.001e-5, &normalisation_symmetric},
        {"resnet50_v2_timm", "norm", 1e-5, &normalisation_symmetric},
        {"resnet50_v1.5", "layer4.2.bn3", 1e-5, &normalisation_imagenet},
        {"resnet50_v2", "batchnorm2_fwd", 1e-5, &normalisation_imagenet},
    };
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        struct network net = build(constants[i].network, CLASSES, 224);
        cr_expect_eq(net.nodes[find(&net, constants[i].norm)].epsilon, constants[i].epsilon);
        cr_expect_eq(net.pixels, constants[i].pixels, "%s", net.name);
        network_free(&net);
    }
}

Test(network_variants, softmax_can_be_dropped)
{
    struct network net = build("resnet50_v1.5", 7, 224);
    int dense = find(&net, "fc");
    cr_expect_eq(network_logits(&net), dense);
    cr_expect_eq(dense, net.node_count - 2);
    network_drop_softmax(&net);
    cr_expect_eq(dense, net.node_count - 1);
    cr_expect_eq(network_logits(&net), dense);
    network_drop_softmax(&net);
    cr_expect_eq(dense, net.node_count - 1, "there is none left to drop");
    network_free(&net);
}

Test(network_variants, sizes_under_the_least_are_refused)
{
    for (int n = 0; network_name(n); n++) {
        struct network net;
        struct error e = {{0}};
        const char *name = network_name(n);
        cr_expect_not(network_build(&net, name, 10, network_least_size(name) - 1, &e));
        cr_expect(strstr(e.text, name), "%s", e.text);
    }
    cr_expect_eq(network_default_size("resnet51_v2"), 0);
    cr_expect_eq(network_least_size("resnet51_v2"), 0);
}
