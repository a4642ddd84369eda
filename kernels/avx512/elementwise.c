/*
 * Residual add and batch norm + ReLU as passes of their own, AVX-512. Bound by memory: 2 vectors a
 * step are enough to keep the loads ahead, and what is left of a vector is one masked step.
 */
#include "kernels/avx512/vec.h"
#include "kernels/table.h"

static inline __m512 bn_relu(__m512 x, __m512 scale, __m512 shift)
{
    return vec_relu(_mm512_fmadd_ps(x, scale, shift));
}

void add_x32__avx512(const float *a, const float *b, float *out, size_t count)
{
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        __m512 v0 = _mm512_add_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        __m512 v1 = _mm512_add_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
        _mm512_storeu_ps(out + i, v0);
        _mm512_storeu_ps(out + i + 16, v1);
    }
    for (; i < count; i += 16) {
        __mmask16 lanes = vec_first(count - i);
        __m512 v =
            _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, a + i), _mm512_maskz_loadu_ps(lanes, b + i));
        _mm512_mask_storeu_ps(out + i, lanes, v);
    }
}

void bn_relu_x16__avx512(const float *x, const float *scale, const float *shift, float *act,
                         size_t pixels)
{
    __m512 scale0 = _mm512_loadu_ps(scale), shift0 = _mm512_loadu_ps(shift);
    for (size_t i = 0; i < pixels * BLOCK; i += BLOCK)
        _mm512_storeu_ps(act + i, bn_relu(_mm512_loadu_ps(x + i), scale0, shift0));
}

void add_bn_relu_x16__avx512(const float *a, const float *b, const float *scale, const float *shift,
                             float *sum, float *act, size_t pixels)
{
    __m512 scale0 = _mm512_loadu_ps(scale), shift0 = _mm512_loadu_ps(shift);
    for (size_t i = 0; i < pixels * BLOCK; i += BLOCK) {
        __m512 v = _mm512_add_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        _mm512_storeu_ps(sum + i, v);
        _mm512_storeu_ps(act + i, bn_relu(v, scale0, shift0));
    }
}
