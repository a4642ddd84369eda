/** What `resmark kernels --bench` measures: real work, the same for every set, and its cost. */
#include "harness/kernel_bench/kernel_bench.h"
#include "harness/kernel_bench/kernel_work.h"
#include "tests/engine_fixture.h"

#include <math.h>

/** The memory after a set's kernel has run on a work that was made for `shape`. */
static float *run_as(const struct kernel_set *set, const struct kernel_set *shape,
                     enum kernel_op op)
{
    struct kernel_work w;
    cr_assert(kernel_work_make(&w, shape, op));
    cr_assert(w.used <= w.floats && w.shape[0]);
    cr_expect(w.operations > 0 || w.bytes > 0);
    w.set = set;
    kernel_work_run(&w);
    return w.memory;
}

Test(kernel_bench, computes_what_scalar_does)
{
    struct isa_list isas = usable_isas();
    for (int i = 0; i < isas.count * KERNEL_OP_COUNT; i++) {
        struct kernel_work plain;
        enum kernel_op op = (enum kernel_op)(i % KERNEL_OP_COUNT);
        const struct kernel_set *set = kernel_set_get(isas.isas[i / KERNEL_OP_COUNT]);
        float *got = run_as(set, set, op), *expected = run_as(kernel_set_get(ISA_SCALAR), set, op);
        cr_assert(kernel_work_make(&plain, set, op));
        size_t bytes = plain.floats * sizeof *got;
        cr_expect_eq(memcmp(got, expected, bytes), 0, "%s, op %d", set->name, (int)op);
        cr_expect_eq(memcmp(got, plain.memory, bytes) == 0, op == KERNEL_peak, "%s, op %d writes",
                     set->name, (int)op);
        for (size_t k = 0; k < plain.used; k++)
            cr_assert(isfinite(got[k]), "%s, op %d: float %zu", set->name, (int)op, k);
        free(got);
        free(expected);
        kernel_work_free(&plain);
    }
}

Test(kernel_bench, counts_the_operations)
{
    struct kernel_work w;
    const struct kernel_set *set = kernel_set_get(ISA_SCALAR);
    cr_assert(kernel_work_make(&w, set, KERNEL_conv));
    cr_expect_eq(w.operations, 2.0 * w.args.conv.pixels * set->tile_blocks * BLOCK * 256);
    kernel_work_free(&w);
    cr_assert(kernel_work_make(&w, set, KERNEL_add));
    cr_expect(w.operations == 0 && w.bytes > 3 * 4.0 * (double)w.count && !w.reads);
    kernel_work_free(&w);
}

Test(kernel_bench, measures_every_kernel)
{
    struct isa_list isas = usable_isas();
    const struct kernel_set *set = kernel_set_get(isas.isas[isas.count - 1]);
    for (int op = 0; op < KERNEL_OP_COUNT; op++) {
        struct kernel_timing t;
        cr_assert(kernel_bench(set, (enum kernel_op)op, &t));
        cr_expect(t.hot.cycles > 0 && t.hot.rate > 0 && t.hot.fraction > 0, "op %d", op);
        cr_expect(t.cold.cycles > 0 && t.cold.rate > 0 && t.cold.fraction > 0, "op %d", op);
        bool computes = op == KERNEL_conv || op == KERNEL_stem || op == KERNEL_peak;
        cr_expect_str_eq(t.unit, computes ? "GFLOP/s" : "GB/s");
    }
}
