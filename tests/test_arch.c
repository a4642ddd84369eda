/** CPU features from CPUs' words, ISA selection, clocks. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "tests/cpu_dumps.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static void join_features(const struct cpu *cpu, char *out, size_t size)
{
    size_t length = 0;
    out[0] = '\0';
    for (int i = 0; i < CPU_FEATURE_COUNT; i++) {
        if (cpu->features[i])
            length += (size_t)snprintf(out + length, size - length, "%s%s", length ? " " : "",
                                       cpu_feature_name((enum cpu_feature)i));
    }
}

static void check_isa(const struct cpu *cpu, const char *what, enum isa isa, const char *reason)
{
    cr_expect_eq(cpu->isa[isa].usable, reason == NULL, "%s: %s", what, isa_name(isa));
    cr_expect_str_eq(cpu->isa[isa].reason, reason ? reason : "", "%s: %s: '%s'", what,
                     isa_name(isa), cpu->isa[isa].reason);
}

static struct cpu decode(const struct cpu_words *words)
{
    struct cpu cpu;
    memset(&cpu, 0x5a, sizeof cpu); /* what is not written shows */
    cpu_decode(words, &cpu);
    return cpu;
}

Test(features, kinds_of_cpu)
{
    for (int i = 0; i < COUNT(cpu_dumps); i++) {
        const struct cpu_dump *dump = cpu_dumps[i];
        struct cpu cpu = decode(&dump->words);
        char features[512];
        join_features(&cpu, features, sizeof features);
        cr_expect_eq(cpu.architecture, dump->words.architecture);
        cr_expect_str_eq(cpu.vendor, dump->vendor, "%s: '%s'", dump->name, cpu.vendor);
        cr_expect_str_eq(cpu.brand, dump->brand, "%s: '%s'", dump->name, cpu.brand);
        cr_expect_eq(cpu.family, dump->family, "%s: family %#x", dump->name, cpu.family);
        cr_expect_eq(cpu.model, dump->model, "%s: model %#x", dump->name, cpu.model);
        cr_expect_eq(cpu.stepping, dump->stepping, "%s: stepping %#x", dump->name, cpu.stepping);
        cr_expect_str_eq(features, dump->features, "%s: %s", dump->name, features);
        for (int isa = 0; isa < ISA_COUNT; isa++)
            check_isa(&cpu, dump->name, (enum isa)isa, dump->reasons[isa]);
    }
}

/** Every feature follows from exactly one bit of the words, and no two from the same. */
Test(features, one_bit_each)
{
    int found[CPU_FEATURE_COUNT] = {0};
    for (int bit = 0; bit < 7 * 32 + 2 * 64; bit++) {
        struct cpu_words words = {.leaf0.eax = 7, .leaf7.eax = 1};
        uint32_t *const registers[] = {&words.leaf1.ecx, &words.leaf1.edx, &words.leaf7.ebx,
                                       &words.leaf7.ecx, &words.leaf7.edx, &words.leaf7_1.eax,
                                       &words.leaf1.ebx};
        int hwcap = bit - 7 * 32;
        words.architecture = hwcap < 0 ? ARCHITECTURE_X86_64 : ARCHITECTURE_AARCH64;
        if (hwcap < 0)
            *registers[bit / 32] = UINT32_C(1) << bit % 32;
        else
            *(hwcap < 64 ? &words.hwcap : &words.hwcap2) = UINT64_C(1) << hwcap % 64;

        struct cpu cpu = decode(&words);
        int here = 0;
        for (int i = 0; i < CPU_FEATURE_COUNT; i++) {
            here += cpu.features[i];
            found[i] += cpu.features[i];
        }
        cr_expect_leq(here, 1, "bit %d is %d features", bit, here);
    }
    for (int i = 0; i < CPU_FEATURE_COUNT; i++)
        cr_expect_eq(found[i], 1, "%s: %d bits", cpu_feature_name((enum cpu_feature)i), found[i]);
}

