/** Topologies made up for hwloc, this machine's own, and what is left without any. */
#include "arch/topology.h"

#include <criterion/criterion.h>
#include <hwloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/** Two packages of four cores with SMT, numbered as Linux does: siblings are 8 apart. */
#define TWO_PACKAGES                                                                               \
    "pack:2 [numa] l3:1(size=33554432) l2:4(size=524288) l1d:1(size=32768) core:1 "                \
    "pu:2(indexes=0,8,1,9,2,10,3,11,4,12,5,13,6,14,7,15)"

static hwloc_topology_t synthetic(const char *description)
{
    hwloc_topology_t machine;
    cr_assert_eq(hwloc_topology_init(&machine), 0);
    cr_assert_eq(hwloc_topology_set_synthetic(machine, description), 0, "%s", description);
    cr_assert_eq(hwloc_topology_set_all_types_filter(machine, HWLOC_TYPE_FILTER_KEEP_ALL), 0);
    cr_assert_eq(hwloc_topology_load(machine), 0);
    return machine;
}

static struct topology build(hwloc_topology_t machine, const int *allowed, int count)
{
    struct topology t;
    struct error e;
    memset(&t, 0x5a, sizeof t);
    cr_assert(topology_build(&t, machine, allowed, count, &e), "%s", e.text);
    cr_assert_eq(t.allowed_pus, count);
    return t;
}

static void check_order(const struct topology *t, const int *expected, int count)
{
    cr_assert_eq(t->allowed_pus, count);
    for (int i = 0; i < count; i++)
        cr_expect_eq(t->pin_order[i], expected[i], "place %d: PU %d instead of %d", i,
                     t->pin_order[i], expected[i]);
}

Test(topology, two_packages_with_smt)
{
    static const int all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    hwloc_topology_t machine = synthetic(TWO_PACKAGES);
    struct topology t = build(machine, all, COUNT(all));
    cr_expect_eq(t.packages, 2);
    cr_expect_eq(t.numa_nodes, 2);
    cr_expect_eq(t.cores, 8);
    cr_expect_eq(t.pus, 16);
    cr_expect_eq(t.core_kinds, 1);
    cr_expect_eq(t.allowed_cores, 8);
    check_order(&t, all, COUNT(all)); /* Linux numbers them in just the order that is wanted */
    for (int i = 0; i < COUNT(all); i++)
        cr_expect_eq(t.pin_nodes[i], all[i] / 4 % 2, "PU %d: node %d", all[i], t.pin_nodes[i]);
    cr_expect_eq(t.caches[0].bytes, 32 << 10);
    cr_expect_eq(t.caches[0].sharing_pus, 2);
    cr_expect_eq(t.caches[0].line_bytes, 64);
    cr_expect_eq(t.caches[1].bytes, 512 << 10);
    cr_expect_eq(t.caches[1].sharing_pus, 2);
    cr_expect_eq(t.caches[2].bytes, 32 << 20);
    cr_expect_eq(t.caches[2].sharing_pus, 8);
    cr_expect_eq(t.caches[3].bytes, 0);
    topology_free(&t);
    cr_expect_null(t.pin_order);
    cr_expect_null(t.pin_nodes);
    hwloc_topology_destroy(machine);
}

