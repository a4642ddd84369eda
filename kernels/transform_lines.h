/*
 * The transforms of a line of a patch, of all ISAs: one written sequence of operations,
 * instantiated for the vector type of whoever includes this (vec, vec_load, …, VEC_WIDTH lanes), so
 * that no ISA can order them differently. Matrices: F(2x2,3x3) with the points 0, 1, -1, inf (Lavin
 * and Gray, arXiv:1509.09308); F(4x4,3x3) with 0, +-sqrt(2)/2, +-sqrt(2), inf, which halve the
 * error of the integer points (Alam et al., arXiv:2201.10369); F(6x6,3x3) with 0, +-1, +-2, +-1/2,
 * inf (Lavin's wincnn); the polyphase form of 3 taps with F(2,2) of the points 0, 1, inf, and that
 * of 7 taps with F(4,4) of the points 0, +-1, +-2, -1/2, inf.
 */
#ifndef RESMARK_KERNELS_TRANSFORM_LINES_H
#define RESMARK_KERNELS_TRANSFORM_LINES_H

#include "kernels/kernels.h"

#define ROOT_HALF 0.707106781186547524f /* sqrt(2) / 2 */

/* b = B^T d, F(2,3). */
static inline __attribute__((always_inline)) void winograd_input_2(const vec *d, vec *b)
{
    b[0] = vec_sub(d[0], d[2]);
    b[1] = vec_add(d[1], d[2]);
    b[2] = vec_sub(d[2], d[1]);
    b[3] = vec_sub(d[3], d[1]);
}

/* y = A^T m, F(2,3). */
static inline __attribute__((always_inline)) void winograd_output_2(const vec *m, vec *y)
{
    y[0] = vec_add(vec_add(m[0], m[1]), m[2]);
    y[1] = vec_add(vec_sub(m[1], m[2]), m[3]);
}

/* b = B^T d, F(4,3): 12 operations, since the rows of +p and -p share their even and odd parts. */
static inline __attribute__((always_inline)) void winograd_input_4(const vec *d, vec *b)
{
    const vec root = vec_set1(ROOT_HALF), minus_root = vec_set1(-ROOT_HALF);
    const vec two = vec_set1(2), minus_two = vec_set1(-2), minus_half = vec_set1(-0.5f);
    const vec minus_five_halves = vec_set1(-2.5f);
    vec even1 = vec_fma(minus_two, d[2], d[4]), odd1 = vec_fma(minus_two, d[1], d[3]);
    vec even2 = vec_fma(minus_half, d[2], d[4]), odd2 = vec_sub(vec_mul(two, d[3]), d[1]);
    b[0] = vec_fma(minus_five_halves, d[2], vec_add(d[0], d[4]));
    b[1] = vec_fma(root, odd1, even1);
    b[2] = vec_fma(minus_root, odd1, even1);
    b[3] = vec_fma(root, odd2, even2);
    b[4] = vec_fma(minus_root, odd2, even2);
    b[5] = vec_fma(minus_five_halves, d[3], vec_add(d[1], d[5]));
}

/* y = A^T m, F(4,3). */
static inline __attribute__((always_inline)) void winograd_output_4(const vec *m, vec *y)
{
    const vec half = vec_set1(0.5f), two = vec_set1(2);
    const vec root = vec_set1(2 * ROOT_HALF), half_root = vec_set1(ROOT_HALF);
    const vec quarter_root = vec_set1(0.5f * ROOT_HALF), two_roots = vec_set1(4 * ROOT_HALF);
    vec even1 = vec_add(m[1], m[2]), odd1 = vec_sub(m[1], m[2]);
    vec even2 = vec_add(m[3], m[4]), odd2 = vec_sub(m[3], m[4]);
    y[0] = vec_add(vec_add(m[0], even1), even2);
    y[1] = vec_fma(root, odd2, vec_mul(half_root, odd1));
    y[2] = vec_fma(two, even2, vec_mul(half, even1));
    y[3] = vec_fma(two_roots, odd2, vec_fma(quarter_root, odd1, m[5]));
}

/* A row of F(6,3) for the points +-p: the even and the odd part, of x^4 - sum x^2 + product. */
static inline __attribute__((always_inline)) vec quartic(vec low, vec middle, vec high,
                                                         const float product, const float sum)
{
    return vec_fma(vec_set1(product), low, vec_fma(vec_set1(-sum), middle, high));
}

