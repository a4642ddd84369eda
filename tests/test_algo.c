/** The rule by which `auto` chooses algorithms, and the names. */
#include "harness/algo.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *choice(const char *layer, int size, int batch)
{
    struct network net;
    struct error e;
    const char *chosen = NULL;
    cr_assert(network_build(&net, "resnet50_v2", 1000, size, &e), "%s", e.text);
    for (int i = 0; i < net.node_count; i++) {
        if (strcmp(net.nodes[i].name, layer) == 0)
            chosen = algo_name(algo_choose(ALGO_AUTO, &net, i, batch));
    }
    network_free(&net);
    cr_assert(chosen, "there is no %s", layer);
    return chosen;
}

/** F(6x6) has 10x10, 5x5 and 3x3 tiles at 56, 28 and 14 pixels, F(4x4) 4x4 and 2x2 at 14 and 7. */
Test(algo, rule)
{
    static const struct {
        const char *layer, *algo;
        int size, batch;
    } rows[] = {
        {"conv0_fwd", "polyphase4", 224, 1},        {"stage1_conv1_fwd", "winograd6", 224, 1},
        {"stage2_conv5_fwd", "winograd4", 224, 1},  {"stage3_conv5_fwd", "winograd4", 224, 1},
        {"stage3_conv5_fwd", "winograd4", 224, 8},  {"stage4_conv5_fwd", "winograd2", 224, 1},
        {"stage4_conv5_fwd", "winograd2", 224, 3},  {"stage4_conv5_fwd", "winograd4", 224, 4},
        {"stage1_conv1_fwd", "winograd4", 64, 3},   {"stage2_conv1_fwd", "polyphase2", 224, 1},
        {"stage4_conv1_fwd", "polyphase2", 224, 1}, {"stage3_conv1_fwd", "direct", 64, 3},
        {"stage3_conv1_fwd", "polyphase2", 64, 4},  {"stage1_conv2_fwd", "direct", 224, 1},
        {"stage3_conv6_fwd", "strassen", 224, 1},   {"dense0_fwd", "direct", 224, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(choice(rows[i].layer, rows[i].size, rows[i].batch), rows[i].algo,
                         "%s at %d, batch %d", rows[i].layer, rows[i].size, rows[i].batch);
}

Test(algo, fewest_tiles_of_winograd6)
{
    cr_expect_str_eq(choice("stage1_conv1_fwd", 172, 8), "winograd6"); /* 43 pixels */
    cr_expect_str_eq(choice("stage1_conv1_fwd", 168, 8), "winograd4"); /* 42 pixels */
}

Test(algo, names)
{
    for (int i = 0; i < ALGO_COUNT; i++) {
        enum algo parsed;
        cr_expect(algo_parse(algo_name((enum algo)i), &parsed) && (int)parsed == i);
        cr_expect_eq(strstr(ALGO_NAMES, algo_name((enum algo)i)) != NULL, i != ALGO_AUTO);
    }
    enum algo none;
    cr_expect_not(algo_parse("winograd", &none));
}
