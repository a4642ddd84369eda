/** The CPU of this machine, and which ISAs a run may use on it. */
#ifndef RESMARK_ARCH_CPU_H
#define RESMARK_ARCH_CPU_H

#include "arch/cpu_features.h"
#include "arch/error.h"
#include "arch/isa.h"

#include <stdbool.h>

/** The environment variable with a comma-separated list of the ISAs to keep. */
#define ISA_ENVIRONMENT "RESMARK_ISA"

/** ISAs that may be used, in ascending order of preference. */
struct isa_list {
    int count;
    enum isa isas[ISA_COUNT];
};

/**
 * Reads the words of the CPU that this thread runs on. On a machine with several kinds of cores
 * the identity (MIDR, family and model) is that core's; the features are those of all of them.
 */
void cpu_read_words(struct cpu_words *words);

/** Reads and decodes the words of this machine. */
void cpu_detect(struct cpu *cpu);

/** "scalar", "avx2", "avx512" or "neon". */
const char *isa_name(enum isa isa);

/** The ISA of that exact name. False with the known names in `e` when there is none. */
bool isa_parse(const char *name, enum isa *isa, struct error *e);

/**
 * Why an ISA cannot be used, or NULL when it can. `built` has bit 1 << isa set for every ISA that
 * this build has kernels for. The text belongs to `cpu` or is static.
 */
const char *isa_obstacle(const struct cpu *cpu, unsigned built, enum isa isa);

/**
 * The ISAs that a run may use: all usable ones, reduced to those that `environment` (the value of
 * RESMARK_ISA; NULL or "" for unset) and then `option` (the value of --isa; NULL when not given)
 * name in a comma-separated list. Neither can add an ISA, so naming one that is not there is an
 * error with its reason, never a silent fallback; an unknown name is one too, and so is a CPU that
 * can use none, with the reason of the least demanding. All are errors of usage (exit status 2).
 */
bool isa_select(const struct cpu *cpu, unsigned built, const char *environment, const char *option,
                struct isa_list *list, struct error *e);

#endif
