/*
 * Dense layer and softmax, NEON. The dense layer has one pixel, so it takes 64 outputs at a time:
 * 16 chains fill the FMA pipes (4 cycles x 4 pipes), and 4 panels stream from memory side by side.
 * The inputs come 4 at a time and are indexed by lane.
 */
#include "kernels/neon/vec.h"
#include "kernels/table.h"

#include <math.h>
#include <sleef.h>

#define EACH_1(M, with) M(0, with)
#define EACH_4(M, with) M(0, with) M(1, with) M(2, with) M(3, with)
#define START(i, bias)                                                                             \
    const float *w##i = weights + (size_t)i * inputs * BLOCK;                                      \
    vec acc##i##0 = vec_load(bias + i * BLOCK), acc##i##1 = vec_load(bias + i * BLOCK + 4),        \
        acc##i##2 = vec_load(bias + i * BLOCK + 8), acc##i##3 = vec_load(bias + i * BLOCK + 12);
#define MULTIPLY(i, lane)                                                                          \
    acc##i##0 = vfmaq_laneq_f32(acc##i##0, vec_load(w##i), x, lane);                               \
    acc##i##1 = vfmaq_laneq_f32(acc##i##1, vec_load(w##i + 4), x, lane);                           \
    acc##i##2 = vfmaq_laneq_f32(acc##i##2, vec_load(w##i + 8), x, lane);                           \
    acc##i##3 = vfmaq_laneq_f32(acc##i##3, vec_load(w##i + 12), x, lane);                          \
    w##i += BLOCK;
#define STORE(i, out)                                                                              \
    vec_store(out + i * BLOCK, acc##i##0);                                                         \
    vec_store(out + i * BLOCK + 4, acc##i##1);                                                     \
    vec_store(out + i * BLOCK + 8, acc##i##2);                                                     \
    vec_store(out + i * BLOCK + 12, acc##i##3);

#define DEFINE_PANELS(N)                                                                           \
    static void panels_##N(const float *in, const float *weights, const float *bias, float *out,   \
                           size_t inputs)                                                          \
    {                                                                                              \
        EACH_##N(START, bias);                                                                     \
        for (size_t c = 0; c < inputs; c += 4) {                                                   \
            vec x = vec_load(in + c);                                                              \
            EACH_##N(MULTIPLY, 0);                                                                 \
            EACH_##N(MULTIPLY, 1);                                                                 \
            EACH_##N(MULTIPLY, 2);                                                                 \
            EACH_##N(MULTIPLY, 3);                                                                 \
        }                                                                                          \
        EACH_##N(STORE, out);                                                                      \
    }

DEFINE_PANELS(1)
DEFINE_PANELS(4)

void fc_1x64__neon(const float *in, const float *weights, const float *bias, float *out,
                   size_t inputs, size_t blocks)
{
    size_t b = 0;
    for (; b + 4 <= blocks; b += 4)
        panels_4(in, weights + b * inputs * BLOCK, bias + b * BLOCK, out + b * BLOCK, inputs);
    for (; b < blocks; b++)
        panels_1(in, weights + b * inputs * BLOCK, bias + b * BLOCK, out + b * BLOCK, inputs);
}

void softmax_x4__neon(const float *x, float *out, size_t count)
{
    float most = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++)
        most = most > x[i] || isnan(most) ? most : x[i];
    for (size_t i = 0; i < count; i += 4) {
        float lane[4] = {0};
        size_t n = count - i < 4 ? count - i : 4;
        for (size_t k = 0; k < n; k++)
            lane[k] = x[i + k] - most;
        vec_store(lane, Sleef_finz_expf4_u10advsimd(vec_load(lane)));
        for (size_t k = 0; k < n; k++)
            out[i + k] = lane[k];
    }
    for (size_t i = 0; i < count; i++)
        sum += out[i];
    for (size_t i = 0; i < count; i++)
        out[i] /= sum;
}
