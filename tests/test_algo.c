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

/** Tiles are counted by hand: F(6x6) has 10x10, 5x5, 3x3 and 2x2 at 56, 28, 14 and 7 pixels, of
 * which 79^2, 39^2, 23^2 and 15^2 products are needed, F(4x4) 84^2, 42^2, 23^2 and 11^2. */
Test(algo, rule)
{
    static const struct {
        const char *layer, *algo;
        int size, batch;
    } rows[] = {
        {"conv0_fwd", "direct", 224, 1},
        {"stage1_conv1_fwd", "winograd6", 224, 1},
        {"stage2_conv5_fwd", "winograd6", 224, 1},
        {"stage3_conv5_fwd", "winograd4", 224, 1},
        {"stage3_conv5_fwd", "winograd4", 224, 8},
        {"stage4_conv5_fwd", "winograd2", 224, 1},
        {"stage4_conv5_fwd", "winograd2", 224, 3},
        {"stage4_conv5_fwd", "winograd4", 224, 4},
        {"stage1_conv1_fwd", "winograd4", 64, 3}, /* 16 pixels, 9 tiles of F(6x6) each */
        {"stage2_conv1_fwd", "polyphase2", 224, 1},
        {"stage4_conv1_fwd", "direct", 224, 1},
        {"stage4_conv1_fwd", "polyphase2", 224, 2},
        {"stage1_conv2_fwd", "direct", 224, 1},
        {"stage3_conv6_fwd", "strassen", 224, 1},
        {"dense0_fwd", "direct", 224, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(choice(rows[i].layer, rows[i].size, rows[i].batch), rows[i].algo,
                         "%s at %d, batch %d", rows[i].layer, rows[i].size, rows[i].batch);
}

/** A map of 12 pixels is cut into whole tiles; 25 of them are enough. */
Test(algo, few_tiles_of_winograd6)
{
    cr_expect_str_eq(choice("stage1_conv1_fwd", 48, 6), "winograd4");
    cr_expect_str_eq(choice("stage1_conv1_fwd", 48, 7), "winograd6");
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
