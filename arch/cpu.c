#include "arch/cpu.h"

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>

static void read_leaf(uint32_t leaf, uint32_t subleaf, struct cpuid_leaf *out)
{
    __cpuid_count(leaf, subleaf, out->eax, out->ebx, out->ecx, out->edx);
}

void cpu_read_words(struct cpu_words *words)
{
    memset(words, 0, sizeof *words);
    words->architecture = ARCHITECTURE_X86_64;
    read_leaf(0, 0, &words->leaf0);
    read_leaf(1, 0, &words->leaf1);
    read_leaf(7, 0, &words->leaf7);
    read_leaf(7, 1, &words->leaf7_1);
    read_leaf(0x80000000, 0, &words->leaf80000000);
    for (uint32_t i = 0; i < 3; i++)
        read_leaf(0x80000002 + i, 0, &words->brand[i]);

    if (words->leaf1.ecx & bit_OSXSAVE) {
        /* xgetbv as an instruction: the compiler's intrinsic wants -mxsave for the whole file. */
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        words->xcr0 = (uint64_t)high << 32 | low;
    }
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

/** The kernel emulates reads of the identification registers: its asm/hwcap.h, HWCAP_CPUID. */
#define HWCAP_BIT_CPUID (UINT64_C(1) << 11)

void cpu_read_words(struct cpu_words *words)
{
    memset(words, 0, sizeof *words);
    words->architecture = ARCHITECTURE_AARCH64;
    words->hwcap = getauxval(AT_HWCAP);
    words->hwcap2 = getauxval(AT_HWCAP2);
    if (words->hwcap & HWCAP_BIT_CPUID)
        __asm__ volatile("mrs %0, midr_el1" : "=r"(words->midr));
}

#else
#error "resmark runs on x86-64 and AArch64"
#endif

void cpu_detect(struct cpu *cpu)
{
    struct cpu_words words;
    cpu_read_words(&words);
    cpu_decode(&words, cpu);
}

static const char *const names[ISA_COUNT] = {
    [ISA_SCALAR] = "scalar",
    [ISA_AVX2] = "avx2",
    [ISA_AVX512] = "avx512",
    [ISA_NEON] = "neon",
};

const char *isa_name(enum isa isa)
{
    return names[isa];
}

static bool parse(const char *name, size_t length, enum isa *isa, struct error *e)
{
    char known[16 * ISA_COUNT] = "";
    for (int i = 0; i < ISA_COUNT; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            *isa = (enum isa)i;
            return true;
        }
        strcat(strcat(known, i ? ", " : ""), names[i]);
    }
    return error_set(e, "unknown ISA '%.*s': there are %s", length > 64 ? 64 : (int)length, name,
                     known);
}

bool isa_parse(const char *name, enum isa *isa, struct error *e)
{
    return parse(name, strlen(name), isa, e);
}

const char *isa_obstacle(const struct cpu *cpu, unsigned built, enum isa isa)
{
    if (!cpu->isa[isa].usable)
        return cpu->isa[isa].reason;
    return built & 1U << isa ? NULL : "not in this build";
}

/**
 * Reduces `keep`, a mask, to the ISAs that `list` names. `origin` names the list in errors. An ISA
 * that is usable but not in `keep` was removed by the list before.
 */
static bool reduce(const struct cpu *cpu, unsigned built, const char *list, const char *origin,
                   unsigned *keep, struct error *e)
{
    unsigned named = 0;
    for (const char *item = list;; item++) {
        size_t length = strcspn(item, ",");
        enum isa isa;
        struct error why;
        if (!parse(item, length, &isa, &why))
            return error_set(e, "%s: %s", origin, why.text);
        const char *obstacle = isa_obstacle(cpu, built, isa);
        if (!obstacle && !(*keep & 1U << isa))
            obstacle = "removed by " ISA_ENVIRONMENT;
        if (obstacle)
            return error_set(e, "%s: %s cannot be used: %s", origin, names[isa], obstacle);
        named |= 1U << isa;
        item += length;
        if (*item == '\0')
            break;
    }
    *keep &= named;
    return true;
}

bool isa_select(const struct cpu *cpu, unsigned built, const char *environment, const char *option,
                struct isa_list *list, struct error *e)
{
    unsigned keep = 0;
    for (int i = 0; i < ISA_COUNT; i++)
        keep |= isa_obstacle(cpu, built, (enum isa)i) ? 0 : 1U << i;

    if (environment && *environment && !reduce(cpu, built, environment, ISA_ENVIRONMENT, &keep, e))
        return false;
    if (option && !reduce(cpu, built, option, "--isa", &keep, e))
        return false;

    list->count = 0;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (keep & 1U << i)
            list->isas[list->count++] = (enum isa)i;
    }
    return list->count > 0 || error_set(e, "no ISA can be used on this CPU: %s: %s",
                                        names[ISA_SCALAR], isa_obstacle(cpu, built, ISA_SCALAR));
}
