/* Max-pool and global average pool, AVX2: one block of 16 channels is two vectors. */
#include "kernels/table.h"

#include <immintrin.h>
#include <math.h>

/* The maximum of a window so far: its largest value, and all ones where there was a NaN. */
struct most {
    __m256 value, nan;
};

/* maxps gives x where either is NaN, and for two zeros: m > x ? m : x, but for a NaN in m. */
static inline void take(struct most *m, const float *at)
{
    __m256 x = _mm256_loadu_ps(at);
    m->value = _mm256_max_ps(m->value, x);
    m->nan = _mm256_or_ps(m->nan, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
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

/* One output pixel: the maximum of rows x columns input pixels from `in` on. */
static inline __attribute__((always_inline)) void pool(const struct max_pool_args *a, int x,
                                                       const float *in, int rows, int columns)
{
    struct most m0 = {_mm256_set1_ps(-INFINITY), _mm256_setzero_ps()}, m1 = m0;
    for (int iy = 0; iy < rows; iy++, in += a->row_stride) {
        for (int ix = 0; ix < columns; ix++) {
            take(&m0, in + ix * BLOCK);
            take(&m1, in + ix * BLOCK + 8);
        }
    }
    finish(a, x, 0, _mm256_or_ps(m0.value, m0.nan));
    finish(a, x, 8, _mm256_or_ps(m1.value, m1.nan));
}

/*
 * Fetches what the next row's pixel reads and this row's does not, from `below` on: the stem's
 * output overflows the L2 cache, and its rows are too short for the prefetcher of a CPU.
 */
static inline void fetch_below(const struct max_pool_args *a, const float *below)
{
    for (int iy = 0; iy < a->stride; iy++, below += a->row_stride) {
        for (int ix = 0; ix < a->stride; ix++)
            __builtin_prefetch(below + ix * BLOCK);
    }
}

void max_pool_x16__avx2(const struct max_pool_args *a)
{
    int top = a->row * a->stride - a->pad;
    int y0 = top < 0 ? 0 : top;
    int y1 = top + a->kernel < a->height ? top + a->kernel : a->height;
    const float *rows = a->in + (size_t)y0 * a->row_stride;
    const bool more = y1 + a->stride <= a->height;
    for (int x = 0; x < a->out_width; x++) {
        int left = x * a->stride - a->pad;
        int x0 = left < 0 ? 0 : left;
        int x1 = left + a->kernel < a->width ? left + a->kernel : a->width;
        if (more)
            fetch_below(a, rows + (ptrdiff_t)(y1 - y0) * (ptrdiff_t)a->row_stride + x0 * BLOCK);
        if (y1 - y0 == 3 && x1 - x0 == 3)
            pool(a, x, rows + x0 * BLOCK, 3, 3);
        else
            pool(a, x, rows + x0 * BLOCK, y1 - y0, x1 - x0);
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
