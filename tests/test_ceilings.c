/* Sizes of the buffers that bandwidth is measured with, the copies, and a measurement. */
#include "arch/cpu.h"
#include "harness/machine.h"
#include "harness/measure/ceilings.h"
#include "harness/measure/stream.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

/* 8 cores with two threads each, 32 KiB and 1 MiB of their own, and a last level for all. */
static struct topology eight_cores(size_t last)
{
    return (struct topology){
        .cores = 8,
        .pus = 16,
        .caches = {{KIB(32), 64, 2}, {MIB(1), 64, 2}, {last, 64, last ? 16 : 0}}};
}

Test(ceilings, a_cache_is_shared_by_cores_and_not_by_siblings)
{
    struct topology t = eight_cores(MIB(32));
    cr_expect_eq(ceilings_cache_share(&t, 1, 8), KIB(32));
    cr_expect_eq(ceilings_cache_share(&t, 3, 1), MIB(32));
    cr_expect_eq(ceilings_cache_share(&t, 3, 4), MIB(8));
    cr_expect_eq(ceilings_cache_share(&t, 3, 16), MIB(4));
}

Test(ceilings, buffers_fit_their_level_and_not_the_one_above)
{
    struct topology t = eight_cores(MIB(32));
    for (int threads = 1; threads <= 8; threads++) {
        size_t above = 0;
        for (int level = 1; level <= 3; level++) {
            size_t bytes = ceilings_buffer_bytes(&t, level, threads, MIB(8192));
            size_t share = ceilings_cache_share(&t, level, threads);
            cr_expect(bytes > above && bytes < share, "L%d, %d threads: %zu", level, threads,
                      bytes);
            cr_expect_eq(bytes % (2 * STREAM_FLOATS * sizeof(float)), 0);
            above = share;
        }
        size_t dram = ceilings_buffer_bytes(&t, CEILINGS_DRAM, threads, MIB(8192));
        cr_expect(dram * (size_t)threads > MIB(63), "DRAM, %d threads: %zu", threads, dram);
    }
    cr_expect_eq(ceilings_buffer_bytes(&t, 4, 1, MIB(8192)), 0);
}

Test(ceilings, a_level_no_larger_than_the_one_above_is_left_out)
{
    struct topology t = eight_cores(MIB(8));
    cr_expect_gt(ceilings_buffer_bytes(&t, 3, 1, MIB(8192)), MIB(1));
    cr_expect_eq(ceilings_buffer_bytes(&t, 3, 8, MIB(8192)), 0);
}

Test(ceilings, little_memory_leaves_dram_out)
{
    struct topology t = eight_cores(MIB(32));
    cr_expect_eq(ceilings_buffer_bytes(&t, CEILINGS_DRAM, 1, MIB(100)), 0);
    cr_expect_eq(ceilings_buffer_bytes(&t, CEILINGS_DRAM, 1, MIB(200)), MIB(50));
}

Test(ceilings, unknown_caches_leave_dram)
{
    struct topology t = {.cores = 2, .pus = 2};
    for (int level = 1; level <= CACHE_LEVELS; level++)
        cr_expect_eq(ceilings_buffer_bytes(&t, level, 2, MIB(8192)), 0);
    cr_expect_eq(ceilings_buffer_bytes(&t, CEILINGS_DRAM, 2, MIB(8192)), MIB(128));
}

static struct isa_list usable_isas(void)
{
    struct cpu cpu;
    struct isa_list list;
    struct error e;
    cpu_detect(&cpu);
    cr_assert(isa_select(&cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), NULL, &list, &e),
              "%s", e.text);
    return list;
}

