#include "harness/algo.h"

#include <string.h>

/* Tiles of a batch from which on F(4x4) is the better one. */
#define MIN_TILES 16

static const char *const names[ALGO_COUNT] = {"direct", "winograd2", "winograd4", "auto"};

const char *algo_name(enum algo algo)
{
    return names[algo];
}

bool algo_parse(const char *name, enum algo *algo)
{
    for (int i = 0; i < ALGO_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *algo = (enum algo)i;
            return true;
        }
    }
    return false;
}

bool algo_serves(enum algo algo, const struct node *node)
{
    return algo == ALGO_DIRECT ||
           (node->kind == NODE_CONV && node->kernel == 3 && node->stride == 1 && node->pad == 1);
}

enum algo algo_choose(enum algo request, const struct node *node, int batch)
{
    if (!algo_serves(request, node))
        return ALGO_DIRECT;
    if (request != ALGO_AUTO)
        return request;
    int tiles = batch * ((node->shape.height + 3) / 4) * ((node->shape.width + 3) / 4);
    return tiles >= MIN_TILES ? ALGO_WINOGRAD4 : ALGO_WINOGRAD2;
}

int algo_tile(enum algo algo)
{
    return algo == ALGO_WINOGRAD2 ? 2 : algo == ALGO_WINOGRAD4 ? 4 : 0;
}
