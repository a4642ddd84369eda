/**
 * Words that CPUs report, and what resmark must make of them. emerald_rapids_guest is what the
 * machine reported on which this was written (KVM, CPUID read in the guest). All others are put
 * together from the bits that the vendors document, for kinds of CPU and not for models: x86 from
 * Intel SDM volume 2A, CPUID, and volume 1, 13.1 (XCR0), AArch64 from the Arm ARM, MIDR_EL1, and
 * the kernel's arch/arm64/include/uapi/asm/hwcap.h.
 */
#ifndef RESMARK_TESTS_CPU_DUMPS_H
#define RESMARK_TESTS_CPU_DUMPS_H

#include "arch/cpu_features.h"

#include <stddef.h>

struct cpu_dump {
    const char *name; /**< in failures */
    const char *vendor, *brand;
    int family, model, stepping;
    const char *features;           /**< joined with a space each */
    const char *reasons[ISA_COUNT]; /**< NULL for usable */
    struct cpu_words words;
};

#define OTHER "another architecture"

#define WORD_BIT(n) (UINT32_C(1) << (n))

#define LEAF1_EDX_SSE2 WORD_BIT(26)

#define LEAF1_ECX_FMA WORD_BIT(12)
#define LEAF1_ECX_SSE4_2 WORD_BIT(20)
#define LEAF1_ECX_OSXSAVE WORD_BIT(27)
#define LEAF1_ECX_AVX WORD_BIT(28)
#define LEAF1_ECX_F16C WORD_BIT(29)
/** AVX with its 16-bit conversions, and an operating system that uses XSAVE. */
#define LEAF1_ECX_AVX_CPU (LEAF1_ECX_SSE4_2 | LEAF1_ECX_OSXSAVE | LEAF1_ECX_AVX | LEAF1_ECX_F16C)

#define LEAF7_EBX_AVX2 WORD_BIT(5)
#define LEAF7_EBX_AVX512F WORD_BIT(16)
#define LEAF7_EBX_AVX512DQ WORD_BIT(17)
#define LEAF7_EBX_AVX512BW WORD_BIT(30)
#define LEAF7_EBX_AVX512VL WORD_BIT(31)
/** All that the avx512 kernels need. */
#define LEAF7_EBX_AVX512_CPU                                                                       \
    (LEAF7_EBX_AVX2 | LEAF7_EBX_AVX512F | LEAF7_EBX_AVX512DQ | LEAF7_EBX_AVX512BW |                \
     LEAF7_EBX_AVX512VL)

#define LEAF7_ECX_AVX512_VNNI WORD_BIT(11)
#define LEAF7_EDX_HYBRID WORD_BIT(15)
#define LEAF7_EDX_AMX_BF16 WORD_BIT(22)
#define LEAF7_EDX_AVX512_FP16 WORD_BIT(23)
#define LEAF7_EDX_AMX_TILE WORD_BIT(24)
#define LEAF7_EDX_AMX_INT8 WORD_BIT(25)
#define LEAF7_1_EAX_AVX_VNNI WORD_BIT(4)
#define LEAF7_1_EAX_AVX512_BF16 WORD_BIT(5)

#define XCR0_X87_SSE_AVX 0x07
#define XCR0_OPMASK_ZMM 0xe0
#define XCR0_AMX 0x60000

#define HWCAP_FP_ASIMD 0x3
#define HWCAP_FPHP_ASIMDHP (WORD_BIT(9) | WORD_BIT(10))
#define HWCAP_ASIMDDP WORD_BIT(20)
#define HWCAP_SVE WORD_BIT(22)
#define HWCAP2_I8MM WORD_BIT(13)
#define HWCAP2_BF16 WORD_BIT(14)

/** CPUID leaf 1 eax. */
#define SIGNATURE(extended_family, extended_model, family, model, stepping)                        \
    ((uint32_t)(extended_family) << 20 | (uint32_t)(extended_model) << 16 |                        \
     (uint32_t)(family) << 8 | (uint32_t)(model) << 4 | (uint32_t)(stepping))