/** Siblings next to each other, as many virtual machines number them. */
Test(topology, siblings_are_neighbours)
{
    static const int all[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const int expected[] = {0, 2, 4, 6, 1, 3, 5, 7};
    hwloc_topology_t machine = synthetic("core:4 pu:2");
    struct topology t = build(machine, all, COUNT(all));
    cr_expect_eq(t.allowed_cores, 4);
    check_order(&t, expected, COUNT(expected));
    topology_free(&t);
    hwloc_topology_destroy(machine);
}

/** A cpuset that cuts through cores, with one core of which only the sibling is allowed. */
Test(topology, cpuset_smaller_than_the_machine)
{
    static const int allowed[] = {1, 6, 9, 12, 14};
    static const int expected[] = {1, 12, 6, 9, 14};
    hwloc_topology_t machine = synthetic(TWO_PACKAGES);
    struct topology t = build(machine, allowed, COUNT(allowed));
    cr_expect_eq(t.allowed_cores, 3);
    cr_expect_eq(t.cores, 8);
    cr_expect_eq(t.pus, 16);
    check_order(&t, expected, COUNT(expected));
    topology_free(&t);
    hwloc_topology_destroy(machine);
}

static void register_kind(hwloc_topology_t machine, int first, int last, int efficiency)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    hwloc_bitmap_set_range(set, (unsigned)first, last);
    cr_assert_eq(hwloc_cpukinds_register(machine, set, efficiency, 0, NULL, 0), 0);
    hwloc_bitmap_free(set);
}

/** The slow cores come first in the numbering and have no SMT. */
static hwloc_topology_t hybrid(void)
{
    hwloc_topology_t machine = synthetic("core:4 pu:2");
    hwloc_bitmap_t left = hwloc_bitmap_alloc();
    hwloc_bitmap_sscanf(left, "0xf5"); /* PUs 0, 2; 4 to 7 */
    cr_assert_eq(hwloc_topology_restrict(machine, left, 0), 0);
    hwloc_bitmap_free(left);
    return machine;
}

Test(topology, fast_cores_first)
{
    static const int all[] = {0, 2, 4, 5, 6, 7};
    static const int expected[] = {4, 6, 0, 2, 5, 7};
    hwloc_topology_t machine = hybrid();
    register_kind(machine, 0, 3, 10);
    register_kind(machine, 4, 7, 20);
    struct topology t = build(machine, all, COUNT(all));
    cr_expect_eq(t.core_kinds, 2);
    cr_expect_eq(t.allowed_cores, 4);
    check_order(&t, expected, COUNT(expected));
    topology_free(&t);
    hwloc_topology_destroy(machine);
}

/** Kinds which hwloc cannot rank are in no order, so they must not decide. */
Test(topology, kinds_without_a_rank)
{
    static const int all[] = {0, 2, 4, 5, 6, 7};
    static const int expected[] = {0, 2, 4, 6, 5, 7};
    hwloc_topology_t machine = hybrid();
    register_kind(machine, 0, 3, -1);
    register_kind(machine, 4, 7, -1);
    struct topology t = build(machine, all, COUNT(all));
    check_order(&t, expected, COUNT(expected));
    topology_free(&t);
    hwloc_topology_destroy(machine);
}

Test(topology, hwloc_knows_less_than_the_affinity)
{
    static const int allowed[] = {0, 1, 4, 5};
    static const int expected[] = {0, 4, 5, 1};
    hwloc_topology_t machine = synthetic("core:1 pu:2");
    struct topology t = build(machine, allowed, COUNT(allowed));
    cr_expect_eq(t.allowed_cores, 3);
    cr_expect_eq(t.cores, 3);
    cr_expect_eq(t.pus, 4);
    check_order(&t, expected, COUNT(expected));
    topology_free(&t);
    hwloc_topology_destroy(machine);
}

Test(topology, no_cores_in_sight)
{
    static const int allowed[] = {2};
    hwloc_topology_t machine = synthetic("pu:4");
    struct topology t = build(machine, allowed, COUNT(allowed));
    cr_expect_eq(t.cores, 4);
    cr_expect_eq(t.allowed_cores, 1);
    topology_free(&t);
    hwloc_topology_destroy(machine);
}

static void check_bare(const struct topology *t, int count)
{
    cr_expect_eq(t->packages, 0);
    cr_expect_eq(t->numa_nodes, 0);
    cr_expect_eq(t->cores, count);
    cr_expect_eq(t->pus, count);
    cr_expect_eq(t->core_kinds, 1);
    cr_expect_eq(t->allowed_cores, count);
    for (int i = 0; i < CACHE_LEVELS; i++)
        cr_expect_eq(t->caches[i].bytes + t->caches[i].line_bytes, 0);
}

