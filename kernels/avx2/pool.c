/* Max-pool and global average pool, AVX2: one block of 16 channels is two vectors. */
#include "kernels/table.h"

#include <immintrin.h>
#include <math.h>

static inline __m256 max_keep_nan(__m256 m, __m256 x)
{
    /* maxps gives x where either is NaN; a NaN that m already holds must stay. */
    return _mm256_blendv_ps(_mm256_max_ps(m, x), m, _mm256_cmp_ps(m, m, _CMP_UNORD_Q));
}

static inline void finish(const struct max_pool_args *a, int x, int half, __m256 m)
{
    int at = x * BLOCK + half;
    if (a->sum)
        _mm256_storeu_ps(a->sum + at, m);
    if (a->scale)
        m = _mm256_fmadd_ps(m, _mm256_loadu_ps(a->scale + half), _mm256_loadu_ps(a->shift + half));
    if (a->act)
        _mm256_storeu_ps(a->act + at, _mm256_max_ps(_mm256_setzero_ps(), m));
}

void max_pool_x16__avx2(const struct max_pool_args *a)
{
    int top = a->row * a->stride - a->pad;
    int y0 = top < 0 ? 0 : top;
    int y1 = top + a->kernel < a->height ? top + a->kernel : a->height;
    for (int x = 0; x < a->out_width; x++) {
        int left = x * a->stride - a->pad;
        int x0 = left < 0 ? 0 : left;
        int x1 = left + a->kernel < a->width ? left + a->kernel : a->width;
        __m256 m0 = _mm256_set1_ps(-INFINITY), m1 = m0;
        for (int iy = y0; iy < y1; iy++) {
            const float *in = a->in + (size_t)iy * a->row_stride;
            for (int ix = x0; ix < x1; ix++) {
                m0 = max_keep_nan(m0, _mm256_loadu_ps(in + ix * BLOCK));
                m1 = max_keep_nan(m1, _mm256_loadu_ps(in + ix * BLOCK + 8));
            }
        }
        finish(a, x, 0, m0);
        finish(a, x, 8, m1);
    }
}

void avg_pool_x16__avx2(const float *in, size_t pixels, float *out)
{
    __m256 sum0 = _mm256_setzero_ps(), sum1 = sum0, count = _mm256_set1_ps((float)pixels);
    for (size_t i = 0; i < pixels * BLOCK; i += BLOCK) {
        sum0 = _mm256_add_ps(sum0, _mm256_loadu_ps(in + i));
        sum1 = _mm256_add_ps(sum1, _mm256_loadu_ps(in + i + 8));
    }
    _mm256_storeu_ps(out, _mm256_div_ps(sum0, count));
    _mm256_storeu_ps(out + 8, _mm256_div_ps(sum1, count));
}
