/* The vector type of the scalar set: one float. */
#ifndef RESMARK_KERNELS_SCALAR_VEC_H
#define RESMARK_KERNELS_SCALAR_VEC_H

#include <math.h>

#define VEC_WIDTH 1

typedef float vec;

static inline vec vec_load(const float *p)
{
    return *p;
}

static inline void vec_store(float *p, vec v)
{
    *p = v;
}

/* The first 8 lanes, if there are more. */
static inline void vec_store_8(float *p, vec v)
{
    vec_store(p, v);
}

static inline vec vec_set1(float x)
{
    return x;
}

static inline vec vec_add(vec a, vec b)
{
    return a + b;
}

static inline vec vec_sub(vec a, vec b)
{
    return a - b;
}

static inline vec vec_mul(vec a, vec b)
{
    return a * b;
}

/* a * b + c, rounded once. */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return fmaf(a, b, c);
}

/* x < 0 ? 0 : x */
static inline vec vec_relu(vec x)
{
    return x < 0 ? 0 : x;
}

#endif
