/**
 * Hashes (hash.h) of the output of every layer of resnet50_v2 with synthetic weights of
 * seed 1, for the built-in picture: of both outputs joined where a layer stores two.
 * Made by scripts/golden with the scalar kernels; every kernel set must give the same,
 * on any machine. A change here is a change of the numerics contract in kernels.h.
 */
#ifndef RESMARK_TESTS_GOLDEN_HASHES_H
#define RESMARK_TESTS_GOLDEN_HASHES_H

#include <stdint.h>

struct golden_hash {
    const char *layer;
    uint64_t hash;
};

static const struct golden_hash golden_direct_224[] = {
    {"conv0_fwd", 0xa6a199d29a036b7d},         {"pool0_fwd", 0xa454757c7230d974},
    {"stage1_conv0_fwd", 0x77651bfe7f312d41},  {"stage1_conv1_fwd", 0x85e3dde6d1b5d694},
    {"stage1_conv2_fwd", 0xfd1f812e8079c772},  {"stage1_conv3_fwd", 0x45c4211d9a793eda},
    {"stage1_conv4_fwd", 0x8e4c6bc470f38fec},  {"stage1_conv5_fwd", 0x22967eec37402799},
    {"stage1_conv6_fwd", 0x3aa83af38083688c},  {"stage1_conv7_fwd", 0x94c29a03bfc5d90d},
    {"stage1_conv8_fwd", 0x73cbdf8ec4355f3f},  {"stage1_conv9_fwd", 0x324f9496bf4f936b},
    {"stage2_conv0_fwd", 0x62a0a57110504e24},  {"stage2_conv1_fwd", 0x73e9664ef2aa0920},
    {"stage2_conv2_fwd", 0x017e8d1fe46cfcc7},  {"stage2_conv3_fwd", 0x32770d465b8c0180},
    {"stage2_conv4_fwd", 0x83ee3fb6cebc63b9},  {"stage2_conv5_fwd", 0x05ecd9657969e88b},
    {"stage2_conv6_fwd", 0xf8331b4b0ac76faf},  {"stage2_conv7_fwd", 0xa9ff19fc98a0942c},
    {"stage2_conv8_fwd", 0x94862b4286dd6a74},  {"stage2_conv9_fwd", 0x2a107010316b8756},
    {"stage2_conv10_fwd", 0xb4a0095901361af2}, {"stage2_conv11_fwd", 0xfb4aee49b7d77daa},
    {"stage2_conv12_fwd", 0x6cd078ce242df2b8}, {"stage3_conv0_fwd", 0x5dfbc8d5af05bcd1},
    {"stage3_conv1_fwd", 0x55aef777f98eb488},  {"stage3_conv2_fwd", 0x6d042fc8093d46f0},
    {"stage3_conv3_fwd", 0xee980d3d98457a27},  {"stage3_conv4_fwd", 0x447c5d13b98e1a78},
    {"stage3_conv5_fwd", 0x588e1e586769c0d6},  {"stage3_conv6_fwd", 0x29da134513c5245a},
    {"stage3_conv7_fwd", 0x32bf67d065b4ef2a},  {"stage3_conv8_fwd", 0xfe84ab0e2e7327be},
    {"stage3_conv9_fwd", 0x08948826f1b57f44},  {"stage3_conv10_fwd", 0x86b0da76d89018ef},
    {"stage3_conv11_fwd", 0x98aaa2a27f46f57d}, {"stage3_conv12_fwd", 0x861b3c8ac7b8dd42},
    {"stage3_conv13_fwd", 0x884d3802cd3976ae}, {"stage3_conv14_fwd", 0x780ead2d8d8b5402},
    {"stage3_conv15_fwd", 0x4d9e105df755baa3}, {"stage3_conv16_fwd", 0x1c352397f3291416},
    {"stage3_conv17_fwd", 0x052b5057991b02b1}, {"stage3_conv18_fwd", 0x3252455dbd35daea},
    {"stage4_conv0_fwd", 0x33f2e9462f43b3ba},  {"stage4_conv1_fwd", 0xc465b442cdc2ff5f},
    {"stage4_conv2_fwd", 0xe8c322fe84a60a5f},  {"stage4_conv3_fwd", 0xc17cd9e26d6b8867},
    {"stage4_conv4_fwd", 0xa51962d26f2d6f4f},  {"stage4_conv5_fwd", 0xc4a46c6ac234dffb},
    {"stage4_conv6_fwd", 0xa9cf0ce5e0237d5d},  {"stage4_conv7_fwd", 0x54fb6ddaa3848289},
    {"stage4_conv8_fwd", 0x72c5b07a5c3ee26e},  {"stage4_conv9_fwd", 0x0836bbcf799a2cc1},
    {"pool1_fwd", 0xf3a7dbad7df162d7},         {"dense0_fwd", 0xf15f711add11c6c5},
    {"softmax0", 0xfa5ce8626d132e4d},
};

