/* The vector type of the avx512 set: 16 floats. */
#ifndef RESMARK_KERNELS_AVX512_VEC_H
#define RESMARK_KERNELS_AVX512_VEC_H

#include <immintrin.h>
#include <stddef.h>

#define VEC_WIDTH 16

typedef __m512 vec;

static inline vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}

/* The first 8 lanes. */
static inline void vec_store_8(float *p, vec v)
{
    _mm256_storeu_ps(p, _mm512_castps512_ps256(v));
}

static inline vec vec_set1(float x)
{
    return _mm512_set1_ps(x);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}

/* a * b + c, rounded once. */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* The first `left` lanes; all of them if there are fewer than that. */
static inline __mmask16 vec_first(size_t left)
{
    return (__mmask16)(left < 16 ? (1U << left) - 1 : 0xffff);
}

/* maxps returns its second operand for NaN and for two zeros: x < 0 ? 0 : x, exactly. */
static inline vec vec_relu(vec x)
{
    return _mm512_max_ps(_mm512_setzero_ps(), x);
}

#endif
