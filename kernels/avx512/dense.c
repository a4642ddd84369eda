/*
 * Dense layer and softmax, AVX-512. The dense layer has one pixel, so it takes 128 outputs at a
 * time: 8 chains fill the FMA pipes (4 cycles x 2 pipes), and 8 panels stream from memory side by
 * side. What is left of a softmax's last vector is masked.
 */
#include "kernels/avx512/vec.h"
#include "kernels/table.h"

#include <math.h>
#include <sleef.h>

#define EACH_1(M) M(0)
#define EACH_4(M) M(0) M(1) M(2) M(3)
#define EACH_8(M) EACH_4(M) M(4) M(5) M(6) M(7)
#define START(i)                                                                                   \
    const float *w##i = weights + (size_t)i * inputs * BLOCK;                                      \
    __m512 acc##i = _mm512_loadu_ps(bias + i * BLOCK);
#define MULTIPLY(i) acc##i = _mm512_fmadd_ps(x, _mm512_loadu_ps(w##i + c * BLOCK), acc##i);
#define STORE(i) _mm512_storeu_ps(out + i * BLOCK, acc##i);

#define DEFINE_PANELS(N)                                                                           \
    static void panels_##N(const float *in, const float *weights, const float *bias, float *out,   \
                           size_t inputs)                                                          \
    {                                                                                              \
        EACH_##N(START);                                                                           \
        for (size_t c = 0; c < inputs; c++) {                                                      \
            __m512 x = _mm512_set1_ps(in[c]);                                                      \
            EACH_##N(MULTIPLY);                                                                    \
        }                                                                                          \
        EACH_##N(STORE);                                                                           \
    }

DEFINE_PANELS(1)
DEFINE_PANELS(4)
DEFINE_PANELS(8)

void fc_1x128__avx512(const float *in, const float *weights, const float *bias, float *out,
                      size_t inputs, size_t blocks)
{
    size_t b = 0;
    for (; b + 8 <= blocks; b += 8)
        panels_8(in, weights + b * inputs * BLOCK, bias + b * BLOCK, out + b * BLOCK, inputs);
    for (; b + 4 <= blocks; b += 4)
        panels_4(in, weights + b * inputs * BLOCK, bias + b * BLOCK, out + b * BLOCK, inputs);
    for (; b < blocks; b++)
        panels_1(in, weights + b * inputs * BLOCK, bias + b * BLOCK, out + b * BLOCK, inputs);
}

void softmax_x16__avx512(const float *x, float *out, size_t count)
{
    float most = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++)
        most = most > x[i] || isnan(most) ? most : x[i];
    for (size_t i = 0; i < count; i += 16) {
        __mmask16 lanes = vec_first(count - i);
        __m512 v = _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, x + i), _mm512_set1_ps(most));
        _mm512_mask_storeu_ps(out + i, lanes, Sleef_finz_expf16_u10avx512f(v));
    }
    for (size_t i = 0; i < count; i++)
        sum += out[i];
    for (size_t i = 0; i < count; i += 16) {
        __mmask16 lanes = vec_first(count - i);
        __m512 v = _mm512_div_ps(_mm512_maskz_loadu_ps(lanes, out + i), _mm512_set1_ps(sum));
        _mm512_mask_storeu_ps(out + i, lanes, v);
    }
}
