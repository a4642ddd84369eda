/** Every kernel of every ISA against the scalar one: a test each; those that cannot run here skip.
 */
#include "arch/cpu.h"
#include "harness/kernel_check.h"
#include "harness/machine.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

struct kernel {
    enum isa isa;
    enum kernel_op op;
};

TestSuite(kernels, .timeout = 600);

ParameterizedTestParameters(kernels, equals_scalar)
{
    static struct kernel all[ISA_COUNT * KERNEL_OP_COUNT];
    size_t total = 0;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        int count;
        const struct kernel_line *lines = kernel_lines((enum isa)isa, &count);
        for (int i = 0; i < count; i++)
            all[total++] = (struct kernel){(enum isa)isa, lines[i].op};
    }
    return cr_make_param_array(struct kernel, all, total);
}

ParameterizedTest(struct kernel *kernel, kernels, equals_scalar)
{
    const struct kernel_check_options options = {.seed = 1, .limit_seconds = 500};
    struct kernel_check_result result;
    static struct cpu cpu;
    cpu_detect(&cpu);
    const char *obstacle = isa_obstacle(&cpu, machine_built_isas(), kernel->isa);
    if (obstacle)
        cr_skip_test("%s: %s", isa_name(kernel->isa), obstacle);
    cr_assert(kernel_check(kernel_set_get(kernel->isa), kernel->op, &options, &result), "%s",
              result.text);
    cr_expect(result.isolated && result.finished);
    cr_expect_gt(result.cases, kernel->op == KERNEL_peak ? 3 : 300);
}

/** The tile that a set announces is the one in the names of its kernels. */
Test(kernels, tiles)
{
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        const struct kernel_set *set = kernel_set_get((enum isa)isa);
        if (!set)
            continue;
        char tile[32];
        snprintf(tile, sizeof tile, "_%dx%d__", set->tile_pixels, set->tile_blocks * BLOCK);
        cr_expect_str_eq(set->name, isa_name(set->isa));
        cr_expect(strstr(set->conv.name, tile), "%s has no tile %s", set->conv.name, tile);
        cr_expect(strstr(set->stem.name, tile), "%s has no tile %s", set->stem.name, tile);
    }
}

/** The flat list and the sets are the same table. */
Test(kernels, lines)
{
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        const struct kernel_set *set = kernel_set_get((enum isa)isa);
        int count;
        const struct kernel_line *lines = kernel_lines((enum isa)isa, &count);
        cr_assert(!set || count == KERNEL_OP_COUNT);
        for (int i = 0; set && i < count; i++)
            cr_expect_str_eq(lines[i].name, kernel_check_name(set, lines[i].op));
    }
}
