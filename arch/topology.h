/** Packages, cores, caches, and where threads go. */
#ifndef RESMARK_ARCH_TOPOLOGY_H
#define RESMARK_ARCH_TOPOLOGY_H

#include "arch/error.h"

#include <stdbool.h>
#include <stddef.h>

/** L1 to L4; deeper ones do not exist so far. */
#define CACHE_LEVELS 4

/** A data or unified cache; 0 where something is not known. */
struct cache {
    size_t bytes;
    size_t line_bytes;
    int sharing_pus; /**< PUs (hardware threads) that share one such cache */
};

/**
 * A PU is what the operating system schedules on: a core without SMT, or one of its hardware
 * threads. "Allowed" is what the affinity of the calling thread leaves, cpusets included.
 */
struct topology {
    int packages;   /**< of the machine; 0 when not known */
    int numa_nodes; /**< of the machine; 0 when not known */
    int cores;      /**< of the machine */
    int pus;        /**< of the machine */
    int core_kinds; /**< 2 or more on a hybrid machine; 1 when all are alike or nothing is known */
    int allowed_cores;
    int allowed_pus;
    struct cache caches[CACHE_LEVELS]; /**< [0] is L1d; as the first PU of pin_order sees them */
    /**
     * OS indices of the allowed PUs in the order in which threads take them: one a core, faster
     * kinds of cores first, neighbours before distant ones; then the SMT siblings the same way.
     */
    int *pin_order;
    int *pin_nodes; /**< the NUMA node (OS index) of each of them; 0 where nothing is known */
};

struct hwloc_topology;

/**
 * Describes this machine: as hwloc sees it, or where hwloc sees nothing (it reads /sys, and asks
 * CPUID without), as the scheduler does. To be called before the thread is pinned, since its
 * affinity is what is allowed, and before there are other threads, since hwloc is told through an
 * environment variable to be silent. False only when memory runs out. topology_free() releases it.
 */
bool topology_read(struct topology *topology, struct error *e);

/**
 * The same from a loaded hwloc topology and a list of the allowed PUs, ascending and at least one.
 * An allowed PU which hwloc does not show is taken for a core; `machine` may be NULL.
 */
bool topology_build(struct topology *topology, struct hwloc_topology *machine, const int *allowed,
                    int allowed_count, struct error *e);

void topology_free(struct topology *topology);

/**
 * Pins the calling thread as the thread of index `nth` (from 0; beyond the last PU they begin
 * again). False when the system refuses, which costs precision but is no reason to stop.
 */
bool topology_pin_thread(const struct topology *topology, int nth);

#endif
