#include "arch/cpu_features.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/**
 * Which bit of which word says that the CPU has a feature. x86: Intel SDM volume 2A, CPUID
 * (order 325383); AArch64: the kernel's arch/arm64/include/uapi/asm/hwcap.h.
 */
enum word {
    LEAF1_ECX,
    LEAF1_EDX,
    LEAF7_EBX,
    LEAF7_ECX,
    LEAF7_EDX,
    LEAF7_1_EAX,
    HWCAP,
    HWCAP2,
};

static const struct {
    enum word word;
    int bit;
} feature_bits[CPU_FEATURE_COUNT] = {
    [CPU_SSE2] = {LEAF1_EDX, 26},
    [CPU_SSE4_2] = {LEAF1_ECX, 20},
    [CPU_AVX] = {LEAF1_ECX, 28},
    [CPU_F16C] = {LEAF1_ECX, 29},
    [CPU_FMA] = {LEAF1_ECX, 12},
    [CPU_AVX2] = {LEAF7_EBX, 5},
    [CPU_AVX_VNNI] = {LEAF7_1_EAX, 4},
    [CPU_AVX512F] = {LEAF7_EBX, 16},
    [CPU_AVX512DQ] = {LEAF7_EBX, 17},
    [CPU_AVX512BW] = {LEAF7_EBX, 30},
    [CPU_AVX512VL] = {LEAF7_EBX, 31},
    [CPU_AVX512_VNNI] = {LEAF7_ECX, 11},
    [CPU_AVX512_BF16] = {LEAF7_1_EAX, 5},
    [CPU_AVX512_FP16] = {LEAF7_EDX, 23},
    [CPU_AMX_TILE] = {LEAF7_EDX, 24},
    [CPU_AMX_INT8] = {LEAF7_EDX, 25},
    [CPU_AMX_BF16] = {LEAF7_EDX, 22},
    [CPU_HYBRID] = {LEAF7_EDX, 15},
    [CPU_HYPERVISOR] = {LEAF1_ECX, 31},
    [CPU_ASIMD] = {HWCAP, 1},
    [CPU_FP16] = {HWCAP, 10},
    [CPU_DOTPROD] = {HWCAP, 20},
    [CPU_SVE] = {HWCAP, 22},
    [CPU_SVE2] = {HWCAP2, 1},
    [CPU_I8MM] = {HWCAP2, 13},
    [CPU_BF16] = {HWCAP2, 14},
    [CPU_SME] = {HWCAP2, 23},
};

/** Bit of CPUID leaf 1 ecx: the operating system has enabled XSAVE, so XCR0 can be read. */
#define OSXSAVE (UINT32_C(1) << 27)

/**
 * State components of XCR0 (Intel SDM volume 1, 13.1) which the operating system must save for
 * ymm registers (SSE, AVX), and for zmm registers (those and opmask, ZMM_Hi256, Hi16_ZMM).
 */
#define XCR0_YMM UINT64_C(0x06)
#define XCR0_ZMM UINT64_C(0xe6)

static uint64_t word_of(const struct cpu_words *w, enum word word)
{
    bool x86 = w->architecture == ARCHITECTURE_X86_64;
    bool has1 = x86 && w->leaf0.eax >= 1;
    bool has7 = x86 && w->leaf0.eax >= 7;
    switch (word) {
    case LEAF1_ECX:
        return has1 ? w->leaf1.ecx : 0;
    case LEAF1_EDX:
        return has1 ? w->leaf1.edx : 0;
    case LEAF7_EBX:
        return has7 ? w->leaf7.ebx : 0;
    case LEAF7_ECX:
        return has7 ? w->leaf7.ecx : 0;
    case LEAF7_EDX:
        return has7 ? w->leaf7.edx : 0;
    case LEAF7_1_EAX: /* leaf 7 itself says in eax how many subleaves it has */
        return has7 && w->leaf7.eax >= 1 ? w->leaf7_1.eax : 0;
    case HWCAP:
        return x86 ? 0 : w->hwcap;
    case HWCAP2:
        return x86 ? 0 : w->hwcap2;
    }
    return 0;
}

