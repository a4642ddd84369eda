#include "harness/networks/residual.h"
#include "harness/networks/two_shortcuts.h"
#include "harness/preprocess.h"

#include <stddef.h>

/* As in Gluon's model zoo and in the ONNX files made from it, without the network's prefix. */
static const char *const gluon_names[PART_COUNT] = {
    [PART_DATA] = "data",
    [PART_DATA_NORM] = "batchnorm0_fwd",
    [PART_STEM] = "conv0_fwd",
    [PART_STEM_NORM] = "batchnorm1_fwd",
    [PART_STEM_RELU] = "relu0_fwd",
    [PART_STEM_POOL] = "pool0_fwd",
    [PART_ENTRY_NORM] = "stage$S_batchnorm$n_fwd",
    [PART_ENTRY_RELU] = "stage$S_activation$n",
    [PART_NORM] = "stage$S_batchnorm$n_fwd",
    [PART_RELU] = "stage$S_activation$n",
    [PART_CONV] = "stage$S_conv$n_fwd",
    [PART_PROJECTION] = "stage$S_conv$n_fwd",
    [PART_SUM] = "stage$S__plus$n",
    [PART_FINAL_NORM] = "batchnorm2_fwd",
    [PART_FINAL_RELU] = "relu1_fwd",
    [PART_GLOBAL_POOL] = "pool1_fwd",
    [PART_DENSE] = "dense0_fwd",
    [PART_SOFTMAX] = "softmax0",
};

/* As in keras-applications; its subsampling pools have no name of their own. */
static const char *const keras_names[PART_COUNT] = {
    [PART_DATA] = "input",
    [PART_STEM] = "conv1_conv",
    [PART_STEM_POOL] = "pool1_pool",
    [PART_ENTRY_NORM] = "conv$T_block$U_preact_bn",
    [PART_ENTRY_RELU] = "conv$T_block$U_preact_relu",
    [PART_NORM] = "conv$T_block$U_$i_bn",
    [PART_RELU] = "conv$T_block$U_$i_relu",
    [PART_CONV] = "conv$T_block$U_$I_conv",
    [PART_PROJECTION] = "conv$T_block$U_0_conv",
    [PART_SUBSAMPLE] = "conv$T_block$U_0_pool",
    [PART_SUM] = "conv$T_block$U_out",
    [PART_FINAL_NORM] = "post_bn",
    [PART_FINAL_RELU] = "post_relu",
    [PART_GLOBAL_POOL] = "avg_pool",
    [PART_DENSE] = "predictions",
    [PART_SOFTMAX] = "softmax",
};

/* Modules of timm's resnetv2. */
static const char *const timm_names[PART_COUNT] = {
    [PART_DATA] = "input",
    [PART_STEM] = "stem.conv",
    [PART_STEM_POOL] = "stem.pool",
    [PART_ENTRY_NORM] = "stages.$s.blocks.$u.norm1",
    [PART_ENTRY_RELU] = "stages.$s.blocks.$u.norm1.act",
    [PART_NORM] = "stages.$s.blocks.$u.norm$I",
    [PART_RELU] = "stages.$s.blocks.$u.norm$I.act",
    [PART_CONV] = "stages.$s.blocks.$u.conv$I",
    [PART_PROJECTION] = "stages.$s.blocks.$u.downsample.conv",
    [PART_SUM] = "stages.$s.blocks.$u.add",
    [PART_FINAL_NORM] = "norm",
    [PART_FINAL_RELU] = "norm.act",
    [PART_GLOBAL_POOL] = "head.global_pool",
    [PART_DENSE] = "head.fc",
    [PART_SOFTMAX] = "softmax",
};

/* Modules of torchvision's resnet; a unit's one ReLU module is told apart by where it acts. */
static const char *const torchvision_names[PART_COUNT] = {
    [PART_DATA] = "input",
    [PART_STEM] = "conv1",
    [PART_STEM_NORM] = "bn1",
    [PART_STEM_RELU] = "relu",
    [PART_STEM_POOL] = "maxpool",
    [PART_NORM] = "layer$S.$u.bn$I",
    [PART_RELU] = "layer$S.$u.relu$I",
    [PART_CONV] = "layer$S.$u.conv$I",
    [PART_PROJECTION] = "layer$S.$u.downsample.0",
    [PART_PROJECTION_NORM] = "layer$S.$u.downsample.1",
    [PART_SUM] = "layer$S.$u.add",
    [PART_SUM_RELU] = "layer$S.$u.relu",
    [PART_GLOBAL_POOL] = "avgpool",
    [PART_DENSE] = "fc",
    [PART_SOFTMAX] = "softmax",
};

static const char *const two_shortcuts_names[PART_COUNT] = {
    [PART_DATA] = "data",        [PART_STEM] = "conv0",  [PART_STEM_RELU] = "relu0",
    [PART_STEM_POOL] = "pool$s", [PART_CONV] = "conv$I", [PART_RELU] = "relu$i",
    [PART_PROJECTION] = "w_s$s", [PART_SUM] = "sum$s",   [PART_SUM_RELU] = "sum_relu$s",
    [PART_GLOBAL_POOL] = "pool", [PART_DENSE] = "dense", [PART_SOFTMAX] = "softmax",
};

