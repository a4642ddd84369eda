/** The checks of kernels must notice what is wrong: faults of every kind, put in on purpose. */
#include "harness/kernel_check_case.h"
#include "tests/faulty_transforms.h"

#include <criterion/criterion.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/** Scalar in name, with a tile of its own, so that tiles have tails. */
static struct kernel_set faulty_set(void)
{
    struct kernel_set set = *kernel_set_get(ISA_SCALAR);
    set.tile_pixels = 2;
    set.tile_blocks = 2;
    set.conv.run = faulty_conv;
    set.stem.run = faulty_conv;
    set.add.run = faulty_add;
    set.bn_relu.run = faulty_bn_relu;
    set.add_bn_relu.run = faulty_add_bn_relu;
    set.max_pool.run = faulty_max_pool;
    set.avg_pool.run = faulty_avg_pool;
    set.fc.run = faulty_fc;
    set.softmax.run = faulty_softmax;
    set.winograd2_in.run = faulty_winograd2_in;
    set.winograd2_out.run = faulty_winograd2_out;
    set.winograd4_in.run = faulty_winograd4_in;
    set.winograd4_out.run = faulty_winograd4_out;
    set.winograd6_in.run = faulty_winograd6_in;
    set.winograd6_out.run = faulty_winograd6_out;
    set.polyphase2_in.run = faulty_polyphase2_in;
    set.polyphase2_out.run = faulty_polyphase2_out;
    set.polyphase4_in.run = faulty_polyphase4_in;
    set.polyphase4_out.run = faulty_polyphase4_out;
    set.strassen_in.run = faulty_strassen_in;
    set.strassen_out.run = faulty_strassen_out;
    set.peak.run = faulty_peak;
    return set;
}

static struct kernel_check_result check_with(enum kernel_op op, enum fault injected,
                                             struct kernel_check_options options)
{
    const struct kernel_set set = faulty_set();
    struct kernel_check_result result;
    fault = injected;
    cr_expect_eq(kernel_check(&set, op, &options, &result), result.ok);
    return result;
}

static struct kernel_check_result check(enum kernel_op op, enum fault injected, int limit_seconds)
{
    return check_with(op, injected,
                      (struct kernel_check_options){.seed = 7, .limit_seconds = limit_seconds});
}

TestSuite(kernel_check, .timeout = 600);

/** Without a fault they pass: it is the faults that the other tests see. */
Test(kernel_check, no_fault)
{
    for (int op = 0; op < KERNEL_OP_COUNT; op++) {
        struct kernel_check_result result = check((enum kernel_op)op, FAULT_NONE, 500);
        cr_expect(result.ok, "%s", result.text);
        cr_expect_str_eq(result.text, "");
    }
}

#define OP(op) (1U << KERNEL_##op)
#define CONVS (OP(conv) | OP(stem))
#define BATCH_NORMS (OP(bn_relu) | OP(add_bn_relu))
#define SUMS (CONVS | OP(fc))
#define PATCH_IN                                                                                   \
    (OP(winograd2_in) | OP(winograd4_in) | OP(winograd6_in) | OP(polyphase2_in) | OP(polyphase4_in))
#define PATCH_OUT                                                                                  \
    (OP(winograd2_out) | OP(winograd4_out) | OP(winograd6_out) | OP(polyphase2_out) |              \
     OP(polyphase4_out))
#define TRANSFORM_IN (PATCH_IN | OP(strassen_in))
#define TRANSFORM_OUT (PATCH_OUT | OP(strassen_out))
#define RELUS (CONVS | BATCH_NORMS | OP(max_pool) | TRANSFORM_OUT)
#define ALL ((1U << KERNEL_OP_COUNT) - 1 - OP(peak))

