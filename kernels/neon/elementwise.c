/*
 * Residual add and batch norm + ReLU as passes of their own, NEON. Bound by memory: 4 vectors a
 * step are enough to keep the loads ahead.
 */
#include "kernels/neon/vec.h"
#include "kernels/table.h"

#define EACH_VEC(M) M(0) M(1) M(2) M(3)

#define ADD(i) vec v##i = vec_add(vec_load(a + k + i * VEC_WIDTH), vec_load(b + k + i * VEC_WIDTH));
#define STORE_OUT(i) vec_store(out + k + i * VEC_WIDTH, v##i);
#define STORE_SUM(i) vec_store(sum + k + i * VEC_WIDTH, v##i);
#define LOAD(i) vec v##i = vec_load(x + k + i * VEC_WIDTH);
#define NORM(i)                                                                                    \
    const vec scale##i = vec_load(scale + i * VEC_WIDTH),                                          \
              shift##i = vec_load(shift + i * VEC_WIDTH);
#define STORE_ACT(i)                                                                               \
    vec_store(act + k + i * VEC_WIDTH, vec_relu(vec_fma(v##i, scale##i, shift##i)));

void add_x16__neon(const float *a, const float *b, float *out, size_t count)
{
    size_t k = 0;
    for (; k + 16 <= count; k += 16) {
        EACH_VEC(ADD)
        EACH_VEC(STORE_OUT)
    }
    for (; k < count; k++)
        out[k] = a[k] + b[k];
}

void bn_relu_x16__neon(const float *x, const float *scale, const float *shift, float *act,
                       size_t pixels)
{
    EACH_VEC(NORM)
    for (size_t k = 0; k < pixels * BLOCK; k += BLOCK) {
        EACH_VEC(LOAD)
        EACH_VEC(STORE_ACT)
    }
}

void add_bn_relu_x16__neon(const float *a, const float *b, const float *scale, const float *shift,
                           float *sum, float *act, size_t pixels)
{
    EACH_VEC(NORM)
    for (size_t k = 0; k < pixels * BLOCK; k += BLOCK) {
        EACH_VEC(ADD)
        EACH_VEC(STORE_SUM)
        EACH_VEC(STORE_ACT)
    }
}
