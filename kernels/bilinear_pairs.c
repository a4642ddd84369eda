#include "kernels/bilinear_steps.h"

/*
 * Offsets in `t` of output pixels of a batch of out_h x out_w maps, which are counted by halves of
 * an image: pixel i of image n is i + n * half, or with `shift`, i + half. Row by row, since a
 * division a pixel would take longer than the transform.
 */
static void locate(const struct tensor *t, int stride, const struct tensor *out, int first,
                   int count, int shift, int32_t *at)
{
    const int pixels = out->height * out->width, half = (pixels + 1) / 2;
    const int32_t step = stride * t->pixel;
    int image = first / half, i = first % half;
    for (int done = 0; done < count; image++, i = 0) {
        const int32_t origin = (int32_t)((size_t)image * t->image_stride);
        for (int end = done + half - i; done < count && done < end;) {
            int pixel = i + shift, y = pixel / out->width, x = pixel % out->width;
            int32_t from = origin + (int32_t)((size_t)(y * stride) * t->row_stride);
            for (; x < out->width && done < count && done < end; x++, i++)
                at[done++] = i + shift < pixels ? from + x * step : NO_PIXEL;
        }
    }
}

/* A pixel without a partner is its own. */
static void fill_in(int count, int32_t (*at)[MAX_CHUNK_TILES])
{
    for (int i = 0; i < count; i++)
        at[1][i] = at[1][i] == NO_PIXEL ? at[0][i] : at[1][i];
}

static void locate_both(const struct tensor *t, int stride, const struct bilinear *b, int first,
                        int count, int32_t (*at)[MAX_CHUNK_TILES])
{
    const struct tensor *out = bilinear_output(b);
    if (!t->data)
        return;
    locate(t, stride, out, first, count, 0, at[0]);
    locate(t, stride, out, first, count, (out->height * out->width + 1) / 2, at[1]);
}

void pairs_locate(const struct bilinear *b, int first, struct chunk *chunk)
{
    locate_both(&b->in, b->stride, b, first, chunk->tiles, chunk->pairs.in);
    fill_in(chunk->tiles, chunk->pairs.in);
    locate_both(&b->residual, b->residual_stride, b, first, chunk->tiles, chunk->pairs.residual);
    locate_both(&b->sum, 1, b, first, chunk->tiles, chunk->pairs.sum);
    locate_both(&b->act, 1, b, first, chunk->tiles, chunk->pairs.act);
}

/* Floats from a block to its partner. */
static size_t half_stride(const struct tensor *t)
{
    return (size_t)(tensor_blocks(t) / 2) * t->block_stride;
}

static struct pairs_in pairs_read(const struct tensor *t, int block,
                                  const int32_t (*at)[MAX_CHUNK_TILES])
{
    return (struct pairs_in){
        t->data ? t->data + (size_t)block * t->block_stride : NULL, {at[0], at[1]}, half_stride(t)};
}

static struct pairs_out pairs_written(const struct tensor *t, int block,
                                      const int32_t (*at)[MAX_CHUNK_TILES])
{
    return (struct pairs_out){
        t->data ? t->data + (size_t)block * t->block_stride : NULL, {at[0], at[1]}, half_stride(t)};
}

void pairs_transform_input(const struct bilinear *b, const struct chunk *chunk, int group)
{
    const struct strassen_in_args args = {
        .in = pairs_read(&b->in, group, chunk->pairs.in),
        .pairs = chunk->tiles,
        .out = chunk->in + (size_t)group * (size_t)chunk->tiles * BLOCK,
        .position_stride = chunk->position_stride,
    };
    b->set->strassen_in.run(&args);
}

void pairs_transform_output(const struct bilinear *b, const struct chunk *chunk, int group,
                            const float *products, size_t position_stride)
{
    const size_t half = (size_t)(tensor_blocks(bilinear_output(b)) / 2) * BLOCK;
    const float *bias = b->bias + group * BLOCK;
    const float *scale = b->scale ? b->scale + group * BLOCK : NULL;
    const float *shift = b->scale ? b->shift + group * BLOCK : NULL;
    const struct strassen_out_args args = {
        .in = products,
        .position_stride = position_stride,
        .pairs = chunk->tiles,
        .bias = {bias, bias + half},
        .scale = {scale, scale ? scale + half : NULL},
        .shift = {shift, shift ? shift + half : NULL},
        .residual = pairs_read(&b->residual, group, chunk->pairs.residual),
        .sum = pairs_written(&b->sum, group, chunk->pairs.sum),
        .act = pairs_written(&b->act, group, chunk->pairs.act),
    };
    b->set->strassen_out.run(&args);
}
