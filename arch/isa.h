/** The instruction sets that resmark has kernels for. */
#ifndef RESMARK_ARCH_ISA_H
#define RESMARK_ARCH_ISA_H

/** In ascending order of preference within an architecture. */
enum isa {
    ISA_SCALAR, /**< plain C; on x86-64 AVX + FMA, for SLEEF's expf */
    ISA_AVX2,   /**< AVX2 + FMA */
    ISA_AVX512, /**< F + DQ + BW + VL */
    ISA_NEON,   /**< AArch64 ASIMD */
    ISA_COUNT,
};

#endif