Test(topology, no_hwloc_at_all)
{
    static const int allowed[] = {3, 5, 200};
    struct topology t = build(NULL, allowed, COUNT(allowed));
    check_bare(&t, COUNT(allowed));
    check_order(&t, allowed, COUNT(allowed));
    topology_free(&t);
}

/** The CPUs that this thread may run on, ascending. */
static int affinity(int *cpus)
{
    cpu_set_t set;
    cr_assert_eq(sched_getaffinity(0, sizeof set, &set), 0);
    int count = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &set))
            cpus[count++] = cpu;
    }
    return count;
}

static int compare_ints(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

static struct topology read_topology(void)
{
    struct topology t;
    struct error e;
    cr_assert(topology_read(&t, &e), "%s", e.text);
    return t;
}

Test(topology, this_machine)
{
    int cpus[CPU_SETSIZE];
    int count = affinity(cpus);
    struct topology t = read_topology();
    cr_assert_eq(t.allowed_pus, count);
    cr_expect_leq(t.allowed_pus, t.pus);
    cr_expect_leq(t.allowed_cores, t.cores);
    cr_expect(t.allowed_cores >= 1 && t.allowed_cores <= t.allowed_pus);
    qsort(t.pin_order, (size_t)count, sizeof *t.pin_order, compare_ints);
    check_order(&t, cpus, count); /* each exactly once */
    topology_free(&t);
}

Test(topology, one_cpu)
{
    int cpus[CPU_SETSIZE];
    int last = cpus[affinity(cpus) - 1];
    struct topology all = read_topology();
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(last, &set);
    cr_assert_eq(sched_setaffinity(0, sizeof set, &set), 0);

    struct topology t = read_topology();
    check_order(&t, &last, 1);
    cr_expect_eq(t.allowed_cores, 1);
    cr_expect_eq(t.pus, all.pus, "the machine has not become smaller");
    cr_expect(topology_pin_thread(&t, 0));
    topology_free(&t);
    topology_free(&all);
}

/** hwloc finds an empty directory for /, and must not ask CPUID instead. */
Test(topology, no_sys)
{
    char root[] = "/tmp/resmark-topology-XXXXXX";
    cr_assert(mkdtemp(root));
    setenv("HWLOC_FSROOT", root, 1);
    setenv("HWLOC_COMPONENTS", "-x86", 1);
    int cpus[CPU_SETSIZE];
    int count = affinity(cpus);
    struct topology t = read_topology();
    rmdir(root);
    check_order(&t, cpus, count);
    cr_expect_eq(t.allowed_cores, count);
    cr_expect_eq(t.packages, 0);
    for (int i = 0; i < CACHE_LEVELS; i++)
        cr_expect_eq(t.caches[i].bytes, 0);
    cr_expect(topology_pin_thread(&t, 0));
    topology_free(&t);
}

Test(topology, pinning)
{
    struct topology t = read_topology();
    for (int nth = 0; nth < 2 * t.allowed_pus; nth++) {
        cr_assert(topology_pin_thread(&t, nth));
        int cpus[CPU_SETSIZE];
        cr_assert_eq(affinity(cpus), 1);
        cr_expect_eq(cpus[0], t.pin_order[nth % t.allowed_pus]);
        cr_expect_eq(sched_getcpu(), cpus[0]);
    }
    topology_free(&t);
}

/** CPU 60000 is refused, and the thread stays where it was. */
Test(topology, pinning_refused)
{
    int order[] = {60000};
    struct topology t = {.allowed_pus = 1, .pin_order = order};
    int before[CPU_SETSIZE], after[CPU_SETSIZE];
    int count = affinity(before);
    cr_expect_not(topology_pin_thread(&t, 0));
    cr_assert_eq(affinity(after), count);
    cr_expect_arr_eq(after, before, (size_t)count * sizeof *after);
}
