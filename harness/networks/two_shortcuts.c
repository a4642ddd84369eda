#include "harness/networks/two_shortcuts.h"

#include "harness/networks/builder.h"

static const struct filter pool = {3, 2, 0}, pool_centres = {1, 2, -1};

static int conv(struct builder *b, int input, int channels, struct filter filter)
{
    int node = builder_conv(b, PART_CONV, input, channels, filter);
    b->net->nodes[node].bias = true;
    b->index++;
    return node;
}

static int join(struct builder *b, int input, int branch)
{
    int channels = b->net->nodes[branch].shape.channels;
    int shortcut = builder_conv(b, PART_PROJECTION, input, channels, pool_centres);
    return builder_append(b, NODE_RELU, PART_SUM_RELU, builder_add(b, PART_SUM, branch, shortcut));
}

void two_shortcuts_expand(struct builder *b, const struct spec *spec, int size)
{
    const struct form *form = spec->form;
    int x = builder_conv(b, PART_STEM, builder_image(b, size), form->stem_channels,
                         (struct filter){form->stem_kernel, form->stem_stride, 0});
    b->net->nodes[x].bias = true;
    x = builder_append(b, NODE_RELU, PART_STEM_RELU, x);
    builder_stage(b, 0);
    x = join(b, x, conv(b, builder_pool(b, PART_STEM_POOL, x, pool), 256, builder_same(5, 1)));
    builder_stage(b, 1);
    int y = conv(b, builder_pool(b, PART_STEM_POOL, x, pool), 384, builder_same(3, 1));
    y = conv(b, builder_append(b, NODE_RELU, PART_RELU, y), 384, builder_same(3, 1));
    builder_head(b, join(b, x, y));
}