/** Copies text from a CPU: control characters become '?', spaces at both ends go. */
static void copy_text(char *out, size_t size, const char *text, size_t length)
{
    length = strnlen(text, length);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    while (length > 0 && *text == ' ') {
        text++;
        length--;
    }
    if (length > size - 1)
        length = size - 1;
    for (size_t i = 0; i < length; i++)
        out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    out[length] = '\0';
    if (length == 0)
        snprintf(out, size, "unknown");
}

static void identify_x86(const struct cpu_words *w, struct cpu *cpu)
{
    const uint32_t vendor[3] = {w->leaf0.ebx, w->leaf0.edx, w->leaf0.ecx};
    char text[48];
    memcpy(text, vendor, sizeof vendor);
    copy_text(cpu->vendor, sizeof cpu->vendor, text, sizeof vendor);

    memcpy(text, w->brand, sizeof text);
    bool has_brand = w->leaf80000000.eax >= 0x80000004;
    copy_text(cpu->brand, sizeof cpu->brand, text, has_brand ? sizeof text : 0);

    uint32_t signature = w->leaf0.eax >= 1 ? w->leaf1.eax : 0;
    int family = signature >> 8 & 0xf;
    int model = signature >> 4 & 0xf;
    if (family == 0x6 || family == 0xf) /* only these extend the model: Intel SDM, CPUID */
        model += (signature >> 16 & 0xf) << 4;
    if (family == 0xf)
        family += signature >> 20 & 0xff;
    cpu->family = family;
    cpu->model = model;
    cpu->stepping = signature & 0xf;
}

/** Codes of MIDR_EL1, from the kernel's arch/arm64/include/asm/cputype.h. */
static const struct {
    int implementer;
    const char *name;
} implementers[] = {
    {0x41, "Arm"},      {0x46, "Fujitsu"}, {0x48, "HiSilicon"}, {0x4e, "NVIDIA"},
    {0x51, "Qualcomm"}, {0x61, "Apple"},   {0x6d, "Microsoft"}, {0xc0, "Ampere"},
};

static const struct {
    int implementer, part;
    const char *name;
} parts[] = {
    {0x41, 0xd03, "Cortex-A53"},  {0x41, 0xd05, "Cortex-A55"},       {0x41, 0xd08, "Cortex-A72"},
    {0x41, 0xd0b, "Cortex-A76"},  {0x41, 0xd41, "Cortex-A78"},       {0x41, 0xd44, "Cortex-X1"},
    {0x41, 0xd0c, "Neoverse N1"}, {0x41, 0xd40, "Neoverse V1"},      {0x41, 0xd49, "Neoverse N2"},
    {0x41, 0xd4f, "Neoverse V2"}, {0x41, 0xd84, "Neoverse V3"},      {0x41, 0xd8e, "Neoverse N3"},
    {0x46, 0x001, "A64FX"},       {0x48, 0xd01, "Kunpeng 920"},      {0xc0, 0xac3, "Ampere-1"},
    {0xc0, 0xac4, "Ampere-1A"},   {0x6d, 0xd49, "Azure Cobalt 100"},
};

static void identify_aarch64(const struct cpu_words *w, struct cpu *cpu)
{
    cpu->family = w->midr >> 24 & 0xff;
    cpu->model = w->midr >> 4 & 0xfff;
    cpu->stepping = (int)(w->midr >> 20 & 0xf) * 16 + (int)(w->midr & 0xf);
    snprintf(cpu->vendor, sizeof cpu->vendor, "unknown");
    snprintf(cpu->brand, sizeof cpu->brand, "unknown");
    if (w->midr == 0)
        return;

    for (size_t i = 0; i < sizeof implementers / sizeof *implementers; i++) {
        if (implementers[i].implementer == cpu->family)
            snprintf(cpu->vendor, sizeof cpu->vendor, "%s", implementers[i].name);
    }
    snprintf(cpu->brand, sizeof cpu->brand, "unknown (implementer 0x%02x, part 0x%03x)",
             (unsigned)cpu->family, (unsigned)cpu->model);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].implementer == cpu->family && parts[i].part == cpu->model)
            snprintf(cpu->brand, sizeof cpu->brand, "%s", parts[i].name);
    }
}

__attribute__((format(printf, 2, 3))) static void refuse(struct isa_support *isa,
                                                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(isa->reason, sizeof isa->reason, format, args);
    va_end(args);
    isa->usable = false;
}

