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
    K(scalar, winograd2_in, x1)                                                                    \
    K(scalar, winograd2_out, x1)                                                                   \
    K(scalar, winograd4_in, x1)                                                                    \
    K(scalar, winograd4_out, x1)                                                                   \
    K(scalar, winograd6_in, x1)                                                                    \
    K(scalar, winograd6_out, x1)                                                                   \
    K(scalar, polyphase2_in, x1)                                                                   \
    K(scalar, polyphase2_out, x1)                                                                  \
    K(scalar, polyphase4_in, x1)                                                                   \
    K(scalar, polyphase4_out, x1)                                                                  \
    K(scalar, strassen_in, x1)                                                                     \
    K(scalar, strassen_out, x1)                                                                    \
    K(scalar, peak, x16)

#define KERNELS_AVX2(K)                                                                            \
    K(avx2, conv, mk_3x32)                                                                         \
    K(avx2, stem, mk_3x32)                                                                         \
    K(avx2, add, x32)                                                                              \
    K(avx2, bn_relu, x16)                                                                          \
    K(avx2, add_bn_relu, x16)                                                                      \
    K(avx2, max_pool, x16)                                                                         \
    K(avx2, avg_pool, x16)                                                                         \
    K(avx2, fc, 1x64)                                                                              \
    K(avx2, softmax, x8)                                                                           \
    K(avx2, winograd2_in, x8)                                                                      \
    K(avx2, winograd2_out, x8)                                                                     \
    K(avx2, winograd4_in, x8)                                                                      \
    K(avx2, winograd4_out, x8)                                                                     \
    K(avx2, winograd6_in, x8)                                                                      \
    K(avx2, winograd6_out, x8)                                                                     \
    K(avx2, polyphase2_in, x8)                                                                     \
    K(avx2, polyphase2_out, x8)                                                                    \
    K(avx2, polyphase4_in, x8)                                                                     \
    K(avx2, polyphase4_out, x8)                                                                    \
    K(avx2, strassen_in, x8)                                                                       \
    K(avx2, strassen_out, x8)                                                                      \
    K(avx2, peak, x96)

#define KERNELS_AVX512(K)                                                                          \
    K(avx512, conv, mk_14x32)                                                                      \
    K(avx512, stem, mk_14x32)                                                                      \
    K(avx512, add, x32)                                                                            \
    K(avx512, bn_relu, x16)                                                                        \
    K(avx512, add_bn_relu, x16)                                                                    \
    K(avx512, max_pool, x16)                                                                       \
    K(avx512, avg_pool, x16)                                                                       \
    K(avx512, fc, 1x128)                                                                           \
    K(avx512, softmax, x16)                                                                        \
    K(avx512, winograd2_in, x16)                                                                   \
    K(avx512, winograd2_out, x16)                                                                  \
    K(avx512, winograd4_in, x16)                                                                   \
    K(avx512, winograd4_out, x16)                                                                  \
    K(avx512, winograd6_in, x16)                                                                   \
    K(avx512, winograd6_out, x16)                                                                  \
    K(avx512, polyphase2_in, x16)                                                                  \
    K(avx512, polyphase2_out, x16)                                                                 \
    K(avx512, polyphase4_in, x16)                                                                  \
    K(avx512, polyphase4_out, x16)                                                                 \
    K(avx512, strassen_in, x16)                                                                    \
    K(avx512, strassen_out, x16)                                                                   \
    K(avx512, peak, x448)

#define KERNELS_NEON(K)                                                                            \
    K(neon, conv, mk_6x16)                                                                         \
    K(neon, stem, mk_6x16)                                                                         \
    K(neon, add, x16)                                                                              \
    K(neon, bn_relu, x16)                                                                          \
    K(neon, add_bn_relu, x16)                                                                      \
    K(neon, max_pool, x16)                                                                         \
    K(neon, avg_pool, x16)                                                                         \
    K(neon, fc, 1x64)                                                                              \
    K(neon, softmax, x4)                                                                           \
    K(neon, winograd2_in, x4)                                                                      \
    K(neon, winograd2_out, x4)                                                                     \
    K(neon, winograd4_in, x4)                                                                      \
    K(neon, winograd4_out, x4)                                                                     \
    K(neon, winograd6_in, x4)                                                                      \
    K(neon, winograd6_out, x4)                                                                     \
    K(neon, polyphase2_in, x4)                                                                     \
    K(neon, polyphase2_out, x4)                                                                    \
    K(neon, polyphase4_in, x4)                                                                     \
    K(neon, polyphase4_out, x4)                                                                    \
    K(neon, strassen_in, x4)                                                                       \
    K(neon, strassen_out, x4)                                                                      \
    K(neon, peak, x96)

/** Every ISA that has a list above: X(NAME). */
#define KERNEL_ISAS(X) X(SCALAR) X(AVX2) X(AVX512) X(NEON)

#define KERNEL_DECLARE(isa, op, variant) op##_fn op##_##variant##__##isa;
#define KERNEL_DECLARE_LIST(NAME) KERNELS_##NAME(KERNEL_DECLARE)
KERNEL_ISAS(KERNEL_DECLARE_LIST)
#undef KERNEL_DECLARE_LIST
#undef KERNEL_DECLARE

/** The ops as numbers: KERNEL_conv and so on. */
enum kernel_op {
#define KERNEL_OP_CONSTANT(op) KERNEL_##op,
    KERNEL_OPS(KERNEL_OP_CONSTANT)
#undef KERNEL_OP_CONSTANT
        KERNEL_OP_COUNT,
};

/** A line of the table. */
struct kernel_line {
    enum kernel_op op;
    const char *name;
    const char *variant; /**< ends in the tile: "mk_6x16", "x32" */
};

/** The lines of an ISA, whether this build has its kernels or not; none if it has no list yet. */
const struct kernel_line *kernel_lines(enum isa isa, int *count);

#endif