/** A fault, a part of the message about it, and the ops that it is put into. */
static const struct injection {
    enum fault fault;
    const char *problem;
    unsigned ops;
} injections[] = {
    {FAULT_SWAPPED_OPERANDS, ", not 0x", SUMS},
    {FAULT_MULTIPLY_THEN_ADD, ", not 0x", SUMS},
    {FAULT_REVERSED_SUM, ", not 0x", SUMS | OP(avg_pool)},
    {FAULT_TWO_SUMS, ", not 0x", SUMS | OP(avg_pool)},
    {FAULT_RECIPROCAL, ", not 0x", OP(avg_pool)},
    {FAULT_OTHER_EXP, ", not 0x", OP(softmax)},
    {FAULT_PLAIN_SCALE, "act[", CONVS | BATCH_NORMS | OP(max_pool) | TRANSFORM_OUT},
    {FAULT_RELU_LOSES_NAN, "nan)", RELUS},
    {FAULT_RELU_LOSES_SIGN, "not 0x80000000 (-0)", RELUS},
    {FAULT_MAX_LOSES_NAN, "nan)", OP(max_pool)},
    {FAULT_MAX_KEEPS_FIRST, "0x80000000 (-0)", OP(max_pool)},
    {FAULT_PADS_WITH_ZERO, "is 0x00000000 (0), not 0x", OP(max_pool)},
    {FAULT_FLUSH, "is 0x00000000 (0), not 0x", ALL},
    {FAULT_KEEPS_MODE, "rounding mode", ALL},
    {FAULT_SKIPS_TAIL, ", not 0x", (ALL & ~PATCH_IN) - OP(avg_pool)},
    {FAULT_SKIPS_TAIL, "it returned", OP(peak)},
    {FAULT_NOTHING_DONE, "it returned 0 operations", OP(peak)},
    {FAULT_SKIPS_LAST_BLOCK, ", not 0x", CONVS},
    {FAULT_ADJACENT, ", not 0x", OP(conv)},
    {FAULT_FORGETS_BIAS, ", not 0x", CONVS},
    {FAULT_ADJACENT_OUT, ", not 0x", OP(conv)},
    {FAULT_ASSUMES_OUT, "", OP(conv)},
    {FAULT_LONG_STRIP, ", not 0x", CONVS | TRANSFORM_OUT | OP(strassen_in)},
    {FAULT_WRITES_PAST, "it was not to be written", ALL},
    {FAULT_WRITES_BEFORE, "it was not to be written", ALL},
    {FAULT_WRITES_INPUT, "crashed with SIGSEGV", ALL - OP(max_pool)},
    {FAULT_READS_PAST, "crashed with SIGSEGV", ALL - OP(max_pool)},
    {FAULT_OVER_THE_EDGE, "", PATCH_IN},
    {FAULT_LONE_PIXEL, ", not 0x", OP(strassen_out)},
    {FAULT_NEEDS_ALIGNMENT, "", CONVS | OP(add) | OP(bn_relu) | TRANSFORM_IN},
    {FAULT_LATE_READ, ", not 0x", CONVS | OP(add) | OP(add_bn_relu) | TRANSFORM_OUT},
    {FAULT_PARTIAL_PAST, "partial[", CONVS},
    {FAULT_STORES_EARLY, ", not 0x", CONVS},
    {FAULT_FORGETS_PARTIAL, ", not 0x", CONVS},
    {FAULT_ONE_STRIDE, "act[", CONVS | TRANSFORM_OUT},
    {FAULT_ASSUMES_PIECES, ", not 0x", CONVS | OP(strassen_out)},
    {FAULT_ASSUMES_PIECES, "", OP(strassen_in)},
};

/** Of a full check or a quick one. */
static void find_faults(bool quick)
{
    const struct kernel_check_options options = {.seed = 7, .limit_seconds = 500, .quick = quick};
    const struct kernel_set set = faulty_set();
    for (int i = 0; i < COUNT(injections) * KERNEL_OP_COUNT; i++) {
        const struct injection *in = &injections[i / KERNEL_OP_COUNT];
        enum kernel_op op = (enum kernel_op)(i % KERNEL_OP_COUNT);
        if (!(in->ops >> op & 1))
            continue;
        struct kernel_check_result result = check_with(op, in->fault, options);
        cr_expect_not(result.ok, "%s: fault %d is not noticed", kernel_check_name(&set, op),
                      in->fault);
        cr_expect(strstr(result.problem, in->problem), "fault %d has no '%s': %s", in->fault,
                  in->problem, result.text);
    }
}

Test(kernel_check, faults)
{
    find_faults(false);
}

Test(kernel_check, faults_in_a_quick_check)
{
    find_faults(true);
}

Test(kernel_check, crashes)
{
    static const struct {
        enum fault fault;
        const char *problem;
    } rows[] = {
        {FAULT_SEGV, "crashed with SIGSEGV"},
        {FAULT_ILL, "crashed with SIGILL"},
        {FAULT_FPE, "crashed with SIGFPE"},
        {FAULT_ABORT, "crashed with SIGABRT"},
        {FAULT_EXIT, "ended the process with status 3"},
        {FAULT_HANG, "did not end within 1 s"},
    };
    for (int i = 0; i < COUNT(rows); i++) {
        struct kernel_check_result result =
            check(KERNEL_add, rows[i].fault, rows[i].fault == FAULT_HANG ? 1 : 500);
        cr_expect(!result.ok && !result.finished && result.isolated);
        cr_expect_str_eq(result.problem, rows[i].problem);
        cr_expect(strstr(result.at, "count 33, "), "%s", result.text);
    }
}