/** AVX-512 in CPUID, but zmm registers not saved: the SIGILL of halide PR#9017 and jax#2906. */
Test(features, hypervisor_without_zmm_state)
{
    struct cpu_words words = emerald_rapids_guest.words;
    words.xcr0 = 0x7;
    struct cpu cpu = decode(&words);
    check_isa(&cpu, "XCR0 7", ISA_AVX2, NULL);
    check_isa(&cpu, "XCR0 7", ISA_AVX512,
              "the operating system does not save zmm state (XCR0 is 0x7)");
    cr_expect(cpu.features[CPU_AVX512F], "the CPU has it all the same");
    struct isa_list list;
    struct error e;
    cr_expect_not(isa_select(&cpu, 1U << ISA_AVX512, NULL, "avx512", &list, &e));
    cr_expect_str_eq(e.text, "--isa: avx512 cannot be used: the operating system does not save zmm "
                             "state (XCR0 is 0x7)");
}

Test(features, every_xcr0)
{
    for (uint64_t xcr0 = 0; xcr0 < 0x400; xcr0++) {
        struct cpu_words words = sapphire_rapids_like.words;
        words.xcr0 = xcr0;
        struct cpu cpu = decode(&words);
        bool sse = xcr0 & 0x2, avx = xcr0 & 0x4;
        bool opmask = xcr0 & 0x20, zmm_low = xcr0 & 0x40, zmm_high = xcr0 & 0x80;
        cr_expect_eq(cpu.isa[ISA_SCALAR].usable, sse && avx, "XCR0 %#lx", (unsigned long)xcr0);
        cr_expect_eq(cpu.isa[ISA_AVX2].usable, sse && avx, "XCR0 %#lx", (unsigned long)xcr0);
        cr_expect_eq(cpu.isa[ISA_AVX512].usable, sse && avx && opmask && zmm_low && zmm_high,
                     "XCR0 %#lx", (unsigned long)xcr0);
    }
}

Test(features, no_osxsave)
{
    struct cpu_words words = skylake_x_like.words;
    words.leaf1.ecx &= ~LEAF1_ECX_OSXSAVE; /* and XCR0, stale, still says yes */
    struct cpu cpu = decode(&words);
    static const char reason[] =
        "the operating system has not enabled XSAVE (CPUID has no OSXSAVE)";
    check_isa(&cpu, "no OSXSAVE", ISA_SCALAR, reason);
    check_isa(&cpu, "no OSXSAVE", ISA_AVX2, reason);
    check_isa(&cpu, "no OSXSAVE", ISA_AVX512, reason);
}

Test(features, each_missing_bit)
{
    static const struct {
        uint32_t leaf1_ecx, leaf7_ebx;
        const char *scalar, *avx2, *avx512;
    } rows[] = {
        {LEAF1_ECX_AVX, 0, "CPUID has no AVX", "CPUID has no AVX", "CPUID has no AVX"},
        {LEAF1_ECX_FMA, 0, "CPUID has no FMA", "CPUID has no FMA", "CPUID has no FMA"},
        {0, LEAF7_EBX_AVX2, NULL, "CPUID has no AVX2", "CPUID has no AVX2"},
        {0, LEAF7_EBX_AVX512F, NULL, NULL, "CPUID has no AVX-512F"},
        {0, LEAF7_EBX_AVX512DQ, NULL, NULL, "CPUID has no AVX-512DQ"},
        {0, LEAF7_EBX_AVX512BW, NULL, NULL, "CPUID has no AVX-512BW"},
        {0, LEAF7_EBX_AVX512VL, NULL, NULL, "CPUID has no AVX-512VL"},
    };
    for (int i = 0; i < COUNT(rows); i++) {
        struct cpu_words words = skylake_x_like.words;
        words.leaf1.ecx &= ~rows[i].leaf1_ecx;
        words.leaf7.ebx &= ~rows[i].leaf7_ebx;
        struct cpu cpu = decode(&words);
        check_isa(&cpu, "one bit missing", ISA_SCALAR, rows[i].scalar);
        check_isa(&cpu, "one bit missing", ISA_AVX2, rows[i].avx2);
        check_isa(&cpu, "one bit missing", ISA_AVX512, rows[i].avx512);
    }
}