/** MIDR_EL1; the architecture field says "see the ID registers", as on every Armv8 core. */
#define MIDR(implementer, variant, part, revision)                                                 \
    ((uint64_t)(implementer) << 24 | (uint64_t)(variant) << 20 | UINT64_C(0xf) << 16 |             \
     (uint64_t)(part) << 4 | (uint64_t)(revision))

/** Four characters as CPUID has them in a register. */
#define TEXT(a, b, c, d)                                                                           \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/** The vendor in ebx, ecx, edx of leaf 0; it is read in the order ebx, edx, ecx. */
#define AMD TEXT('A', 'u', 't', 'h'), TEXT('c', 'A', 'M', 'D'), TEXT('e', 'n', 't', 'i')
#define INTEL TEXT('G', 'e', 'n', 'u'), TEXT('n', 't', 'e', 'l'), TEXT('i', 'n', 'e', 'I')

/** The first 12 characters of a made-up brand. */
#define TEST_CPU_WIT TEXT('T', 'e', 's', 't'), TEXT(' ', 'C', 'P', 'U'), TEXT(' ', 'w', 'i', 't')

/** The highest extended leaf: the brand is there. */
#define HAS_BRAND 0x80000008

static const struct cpu_dump zen3_like = {
    "Zen 3",
    "AuthenticAMD",
    "Test CPU with AVX2",
    0x19,
    0x21,
    0,
    "sse2 sse4.2 avx f16c fma avx2",
    {NULL, NULL, "CPUID has no AVX-512F", OTHER},
    {
        .architecture = ARCHITECTURE_X86_64,
        .leaf0 = {0x10, AMD},
        .leaf1 = {.eax = SIGNATURE(0xa, 2, 0xf, 1, 0),
                  .ecx = LEAF1_ECX_AVX_CPU | LEAF1_ECX_FMA,
                  .edx = LEAF1_EDX_SSE2},
        .leaf7.ebx = LEAF7_EBX_AVX2,
        .leaf80000000.eax = HAS_BRAND,
        .brand = {{TEST_CPU_WIT, TEXT('h', ' ', 'A', 'V')},
                  {TEXT('X', '2', ' ', ' '), 0, 0, 0}}, /* padded with spaces, as AMD does */
        .xcr0 = XCR0_X87_SSE_AVX,
    },
};

static const struct cpu_dump skylake_x_like = {
    "Skylake-X",
    "GenuineIntel",
    "Test CPU with AVX512",
    6,
    0x55,
    4,
    "sse2 sse4.2 avx f16c fma avx2 avx512f avx512dq avx512bw avx512vl",
    {NULL, NULL, NULL, OTHER},
    {
        .architecture = ARCHITECTURE_X86_64,
        .leaf0 = {0x16, INTEL},
        .leaf1 = {.eax = SIGNATURE(0, 5, 6, 5, 4),
                  .ecx = LEAF1_ECX_AVX_CPU | LEAF1_ECX_FMA,
                  .edx = LEAF1_EDX_SSE2},
        .leaf7.ebx = LEAF7_EBX_AVX512_CPU,
        .leaf80000000.eax = HAS_BRAND,
        .brand = {{TEST_CPU_WIT, TEXT('h', ' ', 'A', 'V')}, {TEXT('X', '5', '1', '2'), 0, 0, 0}},
        .xcr0 = XCR0_X87_SSE_AVX | XCR0_OPMASK_ZMM,
    },
};

