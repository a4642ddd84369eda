#include "arch/topology.h"

#include <hwloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** More CPUs than any Linux kernel can be configured for (NR_CPUS ends at 8192 on x86-64). */
#define CPU_LIMIT 65536

/** What decides the place of a PU in the pin order. */
struct place {
    int pu;      /**< OS index */
    int core;    /**< logical index; -1 - pu, so unlike any other, where hwloc shows no core */
    int sibling; /**< how many allowed PUs of the same core come before this one */
    int node;    /**< OS index of the NUMA node */
    int speed;   /**< of the kind of core, higher is faster */
    int order;   /**< hwloc's: neighbours follow each other */
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->sibling != b->sibling)
        return a->sibling < b->sibling ? -1 : 1;
    if (a->speed != b->speed)
        return a->speed > b->speed ? -1 : 1;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return (a->pu > b->pu) - (a->pu < b->pu);
}

/** A higher number for a faster kind of core, 0 when nothing tells them apart. */
static int speed_of(hwloc_topology_t machine, hwloc_const_cpuset_t pu)
{
    int kind = hwloc_cpukinds_get_by_cpuset(machine, pu, 0);
    int rank = 0; /* hwloc calls it efficiency, but the fastest kind ranks highest */
    if (kind < 0 ||
        hwloc_cpukinds_get_info(machine, (unsigned)kind, NULL, &rank, NULL, NULL, 0) < 0)
        return 0;
    return rank > 0 ? rank : 0;
}

static struct place find_place(hwloc_topology_t machine, int pu)
{
    struct place place = {.pu = pu, .core = -1 - pu, .order = pu};
    hwloc_obj_t found = machine ? hwloc_get_pu_obj_by_os_index(machine, (unsigned)pu) : NULL;
    if (!found)
        return place;
    place.order = (int)found->logical_index;
    place.speed = speed_of(machine, found->cpuset);
    place.node = hwloc_bitmap_first(found->nodeset);
    hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(machine, HWLOC_OBJ_CORE, found);
    if (core)
        place.core = (int)core->logical_index;
    return place;
}

static void number_siblings(struct place *places, int count)
{
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < i; j++)
            places[i].sibling += places[j].core == places[i].core;
    }
}

static int at_least(int value, int minimum)
{
    return value > minimum ? value : minimum;
}

static bool order_pus(struct topology *topology, hwloc_topology_t machine, const int *allowed,
                      int count)
{
    struct place *places = malloc((size_t)count * sizeof *places);
    topology->pin_order = malloc((size_t)count * sizeof *topology->pin_order);
    topology->pin_nodes = malloc((size_t)count * sizeof *topology->pin_nodes);
    if (!places || !topology->pin_order || !topology->pin_nodes) {
        free(places);
        return false;
    }
    for (int i = 0; i < count; i++)
        places[i] = find_place(machine, allowed[i]);
    number_siblings(places, count);
    qsort(places, (size_t)count, sizeof *places, compare_places);
    for (int i = 0; i < count; i++) {
        topology->pin_order[i] = places[i].pu;
        topology->pin_nodes[i] = at_least(places[i].node, 0);
        topology->allowed_cores += places[i].sibling == 0;
    }
    topology->allowed_pus = count;
    free(places);
    return true;
}

static void find_caches(struct topology *topology, hwloc_topology_t machine)
{
    hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(machine, (unsigned)topology->pin_order[0]);
    for (hwloc_obj_t o = pu; o; o = o->parent) {
        if (!hwloc_obj_type_is_dcache(o->type) || o->attr->cache.depth > CACHE_LEVELS)
            continue;
        struct cache *cache = &topology->caches[o->attr->cache.depth - 1];
        cache->bytes = (size_t)o->attr->cache.size;
        cache->line_bytes = o->attr->cache.linesize;
        cache->sharing_pus = hwloc_bitmap_weight(o->cpuset);
    }
}

