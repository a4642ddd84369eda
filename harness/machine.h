/** This machine as every command shows it: CPU, topology, limits, clocks. */
#ifndef RESMARK_HARNESS_MACHINE_H
#define RESMARK_HARNESS_MACHINE_H

#include "arch/cpu.h"
#include "arch/topology.h"
#include "kernels/kernels.h"

/** The compiler that built this. */
#ifdef __clang__
#define MACHINE_COMPILER "clang " __clang_version__
#else
#define MACHINE_COMPILER "gcc " __VERSION__
#endif

struct machine {
    struct cpu cpu;
    struct topology topology;
    double quota; /**< cores; 0 for none */
    int default_threads;
    char huge_pages[32]; /**< the kernel's word for transparent ones; empty when not known */
};

/** Describes this machine. False with `e` set when memory runs out; machine_free() releases. */
bool machine_read(struct machine *machine, struct error *e);
void machine_free(struct machine *machine);

/** Bit 1 << isa for every ISA that this build has kernels for: what isa_select() asks for. */
unsigned machine_built_isas(void);

#endif
