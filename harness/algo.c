#include "harness/algo_form.h"

#include <string.h>

/* Tiles of a batch from which on F(4x4) is better than F(2x2). */
#define WINOGRAD4_TILES 16

/* Tiles of an image from which on F(6x6) is better than F(4x4), whose error is a quarter: with
 * fewer, reading its filters, of which there are 1.8 times as many, and its transforms take longer.
 */
#define WINOGRAD6_TILES 64

/* The least tiles of a batch, and multiplications saved, for the polyphase form to be worth it. */
#define POLYPHASE_TILES 16
#define POLYPHASE_GAIN 1.2

/* Channels on either side, and pairs of pixels of a batch, for Strassen's to be worth it. */
#define STRASSEN_CHANNELS 256
#define STRASSEN_TILES 64

static const char *const names[ALGO_COUNT] = {"direct",     "winograd2",  "winograd4", "winograd6",
                                              "polyphase2", "polyphase4", "strassen",  "auto"};

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

/* The image itself, or its batch norm, which becomes a part of it. */
static bool is_image(const struct network *net, int node)
{
    return node == 0 || node == network_only_reader(net, 0, NODE_BATCH_NORM);
}

static bool is_stem(const struct network *net, const struct node *n)
{
    return n->kernel == 7 && n->stride == 2 && n->pad == 3 && is_image(net, n->inputs[0]);
}

bool algo_serves(enum algo algo, const struct network *net, int node)
{
    const struct node *n = &net->nodes[node];
    if (algo == ALGO_DIRECT || n->kind != NODE_CONV)
        return algo == ALGO_DIRECT;
    int cin = net->nodes[n->inputs[0]].shape.channels, cout = n->shape.channels;
    if (algo == ALGO_STRASSEN)
        return n->kernel == 1 && n->pad == 0 && cin % (2 * BLOCK) == 0 && cout % (2 * BLOCK) == 0;
    if (algo == ALGO_POLYPHASE4)
        return is_stem(net, n);
    return n->kernel == 3 && n->pad == 1 && n->stride == (algo == ALGO_POLYPHASE2 ? 2 : 1);
}

enum bilinear_form algo_form(enum algo algo)
{
    static const enum bilinear_form forms[] = {
        [ALGO_WINOGRAD2] = FORM_WINOGRAD2,   [ALGO_WINOGRAD4] = FORM_WINOGRAD4,
        [ALGO_WINOGRAD6] = FORM_WINOGRAD6,   [ALGO_POLYPHASE2] = FORM_POLYPHASE2,
        [ALGO_POLYPHASE4] = FORM_POLYPHASE4, [ALGO_STRASSEN] = FORM_STRASSEN};
    return forms[algo];
}

/*
 * Of the transforms' cost each element of the input is read and written some times over, which the
 * output channels share, and each of the output, which the input channels share.
 */
static bool strassen_pays(const struct network *net, int node, int tiles)
{
    const struct node *n = &net->nodes[node];
    return net->nodes[n->inputs[0]].shape.channels >= STRASSEN_CHANNELS &&
           n->shape.channels >= STRASSEN_CHANNELS && tiles >= STRASSEN_TILES;
}

/* Tiles that reach over the edge of a small map save less. */
static bool polyphase_pays(const struct shape *out, int tiles)
{
    double direct = 9.0 * (double)shape_pixels(out);
    double products = bilinear_products(FORM_POLYPHASE2, out->height, out->width);
    return tiles >= POLYPHASE_TILES && direct >= POLYPHASE_GAIN * products;
}

static enum algo rule(const struct network *net, int node, int batch)
{
    const struct shape *out = &net->nodes[node].shape;
    int tiles[ALGO_COUNT] = {0};
    for (enum algo a = ALGO_WINOGRAD2; a < ALGO_AUTO; a++) {
        if (algo_serves(a, net, node))
            tiles[a] = batch * bilinear_tiles(algo_form(a), out->height, out->width);
    }
    if (tiles[ALGO_WINOGRAD6] >= batch * WINOGRAD6_TILES)
        return ALGO_WINOGRAD6;
    if (tiles[ALGO_WINOGRAD4])
        return tiles[ALGO_WINOGRAD4] >= WINOGRAD4_TILES ? ALGO_WINOGRAD4 : ALGO_WINOGRAD2;
    if (tiles[ALGO_POLYPHASE2] && polyphase_pays(out, tiles[ALGO_POLYPHASE2]))
        return ALGO_POLYPHASE2;
    if (tiles[ALGO_POLYPHASE4])
        return ALGO_POLYPHASE4;
    if (tiles[ALGO_STRASSEN] && strassen_pays(net, node, tiles[ALGO_STRASSEN]))
        return ALGO_STRASSEN;
    return ALGO_DIRECT;
}

enum algo algo_choose(enum algo request, const struct network *net, int node, int batch)
{
    if (request == ALGO_AUTO)
        return rule(net, node, batch);
    return algo_serves(request, net, node) ? request : ALGO_DIRECT;
}

/* Taps of the filter and outputs of a tile, or of Strassen's quarters, of one pair of channels:
 * what direct convolution multiplies. */
static double direct_products(enum algo algo)
{
    const int tile = bilinear_tile(algo_form(algo)), outputs = tile * tile;
    return algo == ALGO_STRASSEN ? 8 : (algo == ALGO_POLYPHASE4 ? 49 : 9) * outputs;
}

/* The stem's phases have 7 and 6 products in each direction, of which two each share a sum. */
static double products(enum algo algo)
{
    return algo == ALGO_POLYPHASE4 ? 13 * 13 : bilinear_positions(algo_form(algo));
}

double algo_macs_share(enum algo algo)
{
    return algo == ALGO_DIRECT ? 1 : products(algo) / direct_products(algo);
}

double algo_weights_share(enum algo algo)
{
    if (algo == ALGO_DIRECT)
        return 1;
    const double filters = bilinear_filters(algo_form(algo));
    if (algo == ALGO_POLYPHASE4)
        return filters * bilinear_inputs(FORM_POLYPHASE4, 3) / (49 * 3);
    return filters / (algo == ALGO_STRASSEN ? 4 : 9);
}