Test(stream, copies_all_and_no_more_on_every_isa)
{
    enum { FLOATS = 5 * STREAM_FLOATS };
    struct isa_list isas = usable_isas();
    float *from = aligned_alloc(64, sizeof(float[FLOATS]));
    float *to = aligned_alloc(64, sizeof(float[FLOATS + 16]));
    cr_assert(from && to);
    for (int i = 0; i < FLOATS; i++)
        from[i] = (float)(i + 1);
    for (int i = 0; i < isas.count; i++) {
        memset(to, 0, sizeof(float[FLOATS + 16]));
        stream_get(isas.isas[i]).copy(from, to, FLOATS);
        stream_get(isas.isas[i]).read(from, FLOATS);
        cr_expect_eq(memcmp(from, to, sizeof(float[FLOATS])), 0, "%s", isa_name(isas.isas[i]));
        for (int k = FLOATS; k < FLOATS + 16; k++)
            cr_expect_eq(to[k], 0, "%s", isa_name(isas.isas[i]));
    }
    free(from);
    free(to);
}

/* Whoever loses its core before the first part has a figure all the same: no time is left here. */
Test(ceilings, a_probe_without_time_has_a_rate)
{
    struct topology t;
    struct error e;
    cr_assert(topology_read(&t, &e), "%s", e.text);
    struct team *team = team_create(1, &t, &e);
    cr_assert(team, "%s", e.text);
    struct isa_list isas = usable_isas();
    for (int i = 0; i < isas.count; i++) {
        double gflops = ceilings_probe(kernel_set_get(isas.isas[i]), team, 0).gflops;
        cr_expect(gflops > 0 && gflops < 1e6, "%s: %g", isa_name(isas.isas[i]), gflops);
    }
    team_free(team);
    topology_free(&t);
}

/* Small caches, so that it is quick; figures cannot be foretold, but they are there and no zeros.
 */
Test(ceilings, every_level_is_measured)
{
    static struct ceilings ceilings;
    static const volatile sig_atomic_t never;
    struct topology t;
    struct error e;
    cr_assert(topology_read(&t, &e), "%s", e.text);
    memset(t.caches, 0, sizeof t.caches);
    t.caches[0] = (struct cache){KIB(16), 64, 1};
    t.caches[1] = (struct cache){KIB(256), 64, 1};
    struct team *team = team_create(1, &t, &e);
    cr_assert(team, "%s", e.text);
    struct isa_list isas = usable_isas();
    enum isa isa = isas.isas[isas.count - 1];
    ceilings_add_fma(&ceilings, kernel_set_get(isa), team);
    cr_assert(ceilings_add_bandwidths(&ceilings, isa, team, &t, SIZE_MAX, &never, &e), "%s",
              e.text);
    cr_expect_gt(ceilings_fma(&ceilings, isa, 1)->gflops, 0);
    cr_expect_gt(ceilings_fma(&ceilings, isa, 1)->clock_hz, 0);
    cr_expect_null(ceilings_fma(&ceilings, isa, 2));
    const int levels[] = {1, 2, CEILINGS_DRAM};
    for (int i = 0; i < 3; i++) {
        for (int o = 0; o < BANDWIDTH_OPERATIONS; o++) {
            const struct bandwidth *b =
                ceilings_bandwidth(&ceilings, levels[i], (enum bandwidth_operation)o, 1);
            cr_assert(b && b->gb_per_s > 0 && b->buffer_bytes > 0);
        }
    }
    cr_expect_null(ceilings_bandwidth(&ceilings, 3, BANDWIDTH_READ, 1));
    /* What the L2 cache holds never comes from DRAM. */
    for (int within = 0; within < 2; within++) {
        struct ceilings some = {0};
        size_t needed = KIB(256) + (size_t)(1 - within);
        cr_assert(ceilings_add_bandwidths(&some, isa, team, &t, needed, &never, &e), "%s", e.text);
        cr_expect_not_null(ceilings_bandwidth(&some, 2, BANDWIDTH_READ, 1));
        cr_expect_eq(!ceilings_bandwidth(&some, CEILINGS_DRAM, BANDWIDTH_READ, 1), within);
    }
    team_free(team);
    topology_free(&t);
}