/* What all residual networks share: the stem of He et al. 2015. */
#define STEM .min_size = 32, .stem_kernel = 7, .stem_stride = 2, .pool_kernel = 3, .pool_stride = 2

/* The published ones: their table of widths. */
#define RESIDUAL STEM, .size = 224, .stem_channels = 64, .width = {64, 128, 256, 512}

#define FIRST_UNIT_STRIDES .stride = {1, 2, 2, 2}

/* GluonCV's resnet*_v2, which are the ONNX model zoo's resnet*-v2-7. */
#define GLUON                                                                                      \
    RESIDUAL, FIRST_UNIT_STRIDES, .pixels = &normalisation_imagenet, .names = gluon_names,         \
                                  .data_norm = true, .stem_norm = true, .epsilon = 1e-5

static const struct form gluon = {GLUON, .variant = "gluon"};

/* The same layers without shortcuts and projections. */
static const struct form plain = {GLUON, .variant = "plain", .plain = true};

static const struct form keras = {
    RESIDUAL,
    .pixels = &normalisation_symmetric,
    .variant = "keras",
    .names = keras_names,
    .pool_zeros = true,
    .bias = true,
    .epsilon = 1.001e-5,
    .stride = {2, 2, 2, 1},
    .stride_last = true,
};

#define TIMM                                                                                       \
    FIRST_UNIT_STRIDES, .pixels = &normalisation_symmetric, .variant = "timm",                     \
                        .names = timm_names, .epsilon = 1e-5

static const struct form timm = {RESIDUAL, TIMM};

/* A quarter as wide, for images of 32 pixels: what scripts/train-digits trains. */
static const struct form timm_narrow = {STEM, TIMM, .size = 32, .stem_channels = 16,
                                        .width = {16, 32, 64, 128}};

/* v1.5: the stride is on the 3x3. */
static const struct form torchvision = {
    RESIDUAL,
    FIRST_UNIT_STRIDES,
    .pixels = &normalisation_imagenet,
    .variant = "torchvision",
    .names = torchvision_names,
    .stem_norm = true,
    .post_activation = true,
    .epsilon = 1e-5,
};

static const struct form two_shortcuts = {
    .pixels = &normalisation_imagenet,
    .variant = "illustrative",
    .names = two_shortcuts_names,
    .size = 227,
    .min_size = 35, /* three pixels for the second pool */
    .stem_channels = 96,
    .stem_kernel = 11,
    .stem_stride = 4,
};

static const struct unit basic = {.convs = 2, .kernel = {3, 3}, .strided = 0, .expansion = 1};
static const struct unit bottleneck = {
    .convs = 3, .kernel = {1, 3, 1}, .strided = 1, .expansion = 4};

#define R(name, form, unit, b1, b2, b3, b4)                                                        \
    {                                                                                              \
        name, &form, &unit, {b1, b2, b3, b4}, residual_expand                                      \
    }

const struct spec network_specs[] = {
    R("resnet18_v2", gluon, basic, 2, 2, 2, 2),
    R("resnet34_v2", gluon, basic, 3, 4, 6, 3),
    R("resnet50_v2", gluon, bottleneck, 3, 4, 6, 3),
    R("resnet101_v2", gluon, bottleneck, 3, 4, 23, 3),
    R("resnet152_v2", gluon, bottleneck, 3, 8, 36, 3),
    R("resnet50_v2_keras", keras, bottleneck, 3, 4, 6, 3),
    R("resnet101_v2_keras", keras, bottleneck, 3, 4, 23, 3),
    R("resnet152_v2_keras", keras, bottleneck, 3, 8, 36, 3),
    R("resnet18_v2_timm", timm, basic, 2, 2, 2, 2),
    R("resnet34_v2_timm", timm, basic, 3, 4, 6, 3),
    R("resnet50_v2_timm", timm, bottleneck, 3, 4, 6, 3),
    R("resnet101_v2_timm", timm, bottleneck, 3, 4, 23, 3),
    R("resnet152_v2_timm", timm, bottleneck, 3, 8, 36, 3),
    R("resnet18_v1.5", torchvision, basic, 2, 2, 2, 2),
    R("resnet34_v1.5", torchvision, basic, 3, 4, 6, 3),
    R("resnet50_v1.5", torchvision, bottleneck, 3, 4, 6, 3),
    R("resnet101_v1.5", torchvision, bottleneck, 3, 4, 23, 3),
    R("resnet152_v1.5", torchvision, bottleneck, 3, 8, 36, 3),
    R("resnet14_v2_digits", timm_narrow, bottleneck, 1, 1, 1, 1),
    R("plain34_v2", plain, basic, 3, 4, 6, 3),
    R("plain50_v2", plain, bottleneck, 3, 4, 6, 3),
    {.name = "two_shortcuts", .form = &two_shortcuts, .expand = two_shortcuts_expand},
    {0},
};