/** Without hwloc, or with one that saw little, the machine is at least what is allowed of it. */
static void count_objects(struct topology *topology, hwloc_topology_t machine)
{
    int cores = 0;
    if (machine) {
        topology->packages = at_least(hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_PACKAGE), 0);
        topology->numa_nodes = at_least(hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_NUMANODE), 0);
        topology->pus = hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_PU);
        topology->core_kinds = hwloc_cpukinds_get_nr(machine, 0);
        cores = hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_CORE);
    }
    topology->pus = at_least(topology->pus, topology->allowed_pus);
    topology->cores = at_least(cores > 0 ? cores : topology->pus, topology->allowed_cores);
    topology->core_kinds = at_least(topology->core_kinds, 1);
}

bool topology_build(struct topology *topology, struct hwloc_topology *machine, const int *allowed,
                    int allowed_count, struct error *e)
{
    memset(topology, 0, sizeof *topology);
    if (!order_pus(topology, machine, allowed, allowed_count)) {
        topology_free(topology);
        return error_set(e, "out of memory for the topology of %d CPUs", allowed_count);
    }
    count_objects(topology, machine);
    if (machine)
        find_caches(topology, machine);
    return true;
}

static int *list_cpus(const cpu_set_t *set, size_t size, int limit, int *count)
{
    int *cpus = malloc((size_t)CPU_COUNT_S(size, set) * sizeof *cpus);
    *count = 0;
    for (int cpu = 0; cpus && cpu < limit; cpu++) {
        if (CPU_ISSET_S(cpu, size, set))
            cpus[(*count)++] = cpu;
    }
    return cpus;
}

/** The CPUs of the thread's affinity, ascending; NULL when the system does not tell. */
static int *affinity_cpus(int *count)
{
    int *cpus = NULL;
    for (int limit = CPU_SETSIZE; !cpus && limit <= CPU_LIMIT; limit *= 2) {
        size_t size = CPU_ALLOC_SIZE(limit);
        cpu_set_t *set = CPU_ALLOC(limit);
        if (set && sched_getaffinity(0, size, set) == 0) /* fails if the kernel's set is longer */
            cpus = list_cpus(set, size, limit, count);
        CPU_FREE(set);
    }
    return cpus;
}

static int *online_cpus(int *count)
{
    *count = at_least((int)sysconf(_SC_NPROCESSORS_ONLN), 1);
    int *cpus = malloc((size_t)*count * sizeof *cpus);
    for (int i = 0; cpus && i < *count; i++)
        cpus[i] = i;
    return cpus;
}

/** What hwloc finds out about this machine, CPUs outside the cpuset included; NULL if nothing. */
static hwloc_topology_t load_hwloc(void)
{
    hwloc_topology_t machine;
    setenv("HWLOC_HIDE_ERRORS", "2", 0); /* what it complains about on stderr is survived here */
    if (hwloc_topology_init(&machine) < 0)
        return NULL;
    if (hwloc_topology_set_flags(machine, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) < 0 ||
        hwloc_topology_load(machine) < 0) {
        hwloc_topology_destroy(machine);
        return NULL;
    }
    return machine;
}

bool topology_read(struct topology *topology, struct error *e)
{
    int count;
    int *cpus = affinity_cpus(&count);
    if (!cpus)
        cpus = online_cpus(&count);
    if (!cpus) {
        memset(topology, 0, sizeof *topology);
        return error_set(e, "out of memory for a list of %d CPUs", count);
    }
    hwloc_topology_t machine = load_hwloc();
    bool built = topology_build(topology, machine, cpus, count, e);
    if (machine)
        hwloc_topology_destroy(machine);
    free(cpus);
    return built;
}

void topology_free(struct topology *topology)
{
    free(topology->pin_order);
    free(topology->pin_nodes);
    topology->pin_order = topology->pin_nodes = NULL;
}

bool topology_pin_thread(const struct topology *topology, int nth)
{
    int cpu = topology->pin_order[nth % topology->allowed_pus];
    cpu_set_t *set = CPU_ALLOC(cpu + 1);
    if (!set)
        return false;
    size_t size = CPU_ALLOC_SIZE(cpu + 1);
    CPU_ZERO_S(size, set);
    CPU_SET_S(cpu, size, set);
    bool pinned = sched_setaffinity(0, size, set) == 0; /* 0 is the calling thread */
    CPU_FREE(set);
    return pinned;
}