/* b = B^T d, F(6,3). */
static inline __attribute__((always_inline)) void winograd_input_6(const vec *d, vec *b)
{
    const vec sum = vec_set1(5.25f), two = vec_set1(2), half = vec_set1(0.5f);
    const vec minus_two = vec_set1(-2), minus_half = vec_set1(-0.5f);
    vec even1 = vec_fma(vec_set1(-4.25f), d[4], vec_add(d[2], d[6]));
    vec odd1 = vec_fma(vec_set1(-4.25f), d[3], vec_add(d[1], d[5]));
    vec even2 = quartic(d[2], d[4], d[6], 0.25f, 1.25f);
    vec odd2 = quartic(d[1], d[3], d[5], 0.25f, 1.25f);
    vec even3 = quartic(d[2], d[4], d[6], 4, 5), odd3 = quartic(d[1], d[3], d[5], 4, 5);
    b[0] = vec_fma(sum, vec_sub(d[4], d[2]), vec_sub(d[0], d[6]));
    b[1] = vec_add(even1, odd1);
    b[2] = vec_sub(even1, odd1);
    b[3] = vec_fma(two, odd2, even2);
    b[4] = vec_fma(minus_two, odd2, even2);
    b[5] = vec_fma(half, odd3, even3);
    b[6] = vec_fma(minus_half, odd3, even3);
    b[7] = vec_fma(sum, vec_sub(d[3], d[5]), vec_sub(d[7], d[1]));
}

/* y = A^T m, F(6,3). */
static inline __attribute__((always_inline)) void winograd_output_6(const vec *m, vec *y)
{
    vec even1 = vec_add(m[1], m[2]), odd1 = vec_sub(m[1], m[2]);
    vec even2 = vec_add(m[3], m[4]), odd2 = vec_sub(m[3], m[4]);
    vec even3 = vec_add(m[5], m[6]), odd3 = vec_sub(m[5], m[6]);
    y[0] = vec_add(vec_add(m[0], even1), vec_add(even2, even3));
    y[1] = vec_fma(vec_set1(0.5f), odd3, vec_fma(vec_set1(2), odd2, odd1));
    y[2] = vec_fma(vec_set1(0.25f), even3, vec_fma(vec_set1(4), even2, even1));
    y[3] = vec_fma(vec_set1(0.125f), odd3, vec_fma(vec_set1(8), odd2, odd1));
    y[4] = vec_fma(vec_set1(0.0625f), even3, vec_fma(vec_set1(16), even2, even1));
    y[5] = vec_fma(vec_set1(0.03125f), odd3, vec_fma(vec_set1(32), odd2, vec_add(odd1, m[7])));
}

/*
 * A tile of F(m,3) that the map's edge cuts down to k outputs is computed as one of F(k,3) with
 * some of the points: the filters at these are F(m,3)'s times a number for each pair +-p, by which
 * the output transform multiplies. 2 outputs take 4 products, 4 take 6.
 */

/* b = B^T d, F(2,3) with 0, +-sqrt(2)/2, inf of F(4,3)'s points. */
static inline __attribute__((always_inline)) void winograd_input_4_of_2(const vec *d, vec *b)
{
    const vec root = vec_set1(ROOT_HALF), minus_root = vec_set1(-ROOT_HALF);
    b[0] = vec_fma(vec_set1(-2), d[2], d[0]);
    b[1] = vec_fma(root, d[1], d[2]);
    b[2] = vec_fma(minus_root, d[1], d[2]);
    b[3] = vec_fma(vec_set1(-0.5f), d[1], d[3]);
}

/* y = A^T m. */
static inline __attribute__((always_inline)) void winograd_output_4_of_2(const vec *m, vec *y)
{
    y[0] = vec_fma(vec_set1(-1.5f), vec_add(m[1], m[2]), m[0]);
    y[1] = vec_fma(vec_set1(-1.5f * ROOT_HALF), vec_sub(m[1], m[2]), m[3]);
}

/* y = A^T m, F(2,3) with 0, +-1, inf of F(6,3)'s points: the input is that of F(2,3) itself. */
static inline __attribute__((always_inline)) void winograd_output_6_of_2(const vec *m, vec *y)
{
    y[0] = vec_fma(vec_set1(-2.25f), vec_add(m[1], m[2]), m[0]);
    y[1] = vec_fma(vec_set1(-2.25f), vec_sub(m[1], m[2]), m[3]);
}

/* b = B^T d, F(4,3) with 0, +-1, +-2, inf of F(6,3)'s points. */
static inline __attribute__((always_inline)) void winograd_input_6_of_4(const vec *d, vec *b)
{
    vec even1 = vec_fma(vec_set1(-4), d[2], d[4]), odd1 = vec_fma(vec_set1(-4), d[1], d[3]);
    vec even2 = vec_sub(d[4], d[2]), odd2 = vec_sub(d[3], d[1]);
    b[0] = vec_fma(vec_set1(-1.25f), d[2], vec_fma(vec_set1(0.25f), d[4], d[0]));
    b[1] = vec_add(even1, odd1);
    b[2] = vec_sub(even1, odd1);
    b[3] = vec_fma(vec_set1(2), odd2, even2);
    b[4] = vec_fma(vec_set1(-2), odd2, even2);
    b[5] = vec_fma(vec_set1(-5), d[3], vec_fma(vec_set1(4), d[1], d[5]));
}

