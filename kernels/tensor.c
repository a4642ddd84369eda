#include "kernels/tensor.h"

static struct tensor describe(int channels, int height, int width, int border, int pixel,
                              int planes)
{
    struct tensor t = {.channels = channels, .height = height, .width = width, .border = border};
    t.pixel = pixel;
    t.row_stride = (size_t)(width + 2 * border) * (size_t)pixel;
    t.block_stride = t.row_stride * (size_t)(height + 2 * border);
    t.image_stride = t.block_stride * (size_t)planes;
    return t;
}

struct tensor tensor_blocked(int channels, int height, int width, int border)
{
    return describe(channels, height, width, border, BLOCK, (channels + BLOCK - 1) / BLOCK);
}

struct tensor tensor_image(int height, int width, int border)
{
    return describe(3, height, width, border, 3, 1);
}

size_t tensor_floats(const struct tensor *t, int batch)
{
    return t->image_stride * (size_t)batch;
}

void tensor_place(struct tensor *t, float *memory)
{
    t->data = memory + (size_t)t->border * (t->row_stride + (size_t)t->pixel);
}