/** With matrix registers. */
static const struct cpu_dump sapphire_rapids_like = {
    "Sapphire Rapids",
    "GenuineIntel",
    "Test CPU with AMX",
    6,
    0x8f,
    8,
    "sse2 sse4.2 avx f16c fma avx2 avx_vnni avx512f avx512dq avx512bw avx512vl avx512_vnni "
    "avx512_bf16 avx512_fp16 amx_tile amx_int8 amx_bf16",
    {NULL, NULL, NULL, OTHER},
    {
        .architecture = ARCHITECTURE_X86_64,
        .leaf0 = {0x20, INTEL},
        .leaf1 = {.eax = SIGNATURE(0, 8, 6, 0xf, 8),
                  .ecx = LEAF1_ECX_AVX_CPU | LEAF1_ECX_FMA,
                  .edx = LEAF1_EDX_SSE2},
        .leaf7 = {.eax = 1,
                  .ebx = LEAF7_EBX_AVX512_CPU,
                  .ecx = LEAF7_ECX_AVX512_VNNI,
                  .edx = LEAF7_EDX_AVX512_FP16 | LEAF7_EDX_AMX_TILE | LEAF7_EDX_AMX_INT8 |
                         LEAF7_EDX_AMX_BF16},
        .leaf7_1.eax = LEAF7_1_EAX_AVX_VNNI | LEAF7_1_EAX_AVX512_BF16,
        .leaf80000000.eax = HAS_BRAND,
        .brand = {{TEST_CPU_WIT, TEXT('h', ' ', 'A', 'M')},
                  {TEXT('X', 0, 'n', 'o'), 0, 0, 0}}, /* what is behind the NUL is not text */
        .xcr0 = XCR0_X87_SSE_AVX | XCR0_OPMASK_ZMM | XCR0_AMX,
    },
};

/** A guest under KVM, its AMX and brand hidden by the hypervisor. */
static const struct cpu_dump emerald_rapids_guest = {
    "Emerald Rapids, KVM",
    "GenuineIntel",
    "Intel(R) Xeon(R) Processor",
    6,
    0xcf,
    2,
    "sse2 sse4.2 avx f16c fma avx2 avx_vnni avx512f avx512dq avx512bw avx512vl avx512_vnni "
    "avx512_bf16 avx512_fp16 hypervisor",
    {NULL, NULL, NULL, OTHER},
    {
        .architecture = ARCHITECTURE_X86_64,
        .leaf0 = {0x0000001c, 0x756e6547, 0x6c65746e, 0x49656e69},
        .leaf1 = {0x000c06f2, 0x01020800, 0xfffa3203, 0x1f8bfbff},
        .leaf7 = {0x00000002, 0xf1bf2ffb, 0x1a415f46, 0x20814010},
        .leaf7_1 = {0x00001c30, 0, 0, 0},
        .leaf80000000 = {0x80000021, 0, 0, 0},
        .brand = {{0x65746e49, 0x2952286c, 0x6f655820, 0x2952286e},
                  {0x6f725020, 0x73736563, 0x0000726f, 0x00000000},
                  {0, 0, 0, 0}},
        .xcr0 = 0xe7,
    },
};

static const struct cpu_dump haswell_like = {
    "Haswell",
    "GenuineIntel",
    "Test CPU with AVX2",
    6,
    0x3c,
    3,
    "sse2 sse4.2 avx f16c fma avx2",
    {NULL, NULL, "CPUID has no AVX-512F", OTHER},
    {
        .architecture = ARCHITECTURE_X86_64,
        .leaf0 = {0xd, INTEL},
        .leaf1 = {.eax = SIGNATURE(0, 3, 6, 0xc, 3),
                  .ecx = LEAF1_ECX_AVX_CPU | LEAF1_ECX_FMA,
                  .edx = LEAF1_EDX_SSE2},
        .leaf7.ebx = LEAF7_EBX_AVX2,
        .leaf80000000.eax = HAS_BRAND,
        .brand = {{TEST_CPU_WIT, TEXT('h', ' ', 'A', 'V')}, {TEXT('X', '2', 0, 0), 0, 0, 0}},
        .xcr0 = XCR0_X87_SSE_AVX,
    },
};