/** Leaves beyond the highest repeat another one's data; they must not count. */
Test(features, leaves_beyond_the_highest)
{
    struct cpu_words words = sapphire_rapids_like.words;
    words.leaf7.eax = 0;
    struct cpu cpu = decode(&words);
    cr_expect_not(cpu.features[CPU_AVX_VNNI]);
    cr_expect(cpu.features[CPU_AVX2]);

    words.leaf0.eax = 6;
    words.leaf80000000.eax = 0x80000003;
    cpu = decode(&words);
    check_isa(&cpu, "6 leaves", ISA_AVX2, "CPUID has no AVX2");
    cr_expect(cpu.features[CPU_FMA]);
    cr_expect_str_eq(cpu.brand, "unknown");

    words.leaf0.eax = 0;
    cpu = decode(&words);
    check_isa(&cpu, "no leaf", ISA_AVX2, "CPUID has no AVX");
    check_isa(&cpu, "no leaf", ISA_SCALAR, "CPUID has no AVX");
    cr_expect_eq(cpu.family, 0);
}

Test(features, hostile_names)
{
    struct cpu_words words = haswell_like.words;
    memset(words.brand, 'x', sizeof words.brand); /* 48 bytes, no NUL */
    words.leaf0.ebx = 0x1b410a41;                 /* 'A' newline 'A' escape */
    struct cpu cpu = decode(&words);
    cr_expect_eq(strspn(cpu.brand, "x"), 48);
    cr_expect_eq(strlen(cpu.brand), 48);
    cr_expect_str_eq(cpu.vendor, "A?A?ineIntel", "'%s'", cpu.vendor);
    memset(words.brand, ' ', sizeof words.brand);
    cpu = decode(&words);
    cr_expect_str_eq(cpu.brand, "unknown");
}

Test(features, old_and_unknown_signatures)
{
    struct cpu_words words = zen3_like.words;
    words.leaf1.eax = SIGNATURE(0, 0, 0xf, 4, 0xa); /* family 0xf with nothing to extend it */
    struct cpu cpu = decode(&words);
    cr_expect_eq(cpu.family, 0xf);
    cr_expect_eq(cpu.model, 0x4);
    words.leaf1.eax = SIGNATURE(0, 1, 5, 6, 2); /* family 5 has no extended model */
    cpu = decode(&words);
    cr_expect_eq(cpu.family, 5);
    cr_expect_eq(cpu.model, 6);
}

Test(features, aarch64_without_asimd)
{
    struct cpu_words words = neoverse_n1_like.words;
    words.hwcap &= ~UINT64_C(2);
    struct cpu cpu = decode(&words);
    check_isa(&cpu, "no ASIMD", ISA_SCALAR, NULL);
    check_isa(&cpu, "no ASIMD", ISA_NEON, "HWCAP has no ASIMD");
}

Test(features, aarch64_without_a_known_name)
{
    struct cpu_words words = neoverse_n1_like.words;
    words.midr = 0;
    struct cpu cpu = decode(&words);
    cr_expect_str_eq(cpu.vendor, "unknown");
    cr_expect_str_eq(cpu.brand, "unknown");
    words.midr = MIDR(0x7f, 0, 0xabc, 0);
    cpu = decode(&words);
    cr_expect_str_eq(cpu.vendor, "unknown");
    cr_expect_str_eq(cpu.brand, "unknown (implementer 0x7f, part 0xabc)", "'%s'", cpu.brand);
}

