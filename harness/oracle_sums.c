#include "harness/oracle_sums.h"

#include "arch/cpu.h"

#include <pthread.h>
#include <stdlib.h>

/* Each is oracle_sums_add.c, built with that ISA's flags. */
extern oracle_sums_add oracle_sums_add__scalar;
#ifdef __x86_64__
extern oracle_sums_add oracle_sums_add__avx2, oracle_sums_add__avx512;
#endif

static oracle_sums_add *const built[ISA_COUNT] = {
    [ISA_SCALAR] = oracle_sums_add__scalar,
#ifdef __x86_64__
    [ISA_AVX2] = oracle_sums_add__avx2,
    [ISA_AVX512] = oracle_sums_add__avx512,
#endif
};

static pthread_once_t chosen = PTHREAD_ONCE_INIT;
static oracle_sums_add *best = oracle_sums_add__scalar;

oracle_sums_add *oracle_sums_get(enum isa isa)
{
    return built[isa];
}

/* What isa_select() refuses leaves the one that runs everywhere. */
static void choose(void)
{
    struct cpu cpu;
    struct isa_list list;
    struct error e;
    unsigned mask = 0;
    for (unsigned isa = 0; isa < ISA_COUNT; isa++)
        mask |= built[isa] ? 1u << isa : 0;
    cpu_detect(&cpu);
    if (isa_select(&cpu, mask, getenv(ISA_ENVIRONMENT), NULL, &list, &e))
        best = built[list.isas[list.count - 1]];
}

oracle_sums_add *oracle_sums_best(void)
{
    pthread_once(&chosen, choose);
    return best;
}
