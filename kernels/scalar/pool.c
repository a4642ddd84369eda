/* Max-pool and global average pool, scalar. */
#include "kernels/table.h"

#include <math.h>

static float window_max(const struct max_pool_args *a, int column, int channel)
{
    float m = -INFINITY;
    for (int ky = 0; ky < a->kernel; ky++) {
        for (int kx = 0; kx < a->kernel; kx++) {
            int y = a->row * a->stride - a->pad + ky, x = column * a->stride - a->pad + kx;
            if (y < 0 || y >= a->height || x < 0 || x >= a->width)
                continue;
            float v = a->in[(size_t)y * a->row_stride + (size_t)x * BLOCK + channel];
            m = m > v || isnan(m) ? m : v;
        }
    }
    return m;
}

void max_pool_x1__scalar(const struct max_pool_args *a)
{
    for (int x = 0; x < a->out_width; x++) {
        for (int o = 0; o < BLOCK; o++) {
            float m = window_max(a, x, o);
            if (a->sum)
                a->sum[x * BLOCK + o] = m;
            if (a->scale)
                m = fmaf(m, a->scale[o], a->shift[o]);
            if (a->act)
                a->act[x * BLOCK + o] = m < 0 ? 0 : m;
        }
    }
}

void avg_pool_x1__scalar(const float *in, size_t pixels, float *out)
{
    for (int o = 0; o < BLOCK; o++) {
        float sum = 0;
        for (size_t p = 0; p < pixels; p++)
            sum += in[p * BLOCK + o];
        out[o] = sum / (float)pixels;
    }
}
