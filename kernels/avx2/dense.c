/*
 * Dense layer and softmax, AVX2. The dense layer has one pixel, so it takes 64 outputs at a time:
 * 8 chains fill the FMA pipes, and 4 panels stream from memory side by side.
 */
#include "kernels/table.h"

#include <immintrin.h>
#include <math.h>
#include <sleef.h>

#define EACH_1(M) M(0)
#define EACH_4(M) M(0) M(1) M(2) M(3)
#define START(i)                                                                                   \
    const float *w##i = weights + (size_t)i * inputs * BLOCK;                                      \
    __m256 acc##i##l = _mm256_loadu_ps(bias + i * BLOCK);                                          \
    __m256 acc##i##h = _mm256_loadu_ps(bias + i * BLOCK + 8);
#define MULTIPLY(i)                                                                                \
    acc##i##l = _mm256_fmadd_ps(x, _mm256_loadu_ps(w##i + c * BLOCK), acc##i##l);                  \
    acc##i##h = _mm256_fmadd_ps(x, _mm256_loadu_ps(w##i + c * BLOCK + 8), acc##i##h);
#define STORE(i)                                                                                   \
    _mm256_storeu_ps(out + i * BLOCK, acc##i##l);                                                  \
    _mm256_storeu_ps(out + i * BLOCK + 8, acc##i##h);

#define DEFINE_PANELS(N)                                                                           \
    static void panels_##N(const float *in, const float *weights, const float *bias, float *out,   \
                           size_t inputs)                                                          \
    {                                                                                              \
        EACH_##N(START);                                                                           \
        for (size_t c = 0; c < inputs; c++) {                                                      \
            __m256 x = _mm256_broadcast_ss(in + c);                                                \
            EACH_##N(MULTIPLY);                                                                    \
        }                                                                                          \
        EACH_##N(STORE);                                                                           \
    }

DEFINE_PANELS(1)
DEFINE_PANELS(4)

void fc_1x64__avx2(const float *in, const float *weights, const float *bias, float *out,
                   size_t inputs, size_t blocks)
{
    size_t b = 0;
    for (; b + 4 <= blocks; b += 4)
        panels_4(in, weights + b * inputs * BLOCK, bias + b * BLOCK, out + b * BLOCK, inputs);
    for (; b < blocks; b++)
        panels_1(in, weights + b * inputs * BLOCK, bias + b * BLOCK, out + b * BLOCK, inputs);
}

void softmax_x8__avx2(const float *x, float *out, size_t count)
{
    float most = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++)
        most = most > x[i] || isnan(most) ? most : x[i];
    for (size_t i = 0; i < count; i += 8) {
        float lane[8] = {0};
        size_t n = count - i < 8 ? count - i : 8;
        for (size_t k = 0; k < n; k++)
            lane[k] = x[i + k] - most;
        _mm256_storeu_ps(lane, Sleef_finz_expf8_u10avx2(_mm256_loadu_ps(lane)));
        for (size_t k = 0; k < n; k++)
            out[i + k] = lane[k];
    }
    for (size_t i = 0; i < count; i++)
        sum += out[i];
    for (size_t i = 0; i < count; i++)
        out[i] /= sum;
}
