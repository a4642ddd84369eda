#include "harness/input.h"

#include "harness/preprocess.h"

#include <string.h>

bool input_read(struct image *picture, const char *path, struct error *e)
{
    return path ? image_read(picture, path, e)
                : image_builtin(picture) || error_set(e, "no memory for the built-in picture");
}

bool input_fill(const struct model *model, const struct layout *layout, const struct image *picture,
                bool builtin, struct error *e)
{
    struct pixel_table table;
    struct channel_affine norm;
    memcpy(norm.scale, model->weights.image_scale, sizeof norm.scale);
    memcpy(norm.shift, model->weights.image_shift, sizeof norm.shift);
    pixel_table_init(&table, model->net.pixels, &norm);
    const struct tensor *t = model_image(model, layout);
    for (int i = 0; i < layout->batch; i++) {
        float *out = t->data + (size_t)i * t->image_stride;
        if (builtin && picture->width == t->width && picture->height == t->height)
            preprocess_pixels(picture, &table, out, t->row_stride);
        else if (!preprocess(picture, t->width, &table, out, t->row_stride, e))
            return false;
    }
    return true;
}