#if defined(__x86_64__)
/** The compiler's own run-time detection knows the operating system's part, too. */
Test(features, agrees_with_the_compiler)
{
    struct cpu cpu;
    cpu_detect(&cpu);
    __builtin_cpu_init();
    bool scalar = __builtin_cpu_supports("avx") && __builtin_cpu_supports("fma");
    bool avx2 = scalar && __builtin_cpu_supports("avx2");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    cr_expect_eq(cpu.isa[ISA_SCALAR].usable, scalar);
    cr_expect_eq(cpu.isa[ISA_AVX2].usable, avx2);
    cr_expect_eq(cpu.isa[ISA_AVX512].usable, avx512);
    cr_expect_not(cpu.isa[ISA_NEON].usable);
}
#elif defined(__aarch64__)
Test(features, neon_is_there)
{
    struct cpu cpu;
    cpu_detect(&cpu);
    cr_expect(cpu.isa[ISA_NEON].usable);
    cr_expect_not(cpu.isa[ISA_AVX2].usable);
}
#endif

Test(isa, names)
{
    for (int i = 0; i < ISA_COUNT; i++) {
        enum isa isa = ISA_COUNT;
        struct error e;
        cr_expect(isa_parse(isa_name((enum isa)i), &isa, &e));
        cr_expect_eq(isa, (enum isa)i);
    }
    static const char *const wrong[] = {"", "avx", "avx5120", "AVX2", "avx2 ", "scalar,avx2"};
    for (int i = 0; i < COUNT(wrong); i++) {
        enum isa isa;
        struct error e;
        cr_expect_not(isa_parse(wrong[i], &isa, &e), "'%s'", wrong[i]);
        cr_expect(strstr(e.text, "there are scalar, avx2, avx512, neon"), "%s", e.text);
    }
}

#define ALL (1U << ISA_SCALAR | 1U << ISA_AVX2 | 1U << ISA_AVX512 | 1U << ISA_NEON)
#define BIT(isa) (1U << ISA_##isa)

Test(isa, selection)
{
    static const struct {
        const struct cpu_dump *cpu;
        unsigned built;
        const char *environment, *option;
        unsigned expected; /**< 0: an error, with this text: */
        const char *error;
    } rows[] = {
        {&skylake_x_like, ALL, NULL, NULL, BIT(SCALAR) | BIT(AVX2) | BIT(AVX512), NULL},
        {&skylake_x_like, BIT(SCALAR) | BIT(AVX2), NULL, NULL, BIT(SCALAR) | BIT(AVX2), NULL},
        {&zen3_like, ALL, NULL, NULL, BIT(SCALAR) | BIT(AVX2), NULL},
        {&neoverse_n1_like, ALL, NULL, NULL, BIT(SCALAR) | BIT(NEON), NULL},
        {&skylake_x_like, ALL, "", NULL, BIT(SCALAR) | BIT(AVX2) | BIT(AVX512), NULL},
        {&skylake_x_like, ALL, "avx2", NULL, BIT(AVX2), NULL},
        {&skylake_x_like, ALL, "avx512,scalar", NULL, BIT(SCALAR) | BIT(AVX512), NULL},
        {&skylake_x_like, ALL, NULL, "avx2,avx2", BIT(AVX2), NULL},
        {&skylake_x_like, ALL, "scalar,avx2", "avx2", BIT(AVX2), NULL},
        {&skylake_x_like, ALL, "avx2", "avx512", 0,
         "--isa: avx512 cannot be used: removed by RESMARK_ISA"},
        {&zen3_like, ALL, NULL, "scalar,avx512", 0,
         "--isa: avx512 cannot be used: CPUID has no AVX-512F"},
        {&zen3_like, ALL, "avx512", NULL, 0,
         "RESMARK_ISA: avx512 cannot be used: CPUID has no AVX-512F"},
        {&skylake_x_like, BIT(SCALAR), NULL, "avx2", 0,
         "--isa: avx2 cannot be used: not in this build"},
        {&skylake_x_like, ALL, NULL, "neon", 0, "--isa: neon cannot be used: another architecture"},
        {&skylake_x_like, ALL, NULL, "sse", 0,
         "--isa: unknown ISA 'sse': there are scalar, avx2, avx512, neon"},
        {&skylake_x_like, ALL, NULL, "avx2,", 0,
         "--isa: unknown ISA '': there are scalar, avx2, avx512, neon"},
        {&skylake_x_like, ALL, NULL, "", 0,
         "--isa: unknown ISA '': there are scalar, avx2, avx512, neon"},
        {&skylake_x_like, ALL, "all", "avx2", 0,
         "RESMARK_ISA: unknown ISA 'all': there are scalar, avx2, avx512, neon"},
        {&no_fma, ALL, NULL, NULL, 0, "no ISA can be used on this CPU: scalar: CPUID has no FMA"},
        {&no_fma, ALL, "", NULL, 0, "no ISA can be used on this CPU: scalar: CPUID has no FMA"},
        {&no_fma, ALL, NULL, "scalar", 0, "--isa: scalar cannot be used: CPUID has no FMA"},
    };
    for (int i = 0; i < COUNT(rows); i++) {
        struct cpu cpu = decode(&rows[i].cpu->words);
        struct isa_list list = {0};
        struct error e = {""};
        bool ok = isa_select(&cpu, rows[i].built, rows[i].environment, rows[i].option, &list, &e);
        unsigned mask = 0;
        for (int k = 0; k < list.count; k++) {
            cr_expect(k == 0 || list.isas[k] > list.isas[k - 1], "row %d is not ascending", i);
            mask |= 1U << list.isas[k];
        }
        cr_expect_eq(ok, rows[i].expected != 0, "row %d: %s", i, e.text);
        cr_expect_eq(mask, rows[i].expected, "row %d: mask %#x", i, mask);
        cr_expect_str_eq(e.text, rows[i].error ? rows[i].error : "", "row %d: %s", i, e.text);
    }
}