/* y = A^T m. */
static inline __attribute__((always_inline)) void winograd_output_6_of_4(const vec *m, vec *y)
{
    const vec first = vec_set1(0.75f);
    vec even1 = vec_add(m[1], m[2]), odd1 = vec_sub(m[1], m[2]);
    vec even2 = vec_add(m[3], m[4]), odd2 = vec_sub(m[3], m[4]);
    y[0] = vec_fma(first, even1, vec_fma(vec_set1(3.75f), even2, m[0]));
    y[1] = vec_fma(first, odd1, vec_mul(vec_set1(7.5f), odd2));
    y[2] = vec_fma(first, even1, vec_mul(vec_set1(15), even2));
    y[3] = vec_fma(first, odd1, vec_fma(vec_set1(30), odd2, m[5]));
}

/* b = B^T d of stride 2: the even pixels by F(2,2), then the odd ones as they are. */
static inline __attribute__((always_inline)) void polyphase_input_2(const vec *d, vec *b)
{
    b[0] = vec_sub(d[0], d[2]);
    b[1] = d[2];
    b[2] = vec_sub(d[4], d[2]);
    b[3] = d[1];
    b[4] = d[3];
}

/* y = A^T m of stride 2. */
static inline __attribute__((always_inline)) void polyphase_output_2(const vec *m, vec *y)
{
    y[0] = vec_add(vec_add(m[0], m[1]), m[3]);
    y[1] = vec_add(vec_add(m[1], m[2]), m[4]);
}

/* A row of the points 0, +-1, +-2, inf for the last: x^5 - 5 x^3 + 4 x. */
static inline __attribute__((always_inline)) vec quintic(vec d1, vec d3, vec d5)
{
    return vec_fma(vec_set1(4), d1, vec_fma(vec_set1(-5), d3, d5));
}

/*
 * b = B^T d of one phase of stride 2, F(4,4): d times x + 1/2 goes through the rows of the other
 * points.
 */
static inline __attribute__((always_inline)) void polyphase_input_4(const vec *d, vec *b)
{
    const vec half = vec_set1(0.5f);
    vec e0 = vec_fma(half, d[0], d[1]), e1 = vec_fma(half, d[1], d[2]);
    vec e2 = vec_fma(half, d[2], d[3]), e3 = vec_fma(half, d[3], d[4]);
    vec e4 = vec_fma(half, d[4], d[5]), e5 = vec_fma(half, d[5], d[6]);
    vec even1 = vec_fma(vec_set1(-4), e2, e4), odd1 = vec_fma(vec_set1(-4), e1, e3);
    vec even2 = vec_sub(e4, e2), odd2 = vec_sub(e3, e1);
    b[0] = vec_fma(vec_set1(4), e0, vec_fma(vec_set1(-5), e2, e4));
    b[1] = vec_add(even1, odd1);
    b[2] = vec_sub(even1, odd1);
    b[3] = vec_fma(vec_set1(2), odd2, even2);
    b[4] = vec_fma(vec_set1(-2), odd2, even2);
    b[5] = quintic(d[1], d[3], d[5]);
    b[6] = quintic(e1, e3, e5);
}

/* y = A^T m, F(4,4). */
static inline __attribute__((always_inline)) void polyphase_output_4(const vec *m, vec *y)
{
    vec even1 = vec_add(m[1], m[2]), odd1 = vec_sub(m[1], m[2]);
    vec even2 = vec_add(m[3], m[4]), odd2 = vec_sub(m[3], m[4]);
    y[0] = vec_add(vec_add(m[0], even1), vec_add(even2, m[5]));
    y[1] = vec_fma(vec_set1(-0.5f), m[5], vec_fma(vec_set1(2), odd2, odd1));
    y[2] = vec_fma(vec_set1(0.25f), m[5], vec_fma(vec_set1(4), even2, even1));
    y[3] = vec_fma(vec_set1(-0.125f), m[5], vec_fma(vec_set1(8), odd2, vec_add(odd1, m[6])));
}

/*
 * Lines of F(4,3) and F(6,3) that may be cut: `products` of them are kept (bilinear_kept()), from
 * as many inputs, for two outputs fewer.
 */
static inline void winograd_kept_input_4(int products, const vec *d, vec *b)
{
    (products == 4 ? winograd_input_4_of_2 : winograd_input_4)(d, b);
}

static inline void winograd_kept_input_6(int products, const vec *d, vec *b)
{
    (products == 4   ? winograd_input_2
     : products == 6 ? winograd_input_6_of_4
                     : winograd_input_6)(d, b);
}

static inline void winograd_kept_output_4(int products, const vec *m, vec *y)
{
    (products == 4 ? winograd_output_4_of_2 : winograd_output_4)(m, y);
}

static inline void winograd_kept_output_6(int products, const vec *m, vec *y)
{
    (products == 4   ? winograd_output_6_of_2
     : products == 6 ? winograd_output_6_of_4
                     : winograd_output_6)(m, y);
}

#endif
