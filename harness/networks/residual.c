#include "harness/networks/residual.h"

#include "harness/networks/builder.h"

struct stage {
    const struct unit *unit;
    int width, channels; /* of the inner convolutions, and of the last */
};

static int unit_conv(struct builder *b, const struct stage *s, int input, int index, int stride)
{
    bool last = index == s->unit->convs - 1;
    b->index = index;
    int node =
        builder_conv(b, PART_CONV, input, last ? s->channels : s->width,
                     builder_same(s->unit->kernel[index], index == s->unit->strided ? stride : 1));
    b->net->nodes[node].bias = last && b->form->bias;
    return node;
}

static int projection(struct builder *b, const struct stage *s, int input, int stride)
{
    int node = builder_conv(b, PART_PROJECTION, input, s->channels, builder_same(1, stride));
    b->net->nodes[node].bias = b->form->bias;
    return node;
}

/*
 * A projection where the shortcut's channels would not fit; it reads the entry's activation. A
 * subsampled shortcut comes before the branch, so that the branch's last convolution can add it.
 */
static int pre_activation_unit(struct builder *b, const struct stage *s, int input, int stride)
{
    bool project = b->net->nodes[input].shape.channels != s->channels;
    int shortcut = input, entry = builder_norm_relu(b, PART_ENTRY_NORM, PART_ENTRY_RELU, input);
    int x = entry;
    if (stride != 1 && !project && !b->form->plain)
        shortcut = builder_pool(b, PART_SUBSAMPLE, input, builder_same(1, stride));
    for (int i = 0; i < s->unit->convs; i++) {
        b->index = i;
        if (i > 0)
            x = builder_norm_relu(b, PART_NORM, PART_RELU, x);
        x = unit_conv(b, s, x, i, stride);
    }
    if (b->form->plain)
        return x;
    if (project)
        shortcut = projection(b, s, entry, stride);
    return builder_add(b, PART_SUM, x, shortcut);
}

static int post_activation_unit(struct builder *b, const struct stage *s, int input, int stride)
{
    bool project = b->net->nodes[input].shape.channels != s->channels;
    int x = input, shortcut = input;
    for (int i = 0; i < s->unit->convs; i++) {
        x = builder_norm(b, PART_NORM, unit_conv(b, s, x, i, stride));
        if (i < s->unit->convs - 1)
            x = builder_append(b, NODE_RELU, PART_RELU, x);
    }
    if (project)
        shortcut = builder_norm(b, PART_PROJECTION_NORM, projection(b, s, input, stride));
    return builder_append(b, NODE_RELU, PART_SUM_RELU, builder_add(b, PART_SUM, x, shortcut));
}

static int append_stage(struct builder *b, const struct spec *spec, int stage, int input)
{
    const struct form *form = spec->form;
    const struct stage s = {spec->unit, form->width[stage],
                            form->width[stage] * spec->unit->expansion};
    int blocks = spec->blocks[stage], strided = form->stride_last ? blocks - 1 : 0, x = input;
    builder_stage(b, stage);
    for (int i = 0; i < blocks; i++) {
        int stride = i == strided ? form->stride[stage] : 1;
        b->unit = i;
        x = form->post_activation ? post_activation_unit(b, &s, x, stride)
                                  : pre_activation_unit(b, &s, x, stride);
    }
    return x;
}

/* From the image to the first unit. */
static int append_stem(struct builder *b, int size)
{
    const struct form *form = b->form;
    int x = builder_image(b, size);
    if (form->data_norm)
        x = builder_norm(b, PART_DATA_NORM, x);
    x = builder_conv(b, PART_STEM, x, form->stem_channels,
                     builder_same(form->stem_kernel, form->stem_stride));
    b->net->nodes[x].bias = form->bias;
    if (form->stem_norm)
        x = builder_norm_relu(b, PART_STEM_NORM, PART_STEM_RELU, x);
    x = builder_pool(b, PART_STEM_POOL, x, builder_same(form->pool_kernel, form->pool_stride));
    b->net->nodes[x].zeros = form->pool_zeros;
    return x;
}

void residual_expand(struct builder *b, const struct spec *spec, int size)
{
    int x = append_stem(b, size);
    for (int stage = 0; stage < STAGES; stage++)
        x = append_stage(b, spec, stage, x);
    if (!spec->form->post_activation)
        x = builder_norm_relu(b, PART_FINAL_NORM, PART_FINAL_RELU, x);
    builder_head(b, x);
}
