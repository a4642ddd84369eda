/* The vector type of the neon set: 4 floats. */
#ifndef RESMARK_KERNELS_NEON_VEC_H
#define RESMARK_KERNELS_NEON_VEC_H

#include <arm_neon.h>

#define VEC_WIDTH 4

typedef float32x4_t vec;

static inline vec vec_load(const float *p)
{
    return vld1q_f32(p);
}

static inline void vec_store(float *p, vec v)
{
    vst1q_f32(p, v);
}

/* The first 8 lanes, if there are more. */
static inline void vec_store_8(float *p, vec v)
{
    vec_store(p, v);
}

static inline vec vec_set1(float x)
{
    return vdupq_n_f32(x);
}

static inline vec vec_add(vec a, vec b)
{
    return vaddq_f32(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return vsubq_f32(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return vmulq_f32(a, b);
}

/* a * b + c, rounded once. */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, a, b);
}

/* x < 0 ? 0 : x; fmax would turn -0 into 0. */
static inline vec vec_relu(vec x)
{
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(x), vcltzq_f32(x)));
}

#endif