struct requirement {
    enum cpu_feature feature;
    const char *name; /**< as its vendor writes it */
};

/** Refuses an ISA that lacks one of `count` features, naming the first. */
static bool has_features(const struct cpu *cpu, const struct requirement *needs, int count,
                         struct isa_support *isa)
{
    for (int i = 0; i < count; i++) {
        if (!cpu->features[needs[i].feature]) {
            refuse(isa, "CPUID has no %s", needs[i].name);
            return false;
        }
    }
    return true;
}

/** A feature without its registers saved by the operating system raises SIGILL, or worse. */
static bool saves_state(const struct cpu_words *w, uint64_t components, const char *registers,
                        struct isa_support *isa)
{
    if (!(word_of(w, LEAF1_ECX) & OSXSAVE)) {
        refuse(isa, "the operating system has not enabled XSAVE (CPUID has no OSXSAVE)");
        return false;
    }
    if ((w->xcr0 & components) != components) {
        refuse(isa, "the operating system does not save %s state (XCR0 is 0x%llx)", registers,
               (unsigned long long)w->xcr0);
        return false;
    }
    return true;
}

static void judge_x86(const struct cpu_words *w, struct cpu *cpu)
{
    static const struct requirement needs[] = {
        {CPU_AVX, "AVX"},
        {CPU_FMA, "FMA"},
        {CPU_AVX2, "AVX2"},
        {CPU_AVX512F, "AVX-512F"},
        {CPU_AVX512DQ, "AVX-512DQ"},
        {CPU_AVX512BW, "AVX-512BW"},
        {CPU_AVX512VL, "AVX-512VL"},
    };
    enum { NEEDS_SCALAR = 2, NEEDS_AVX2 = 3, NEEDS_AVX512 = sizeof needs / sizeof *needs };
    struct isa_support *scalar = &cpu->isa[ISA_SCALAR];
    struct isa_support *avx2 = &cpu->isa[ISA_AVX2];
    struct isa_support *avx512 = &cpu->isa[ISA_AVX512];
    /* Its fmaf() may be the library's, but SLEEF's scalar expf has FMA instructions. */
    scalar->usable =
        has_features(cpu, needs, NEEDS_SCALAR, scalar) && saves_state(w, XCR0_YMM, "ymm", scalar);
    avx2->usable =
        has_features(cpu, needs, NEEDS_AVX2, avx2) && saves_state(w, XCR0_YMM, "ymm", avx2);
    avx512->usable =
        has_features(cpu, needs, NEEDS_AVX512, avx512) && saves_state(w, XCR0_ZMM, "zmm", avx512);
    refuse(&cpu->isa[ISA_NEON], "another architecture");
}

static void judge_aarch64(struct cpu *cpu)
{
    refuse(&cpu->isa[ISA_AVX2], "another architecture");
    refuse(&cpu->isa[ISA_AVX512], "another architecture");
    cpu->isa[ISA_SCALAR].usable = true; /* fused multiply-add is part of the architecture */
    cpu->isa[ISA_NEON].usable = true;
    if (!cpu->features[CPU_ASIMD])
        refuse(&cpu->isa[ISA_NEON], "HWCAP has no ASIMD");
}

void cpu_decode(const struct cpu_words *words, struct cpu *cpu)
{
    memset(cpu, 0, sizeof *cpu);
    cpu->architecture = words->architecture;
    for (int i = 0; i < CPU_FEATURE_COUNT; i++)
        cpu->features[i] = word_of(words, feature_bits[i].word) >> feature_bits[i].bit & 1;

    if (words->architecture == ARCHITECTURE_X86_64) {
        identify_x86(words, cpu);
        judge_x86(words, cpu);
    } else {
        identify_aarch64(words, cpu);
        judge_aarch64(cpu);
    }
}

const char *cpu_feature_name(enum cpu_feature feature)
{
    static const char *const names[CPU_FEATURE_COUNT] = {
#define CPU_FEATURE_NAME(constant, name) name,
        CPU_FEATURES(CPU_FEATURE_NAME)
#undef CPU_FEATURE_NAME
    };
    return names[feature];
}

const char *architecture_name(enum architecture architecture)
{
    return architecture == ARCHITECTURE_X86_64 ? "x86-64" : "AArch64";
}
