/*
 * Max-pool and global average pool, AVX-512: one block of 16 channels is one vector. The windows of
 * neighbouring output pixels are independent chains, which the core overlaps by itself.
 */
#include "kernels/avx512/vec.h"
#include "kernels/table.h"

#include <math.h>

static inline __m512 max_keep_nan(__m512 m, __m512 x)
{
    /* maxps gives x where either is NaN; a NaN that m already holds must stay. */
    return _mm512_mask_mov_ps(_mm512_max_ps(m, x), _mm512_cmp_ps_mask(m, m, _CMP_UNORD_Q), m);
}

static inline void finish(const struct max_pool_args *a, int x, __m512 m)
{
    if (a->sum)
        _mm512_storeu_ps(a->sum + x * BLOCK, m);
    if (a->scale)
        m = _mm512_fmadd_ps(m, _mm512_loadu_ps(a->scale), _mm512_loadu_ps(a->shift));
    if (a->act)
        _mm512_storeu_ps(a->act + x * BLOCK, vec_relu(m));
}

void max_pool_x16__avx512(const struct max_pool_args *a)
{
    int top = a->row * a->stride - a->pad;
    int y0 = top < 0 ? 0 : top;
    int y1 = top + a->kernel < a->height ? top + a->kernel : a->height;
    for (int x = 0; x < a->out_width; x++) {
        int left = x * a->stride - a->pad;
        int x0 = left < 0 ? 0 : left;
        int x1 = left + a->kernel < a->width ? left + a->kernel : a->width;
        __m512 m = _mm512_set1_ps(-INFINITY);
        for (int iy = y0; iy < y1; iy++) {
            const float *in = a->in + (size_t)iy * a->row_stride;
            for (int ix = x0; ix < x1; ix++)
                m = max_keep_nan(m, _mm512_loadu_ps(in + ix * BLOCK));
        }
        finish(a, x, m);
    }
}

void avg_pool_x16__avx512(const float *in, size_t pixels, float *out)
{
    __m512 sum = _mm512_setzero_ps();
    for (size_t i = 0; i < pixels; i++)
        sum = _mm512_add_ps(sum, _mm512_loadu_ps(in + i * BLOCK));
    _mm512_storeu_ps(out, _mm512_div_ps(sum, _mm512_set1_ps((float)pixels)));
}
