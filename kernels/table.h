/**
 * The table of kernels: one line each, the only place to edit when one is added. The line declares
 * the function (a kernel without a line fails -Wmissing-prototypes), fills its ISA's kernel set,
 * and so reaches dispatch, tests and benchmarks. K(isa, op, variant) is op_variant__isa.
 */
#ifndef RESMARK_KERNELS_TABLE_H
#define RESMARK_KERNELS_TABLE_H

#include "kernels/kernels.h"

#define KERNELS_SCALAR(K)                                                                          \
    K(scalar, conv, mk_1x16)                                                                       \
    K(scalar, stem, mk_1x16)                                                                       \
    K(scalar, add, x1)                                                                             \
    K(scalar, bn_relu, x1)                                                                         \
    K(scalar, add_bn_relu, x1)                                                                     \
    K(scalar, max_pool, x1)                                                                        \
    K(scalar, avg_pool, x1)                                                                        \
    K(scalar, fc, 1x16)                                                                            \
    K(scalar, softmax, x1)                                                                         \
    K(scalar, peak, x16)

#define KERNELS_AVX2(K)                                                                            \
    K(avx2, conv, mk_6x16)                                                                         \
    K(avx2, stem, mk_6x16)                                                                         \
    K(avx2, add, x32)                                                                              \
    K(avx2, bn_relu, x16)                                                                          \
    K(avx2, add_bn_relu, x16)                                                                      \
    K(avx2, max_pool, x16)                                                                         \
    K(avx2, avg_pool, x16)                                                                         \
    K(avx2, fc, 1x64)                                                                              \
    K(avx2, softmax, x8)                                                                           \
    K(avx2, peak, x96)

#define KERNEL_DECLARE(isa, op, variant) op##_fn op##_##variant##__##isa;
KERNELS_SCALAR(KERNEL_DECLARE)
KERNELS_AVX2(KERNEL_DECLARE)
#undef KERNEL_DECLARE

#endif
