/** Where several instances of an engine go, so that none is spread over NUMA nodes without need. */
#ifndef RESMARK_HARNESS_MEASURE_PLACEMENT_H
#define RESMARK_HARNESS_MEASURE_PLACEMENT_H

#include "arch/topology.h"

/**
 * Fills cpus[instance * threads + thread] with positions in the topology's pin order, each used
 * once: cores before SMT siblings, and each instance inside one NUMA node as long as one has room,
 * the emptiest first. Instance 0 begins with position 0, to which the thread that measures is
 * pinned. Returns the instances that are spread over nodes, or -1 when there are fewer PUs than
 * instances x threads.
 */
int placement_make(const struct topology *topology, int instances, int threads, int *positions);

#endif
