/*
 * Residual add and batch norm + ReLU as passes of their own, AVX2. Bound by memory: 2 vectors a
 * step are enough to keep the loads ahead.
 */
#include "kernels/table.h"

#include <immintrin.h>

static inline __m256 bn_relu(__m256 x, __m256 scale, __m256 shift)
{
    return _mm256_max_ps(_mm256_setzero_ps(), _mm256_fmadd_ps(x, scale, shift));
}

void add_x32__avx2(const float *a, const float *b, float *out, size_t count)
{
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        __m256 v0 = _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        __m256 v1 = _mm256_add_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
        __m256 v2 = _mm256_add_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16));
        __m256 v3 = _mm256_add_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24));
        _mm256_storeu_ps(out + i, v0);
        _mm256_storeu_ps(out + i + 8, v1);
        _mm256_storeu_ps(out + i + 16, v2);
        _mm256_storeu_ps(out + i + 24, v3);
    }
    for (; i < count; i++)
        out[i] = a[i] + b[i];
}

void bn_relu_x16__avx2(const float *x, const float *scale, const float *shift, float *act,
                       size_t pixels)
{
    __m256 scale0 = _mm256_loadu_ps(scale), scale1 = _mm256_loadu_ps(scale + 8);
    __m256 shift0 = _mm256_loadu_ps(shift), shift1 = _mm256_loadu_ps(shift + 8);
    for (size_t i = 0; i < pixels * BLOCK; i += BLOCK) {
        __m256 v0 = _mm256_loadu_ps(x + i), v1 = _mm256_loadu_ps(x + i + 8);
        _mm256_storeu_ps(act + i, bn_relu(v0, scale0, shift0));
        _mm256_storeu_ps(act + i + 8, bn_relu(v1, scale1, shift1));
    }
}

void add_bn_relu_x16__avx2(const float *a, const float *b, const float *scale, const float *shift,
                           float *sum, float *act, size_t pixels)
{
    __m256 scale0 = _mm256_loadu_ps(scale), scale1 = _mm256_loadu_ps(scale + 8);
    __m256 shift0 = _mm256_loadu_ps(shift), shift1 = _mm256_loadu_ps(shift + 8);
    for (size_t i = 0; i < pixels * BLOCK; i += BLOCK) {
        __m256 v0 = _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        __m256 v1 = _mm256_add_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
        _mm256_storeu_ps(sum + i, v0);
        _mm256_storeu_ps(sum + i + 8, v1);
        _mm256_storeu_ps(act + i, bn_relu(v0, scale0, shift0));
        _mm256_storeu_ps(act + i + 8, bn_relu(v1, scale1, shift1));
    }
}
