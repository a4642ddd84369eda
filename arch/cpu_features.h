/**
 * What a CPU can do, as a pure function of the words it reports about itself: cpu.h reads them from
 * the machine, the tests from recorded dumps.
 */
#ifndef RESMARK_ARCH_CPU_FEATURES_H
#define RESMARK_ARCH_CPU_FEATURES_H

#include "arch/isa.h"

#include <stdbool.h>
#include <stdint.h>

enum architecture {
    ARCHITECTURE_X86_64,
    ARCHITECTURE_AARCH64,
};

/** What the CPUID instruction leaves in its four registers. */
struct cpuid_leaf {
    uint32_t eax, ebx, ecx, edx;
};

/**
 * The raw words. Only those of `architecture` are read, and of the CPUID leaves only those up to
 * the highest that leaf0 and leaf80000000 announce: Intel answers a higher one with other data.
 */
struct cpu_words {
    enum architecture architecture;
    struct cpuid_leaf leaf0, leaf1, leaf7, leaf7_1;
    struct cpuid_leaf leaf80000000;
    struct cpuid_leaf brand[3]; /**< leaves 0x80000002 to 0x80000004 */
    uint64_t xcr0;              /**< 0 when leaf1 has no OSXSAVE: xgetbv would fault */
    uint64_t hwcap, hwcap2;     /**< AArch64: getauxval(AT_HWCAP), (AT_HWCAP2) */
    uint64_t midr;              /**< AArch64: MIDR_EL1; 0 when the kernel does not show it */
};

/** X(constant, name): the features that matter to kernels of this kind, now or later. */
#define CPU_FEATURES(X)                                                                            \
    X(SSE2, "sse2")                                                                                \
    X(SSE4_2, "sse4.2")                                                                            \
    X(AVX, "avx")                                                                                  \
    X(F16C, "f16c")                                                                                \
    X(FMA, "fma")                                                                                  \
    X(AVX2, "avx2")                                                                                \
    X(AVX_VNNI, "avx_vnni")                                                                        \
    X(AVX512F, "avx512f")                                                                          \
    X(AVX512DQ, "avx512dq")                                                                        \
    X(AVX512BW, "avx512bw")                                                                        \
    X(AVX512VL, "avx512vl")                                                                        \
    X(AVX512_VNNI, "avx512_vnni")                                                                  \
    X(AVX512_BF16, "avx512_bf16")                                                                  \
    X(AVX512_FP16, "avx512_fp16")                                                                  \
    X(AMX_TILE, "amx_tile")                                                                        \
    X(AMX_INT8, "amx_int8")                                                                        \
    X(AMX_BF16, "amx_bf16")                                                                        \
    X(HYBRID, "hybrid")                                                                            \
    X(HYPERVISOR, "hypervisor")                                                                    \
    X(ASIMD, "asimd")                                                                              \
    X(FP16, "fp16")                                                                                \
    X(DOTPROD, "dotprod")                                                                          \
    X(SVE, "sve")                                                                                  \
    X(SVE2, "sve2")                                                                                \
    X(I8MM, "i8mm")                                                                                \
    X(BF16, "bf16")                                                                                \
    X(SME, "sme")

enum cpu_feature {
#define CPU_FEATURE_CONSTANT(constant, name) CPU_##constant,
    CPU_FEATURES(CPU_FEATURE_CONSTANT)
#undef CPU_FEATURE_CONSTANT
        CPU_FEATURE_COUNT,
};

/** Whether kernels of an ISA may run, and if not, why. */
struct isa_support {
    bool usable;
    char reason[96]; /**< one line such as "CPUID has no AVX-512F"; empty when usable */
};

struct cpu {
    enum architecture architecture;
    char vendor[16]; /**< "GenuineIntel", "Arm"; "unknown" when the CPU does not tell */
    char brand[64];  /**< the model's name for people; "unknown" when the CPU does not tell */
    int family;      /**< AArch64: the implementer's code */
    int model;       /**< AArch64: the part number */
    int stepping;    /**< AArch64: variant * 16 + revision */
    /**
     * What the CPU reports, even where the operating system does not save the registers that the
     * feature needs: whether code may run is for isa[] alone to say.
     */
    bool features[CPU_FEATURE_COUNT];
    struct isa_support isa[ISA_COUNT];
};

/** Decodes the words. Every set of words has an answer, so there is no failure. */
void cpu_decode(const struct cpu_words *words, struct cpu *cpu);

/** The name of a feature, as in the table above. */
const char *cpu_feature_name(enum cpu_feature feature);

/** "x86-64" or "AArch64". */
const char *architecture_name(enum architecture architecture);

#endif
