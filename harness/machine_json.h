/** The parts of a machine as `resmark info --json` and result files have them. */
#ifndef RESMARK_HARNESS_MACHINE_JSON_H
#define RESMARK_HARNESS_MACHINE_JSON_H

#include "arch/cpu.h"
#include "arch/topology.h"

#include <jansson.h>

/** Architecture, vendor, brand, family, model, stepping, features. NULL when memory runs out. */
json_t *machine_cpu_json(const struct cpu *cpu);

/** Counts of packages to PUs, those allowed, the pin order and the caches. NULL as above. */
json_t *machine_topology_json(const struct topology *t);

#endif