/** Performance and efficient cores; AVX-512 is off because the latter lack it. */
static const struct cpu_dump hybrid = {
    "hybrid",
    "GenuineIntel",
    "Test CPU with 2 of it",
    6,
    0x97,
    2,
    "sse2 sse4.2 avx f16c fma avx2 avx_vnni hybrid",
    {NULL, NULL, "CPUID has no AVX-512F", OTHER},
    {
        .architecture = ARCHITECTURE_X86_64,
        .leaf0 = {0x20, INTEL},
        .leaf1 = {.eax = SIGNATURE(0, 9, 6, 7, 2),
                  .ecx = LEAF1_ECX_AVX_CPU | LEAF1_ECX_FMA,
                  .edx = LEAF1_EDX_SSE2},
        .leaf7 = {.eax = 1, .ebx = LEAF7_EBX_AVX2, .edx = LEAF7_EDX_HYBRID},
        .leaf7_1.eax = LEAF7_1_EAX_AVX_VNNI,
        .leaf80000000.eax = HAS_BRAND,
        .brand = {{TEXT(' ', ' ', ' ', ' '), TEXT('T', 'e', 's', 't'), TEXT(' ', 'C', 'P', 'U'),
                   TEXT(' ', 'w', 'i', 't')},
                  {TEXT('h', ' ', '2', ' '), TEXT('o', 'f', ' ', 'i'), TEXT('t', 0, 0, 0), 0}},
        .xcr0 = XCR0_X87_SSE_AVX,
    },
};

/** AVX2, but no fused multiply-add: nothing that resmark has can run. */
static const struct cpu_dump no_fma = {
    "AVX2 without FMA",
    "GenuineIntel",
    "Test CPU with no FMA",
    6,
    0xf,
    14,
    "sse2 sse4.2 avx f16c avx2",
    {"CPUID has no FMA", "CPUID has no FMA", "CPUID has no FMA", OTHER},
    {
        .architecture = ARCHITECTURE_X86_64,
        .leaf0 = {0xd, INTEL},
        .leaf1 = {.eax = SIGNATURE(0, 0, 6, 0xf, 14),
                  .ecx = LEAF1_ECX_AVX_CPU,
                  .edx = LEAF1_EDX_SSE2},
        .leaf7.ebx = LEAF7_EBX_AVX2,
        .leaf80000000.eax = HAS_BRAND,
        .brand = {{TEST_CPU_WIT, TEXT('h', ' ', 'n', 'o')}, {TEXT(' ', 'F', 'M', 'A'), 0, 0, 0}},
        .xcr0 = XCR0_X87_SSE_AVX,
    },
};

static const struct cpu_dump neoverse_n1_like = {
    "Neoverse N1",
    "Arm",
    "Neoverse N1",
    0x41,
    0xd0c,
    0x31,
    "asimd fp16 dotprod",
    {NULL, OTHER, OTHER, NULL},
    {.architecture = ARCHITECTURE_AARCH64,
     .hwcap = HWCAP_FP_ASIMD | HWCAP_FPHP_ASIMDHP | HWCAP_ASIMDDP,
     .midr = MIDR(0x41, 3, 0xd0c, 1)},
};

static const struct cpu_dump neoverse_v1_like = {
    "Neoverse V1",
    "Arm",
    "Neoverse V1",
    0x41,
    0xd40,
    0x11,
    "asimd fp16 dotprod sve i8mm bf16",
    {NULL, OTHER, OTHER, NULL},
    {.architecture = ARCHITECTURE_AARCH64,
     .hwcap = HWCAP_FP_ASIMD | HWCAP_FPHP_ASIMDHP | HWCAP_ASIMDDP | HWCAP_SVE,
     .hwcap2 = HWCAP2_I8MM | HWCAP2_BF16,
     .midr = MIDR(0x41, 1, 0xd40, 1)},
};

static const struct cpu_dump *const cpu_dumps[] = {
    &zen3_like, &skylake_x_like, &sapphire_rapids_like, &emerald_rapids_guest, &haswell_like,
    &hybrid,    &no_fma,         &neoverse_n1_like,     &neoverse_v1_like,
};

#endif