Test(kernel_check, message)
{
    struct kernel_check_result result = check(KERNEL_add, FAULT_SKIPS_TAIL, 500);
    cr_expect_eq(strncmp(result.text, "add_x1__scalar: out[6] is 0x7b1dc0de (", 38), 0, "%s",
                 result.text);
    cr_expect(strstr(result.text, "\nin case 85: count 7, out apart, values normal\n"), "%s",
              result.text);
    cr_expect(strstr(result.text,
                     "\nseed 7; again: resmark kernels 'add_x1__scalar' --isa scalar --seed 7\n"),
              "%s", result.text);
    const struct kernel_check_options quick = {.seed = 7, .limit_seconds = 500, .quick = true};
    result = check_with(KERNEL_add, FAULT_SKIPS_TAIL, quick);
    cr_expect(strstr(result.text, " --isa scalar --seed 7 --quick\n"), "%s", result.text);
}

/** A message about a convolution says which pixel, block and channel. */
Test(kernel_check, place)
{
    struct kernel_check_result result = check(KERNEL_conv, FAULT_SKIPS_LAST_BLOCK, 500);
    cr_expect(strstr(result.problem, "(pixel 0, block 1, channel 0) is"), "%s", result.problem);
}

Test(kernel_check, same_seed_same_cases)
{
    struct kernel_check_result a = check(KERNEL_conv, FAULT_MULTIPLY_THEN_ADD, 500);
    struct kernel_check_result b = check(KERNEL_conv, FAULT_MULTIPLY_THEN_ADD, 500);
    cr_expect_str_eq(a.text, b.text);
}

/** Without a process of its own the check is the same. */
Test(kernel_check, in_process)
{
    const struct kernel_check_options options = {.seed = 7, .limit_seconds = 1, .in_process = true};
    const struct kernel_set set = faulty_set();
    struct kernel_check_result result;
    fault = FAULT_NONE;
    cr_expect(kernel_check(&set, KERNEL_add, &options, &result), "%s", result.text);
    cr_expect(!result.isolated && result.finished);
    fault = FAULT_SKIPS_TAIL;
    cr_expect_not(kernel_check(&set, KERNEL_add, &options, &result));
}

/** A case of two groups of 16 floats, of which both kernels write `count` from `first` on. */
static bool both_write(struct check *c, ptrdiff_t first, int count)
{
    static const int32_t at[] = {0, 20};
    static const struct check_pixels pixels = {at, 2, 1, 0, 4};
    check_data(c, VALUES_NORMAL);
    check_case(c, "both");
    struct check_output *out = check_output(c, "out", 40);
    out->pixels = &pixels;
    for (int i = 0; i < count; i++) {
        ptrdiff_t index = i == 0 ? first : 4 + i + (i < BLOCK ? 0 : 4);
        out->got[index] = out->expected[index] = 1;
    }
    return check_end(c);
}

/** What both kernels do wrong is wrong, too. */
Test(kernel_check, shared_mistakes)
{
    struct kernel_check_result result = {0};
    const struct kernel_check_options options = {.seed = 1, .limit_seconds = 1};
    struct check c;
    cr_assert(check_make(&c, kernel_set_get(ISA_SCALAR), &options, &result), "%s", result.problem);
    cr_expect(both_write(&c, 4, 2 * BLOCK), "%s", result.problem);
    cr_expect_not(both_write(&c, 4, 2 * BLOCK - 1));
    cr_expect_str_eq(result.problem, "out[39] was not written, by the scalar kernel neither");
    cr_expect_not(both_write(&c, 3, 2 * BLOCK));
    cr_expect_str_eq(result.problem, "out[4] was not written, by the scalar kernel neither");
    check_data(&c, VALUES_NORMAL);
    check_case(&c, "past its end");
    struct check_output *out = check_output(&c, "out", 1);
    out->got[0] = out->expected[0] = out->got[1] = out->expected[1] = 1;
    cr_expect_not(check_end(&c));
    cr_expect_str_eq(result.problem, "out[1] was written, by the scalar kernel too");
    check_free(&c);
}