static const struct golden_hash golden_direct_64[] = {
    {"conv0_fwd", 0x2423fc0b5ae1dd33},         {"pool0_fwd", 0x719d789d731677c8},
    {"stage1_conv0_fwd", 0x56e6ffb04c78cc28},  {"stage1_conv1_fwd", 0x6db2df9b86e3c4b1},
    {"stage1_conv2_fwd", 0x9779ca480ad3e463},  {"stage1_conv3_fwd", 0xbd7be07a9d0e3b73},
    {"stage1_conv4_fwd", 0x1bfe3b0bcab48514},  {"stage1_conv5_fwd", 0x6922400c6e504e1d},
    {"stage1_conv6_fwd", 0x5a1ec8b0695b2aee},  {"stage1_conv7_fwd", 0x71de803ecd824a89},
    {"stage1_conv8_fwd", 0xdba49e535aa874a0},  {"stage1_conv9_fwd", 0xe4c9f1367d4d0cb7},
    {"stage2_conv0_fwd", 0xce6f04adf50dfa73},  {"stage2_conv1_fwd", 0x93473bbf8495c827},
    {"stage2_conv2_fwd", 0x54f7624a7cb4050d},  {"stage2_conv3_fwd", 0xc44e9770ea293e03},
    {"stage2_conv4_fwd", 0x3089dcaeb3b48810},  {"stage2_conv5_fwd", 0x6ab5a9e917e00e4b},
    {"stage2_conv6_fwd", 0x11e54cbe08424fb8},  {"stage2_conv7_fwd", 0xd0806a98ca3ea149},
    {"stage2_conv8_fwd", 0x00e464d7bbde9c06},  {"stage2_conv9_fwd", 0x18f74fe403769bfb},
    {"stage2_conv10_fwd", 0x70d77c40520a4b1c}, {"stage2_conv11_fwd", 0x398b5e827f84c0e1},
    {"stage2_conv12_fwd", 0xb9fb2a416f0f771b}, {"stage3_conv0_fwd", 0xfd8b0a0619d73e72},
    {"stage3_conv1_fwd", 0x46c6f36fd03780bc},  {"stage3_conv2_fwd", 0x131a3c747c0e310f},
    {"stage3_conv3_fwd", 0x0470205c97889f6e},  {"stage3_conv4_fwd", 0xf16adfbad605a88c},
    {"stage3_conv5_fwd", 0xfcf75e5bc8a223ad},  {"stage3_conv6_fwd", 0x7e9c4705ddec438c},
    {"stage3_conv7_fwd", 0x992a5625aa231cc7},  {"stage3_conv8_fwd", 0x8904d07c6fc9f7e1},
    {"stage3_conv9_fwd", 0x30e337daf6a7f8ba},  {"stage3_conv10_fwd", 0xfa7c1cff16cdc8bd},
    {"stage3_conv11_fwd", 0xced38d98e980a010}, {"stage3_conv12_fwd", 0x207050d1d62a6bbe},
    {"stage3_conv13_fwd", 0x7c2c35b1963d5baf}, {"stage3_conv14_fwd", 0x0b92d8be0c336091},
    {"stage3_conv15_fwd", 0x3eee5c3a7ec70af9}, {"stage3_conv16_fwd", 0x9df45b05ea24621d},
    {"stage3_conv17_fwd", 0xe0d74c4f05cde308}, {"stage3_conv18_fwd", 0xb41e6e4643e2a833},
    {"stage4_conv0_fwd", 0x2e0e464ad1ee3256},  {"stage4_conv1_fwd", 0x412f6ab4858ffafa},
    {"stage4_conv2_fwd", 0xc45c3d733628ae21},  {"stage4_conv3_fwd", 0xd9af175f80d24ddc},
    {"stage4_conv4_fwd", 0xcd124542f50a2171},  {"stage4_conv5_fwd", 0x1284730340c826c0},
    {"stage4_conv6_fwd", 0x0a4f8fb09cf6f319},  {"stage4_conv7_fwd", 0x2181f30f6e9da567},
    {"stage4_conv8_fwd", 0x6965305002617082},  {"stage4_conv9_fwd", 0xed38cbac7de8fbc0},
    {"pool1_fwd", 0xa8b970d8970fc6ed},         {"dense0_fwd", 0xb8d32d50875d61d2},
    {"softmax0", 0xb6fce62e3e893bc4},
};

#endif