Test(clock, nanoseconds)
{
    uint64_t last = 0;
    for (int i = 0; i < 1000; i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        uint64_t now = clock_ns();
        clock_gettime(CLOCK_MONOTONIC, &after);
        cr_assert_geq(now, (uint64_t)before.tv_sec * 1000000000 + (uint64_t)before.tv_nsec);
        cr_assert_leq(now, (uint64_t)after.tv_sec * 1000000000 + (uint64_t)after.tv_nsec);
        cr_assert_geq(now, last);
        last = now;
    }
}

/**
 * Each span of one clock encloses the other's, so a pause at a bad moment cannot fail this. 2 %
 * is far from both a wrong unit and what a busy machine does to the rate.
 */
Test(clock, ticks)
{
    double hz = clock_tick_hz();
    struct timespec pause = {.tv_nsec = 20000000};
    uint64_t ns0 = clock_ns(), ticks0 = clock_ticks(), ns1 = clock_ns();
    nanosleep(&pause, NULL);
    uint64_t ns2 = clock_ns(), ticks1 = clock_ticks(), ns3 = clock_ns();
    double ticks = (double)(ticks1 - ticks0);
    cr_expect_gt(ticks1, ticks0);
    cr_expect_leq(ticks, (double)(ns3 - ns0) * 1e-9 * hz * 1.02);
    cr_expect_geq(ticks, (double)(ns2 - ns1) * 1e-9 * hz * 0.98);
    for (int i = 0; i < 1000; i++) {
        uint64_t first = clock_ticks();
        cr_assert_geq(clock_ticks(), first);
    }
}

#if defined(__x86_64__)
Test(clock, ticks_are_the_whole_counter)
{
    uint64_t before = __builtin_ia32_rdtsc();
    uint64_t ticks = clock_ticks();
    cr_expect(before <= ticks && ticks <= __builtin_ia32_rdtsc());
}
#endif

/** No core is so slow or so fast: a chain that the CPU shortens, or a wrong unit, is outside. */
Test(clock, core)
{
    double hz = clock_core_hz();
    cr_expect_gt(hz, 0.1e9, "%g", hz);
    cr_expect_lt(hz, 7e9, "%g", hz);
}
