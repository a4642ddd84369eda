/* Max-pool and global average pool, NEON: one block of 16 channels is four vectors. */
#include "kernels/neon/vec.h"
#include "kernels/table.h"

#include <math.h>

#define EACH_VEC(M) M(0) M(1) M(2) M(3)

static inline vec max_keep_nan(vec m, vec x)
{
    /* m is kept if it is greater, or NaN; fmax would order the zeros. */
    uint32x4_t keep = vornq_u32(vcgtq_f32(m, x), vceqq_f32(m, m));
    return vbslq_f32(keep, m, x);
}

static inline void finish(const struct max_pool_args *a, int x, int lane, vec m)
{
    int at = x * BLOCK + lane;
    if (a->sum)
        vec_store(a->sum + at, m);
    if (a->scale)
        m = vec_fma(m, vec_load(a->scale + lane), vec_load(a->shift + lane));
    if (a->act)
        vec_store(a->act + at, vec_relu(m));
}

#define LOWEST(i) vec m##i = vec_set1(-INFINITY);
#define MAXIMUM(i) m##i = max_keep_nan(m##i, vec_load(in + ix * BLOCK + i * VEC_WIDTH));
#define FINISH(i) finish(a, x, i *VEC_WIDTH, m##i);

void max_pool_x16__neon(const struct max_pool_args *a)
{
    int top = a->row * a->stride - a->pad;
    int y0 = top < 0 ? 0 : top;
    int y1 = top + a->kernel < a->height ? top + a->kernel : a->height;
    for (int x = 0; x < a->out_width; x++) {
        int left = x * a->stride - a->pad;
        int x0 = left < 0 ? 0 : left;
        int x1 = left + a->kernel < a->width ? left + a->kernel : a->width;
        EACH_VEC(LOWEST)
        for (int iy = y0; iy < y1; iy++) {
            const float *in = a->in + (size_t)iy * a->row_stride;
            for (int ix = x0; ix < x1; ix++) {
                EACH_VEC(MAXIMUM)
            }
        }
        EACH_VEC(FINISH)
    }
}

#define ZERO(i) vec sum##i = vec_set1(0);
#define ADD(i) sum##i = vec_add(sum##i, vec_load(in + p * BLOCK + i * VEC_WIDTH));
#define DIVIDE(i) vec_store(out + i * VEC_WIDTH, vdivq_f32(sum##i, count));

void avg_pool_x16__neon(const float *in, size_t pixels, float *out)
{
    const vec count = vec_set1((float)pixels);
    EACH_VEC(ZERO)
    for (size_t p = 0; p < pixels; p++) {
        EACH_VEC(ADD)
    }
    EACH_VEC(DIVIDE)
}
