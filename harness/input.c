#include "harness/input.h"

#include <string.h>

bool input_read(struct image *picture, const char *path, struct error *e)
{
    return path ? image_read(picture, path, e)
                : image_builtin(picture) || error_set(e, "no memory for the built-in picture");
}

static bool fill(const struct image *picture, bool builtin, const struct pixel_table *table,
                 int size, float *out, size_t row_stride, struct error *e)
{
    if (!builtin || picture->width != size || picture->height != size)
        return preprocess(picture, size, table, out, row_stride, e);
    preprocess_pixels(picture, table, out, row_stride);
    return true;
}

void input_table(const struct model *model, struct pixel_table *table)
{
    struct channel_affine norm;
    memcpy(norm.scale, model->weights.image_scale, sizeof norm.scale);
    memcpy(norm.shift, model->weights.image_shift, sizeof norm.shift);
    pixel_table_init(table, model->net.pixels, &norm);
}

bool input_fill(const struct model *model, const struct layout *layout, const struct image *picture,
                bool builtin, struct error *e)
{
    struct pixel_table table;
    input_table(model, &table);
    const struct tensor *t = model_image(model, layout);
    for (int i = 0; i < layout->batch; i++) {
        float *out = t->data + (size_t)i * t->image_stride;
        if (!fill(picture, builtin, &table, t->width, out, t->row_stride, e))
            return false;
    }
    return true;
}

bool input_plain(const struct network *net, const struct image *picture, bool builtin, float *out,
                 struct error *e)
{
    struct pixel_table table;
    int size = net->nodes[0].shape.width;
    pixel_table_init(&table, net->pixels, NULL);
    return fill(picture, builtin, &table, size, out, (size_t)size * 3, e);
}
