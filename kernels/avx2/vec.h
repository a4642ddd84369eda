/* The vector type of the avx2 set: 8 floats. */
#ifndef RESMARK_KERNELS_AVX2_VEC_H
#define RESMARK_KERNELS_AVX2_VEC_H

#include <immintrin.h>

#define VEC_WIDTH 8

typedef __m256 vec;

static inline vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}

/* The first 8 lanes, if there are more. */
static inline void vec_store_8(float *p, vec v)
{
    vec_store(p, v);
}

static inline vec vec_set1(float x)
{
    return _mm256_set1_ps(x);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}

/* a * b + c, rounded once. */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

/* maxps returns its second operand for NaN and for two zeros: x < 0 ? 0 : x, exactly. */
static inline vec vec_relu(vec x)
{
    return _mm256_max_ps(_mm256_setzero_ps(), x);
}

#endif
