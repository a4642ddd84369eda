/** The quick check still meets every size: a kernel that is wrong in only one is found. */
#include "harness/kernel_check.h"

#include <criterion/criterion.h>

/** The one size that is wrong; `first` is a remainder modulo the period. */
static struct {
    int period, first, second;
} wrong;

static bool is_wrong(int first, int second)
{
    return first % wrong.period == wrong.first && second == wrong.second;
}

static const struct kernel_set *right(void)
{
    return kernel_set_get(ISA_SCALAR);
}

/** Spoils the last number that a call writes. */
static void spoil_strip(const struct conv_args *a)
{
    const struct strip_out *out = a->sum.data ? &a->sum : &a->act;
    if (a->finish && is_wrong(a->pixels, a->blocks))
        out->data[out->at[a->pixels - 1] + (ptrdiff_t)out->block_stride * (a->blocks - 1)] = 42;
}

static void wrong_conv(const struct conv_args *a)
{
    right()->conv.run(a);
    spoil_strip(a);
}

static void wrong_stem(const struct conv_args *a)
{
    right()->stem.run(a);
    spoil_strip(a);
}

static void wrong_max_pool(const struct max_pool_args *a)
{
    right()->max_pool.run(a);
    if (is_wrong(a->out_width, a->stride))
        (a->sum ? a->sum : a->act)[a->out_width * BLOCK - 1] = 42;
}

static void spoil_tile(const struct patch_out_args *a)
{
    if (is_wrong(a->columns, a->rows))
        (a->sum ? a->sum : a->act)[a->columns * BLOCK - 1] = 42;
}

static void wrong_winograd2_out(const struct patch_out_args *a)
{
    right()->winograd2_out.run(a);
    spoil_tile(a);
}

static void wrong_winograd4_out(const struct patch_out_args *a)
{
    right()->winograd4_out.run(a);
    spoil_tile(a);
}

static void wrong_winograd6_out(const struct patch_out_args *a)
{
    right()->winograd6_out.run(a);
    spoil_tile(a);
}

static void wrong_polyphase2_out(const struct patch_out_args *a)
{
    right()->polyphase2_out.run(a);
    spoil_tile(a);
}

static void wrong_polyphase4_out(const struct patch_out_args *a)
{
    right()->polyphase4_out.run(a);
    spoil_tile(a);
}

static void wrong_strassen_in(const struct strassen_in_args *a)
{
    right()->strassen_in.run(a);
    if (is_wrong(a->pairs, 1))
        a->out[4 * a->position_stride + (size_t)a->pairs * BLOCK - 1] = 42;
}

/** The number of pairs counts, and of the last one, how many pixels it has. */
static void wrong_strassen_out(const struct strassen_out_args *a)
{
    const struct pairs_out *out = a->sum.data ? &a->sum : &a->act;
    int last = a->pairs - 1, pixels = out->at[1][last] == NO_PIXEL ? 1 : 2;
    right()->strassen_out.run(a);
    if (is_wrong(a->pairs, pixels))
        out->data[out->at[0][last] + (ptrdiff_t)out->half_stride + BLOCK - 1] = 42;
}

static bool passes(enum kernel_op op, int tile_pixels, int tile_blocks)
{
    const struct kernel_check_options options = {.seed = 3, .limit_seconds = 500, .quick = true};
    struct kernel_check_result result;
    struct kernel_set set = *right();
    set.tile_pixels = tile_pixels;
    set.tile_blocks = tile_blocks;
    set.conv.run = wrong_conv;
    set.stem.run = wrong_stem;
    set.max_pool.run = wrong_max_pool;
    set.winograd2_out.run = wrong_winograd2_out;
    set.winograd4_out.run = wrong_winograd4_out;
    set.winograd6_out.run = wrong_winograd6_out;
    set.polyphase2_out.run = wrong_polyphase2_out;
    set.polyphase4_out.run = wrong_polyphase4_out;
    set.strassen_in.run = wrong_strassen_in;
    set.strassen_out.run = wrong_strassen_out;
    return kernel_check(&set, op, &options, &result);
}

/** Each of `firsts` from `least` on with each of `seconds` from 1 on. */
static void expect_found(enum kernel_op op, int pixels, int blocks, int least, int firsts,
                         int seconds)
{
    for (int i = 0; i < firsts * seconds; i++) {
        wrong.first = least + i % firsts;
        wrong.second = 1 + i / firsts;
        cr_expect_not(passes(op, pixels, blocks), "op %d: %d, %d is not met", (int)op, wrong.first,
                      wrong.second);
    }
}

TestSuite(kernel_check_quick, .timeout = 600);

Test(kernel_check_quick, remainders)
{
    static const int tiles[][2] = {{14, 2}, {6, 1}, {1, 1}};
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        int pixels = wrong.period = tiles[i][0], blocks = tiles[i][1];
        expect_found(KERNEL_conv, pixels, blocks, 0, pixels, blocks);
        expect_found(KERNEL_stem, pixels, blocks, 0, pixels, blocks);
    }
}

Test(kernel_check_quick, widths)
{
    wrong.period = 100;
    expect_found(KERNEL_max_pool, 14, 2, 1, 9, 1);
    expect_found(KERNEL_max_pool, 14, 2, 1, 5, 2);
    expect_found(KERNEL_winograd2_out, 14, 2, 1, 2, 2);
    expect_found(KERNEL_winograd4_out, 14, 2, 1, 4, 4);
    expect_found(KERNEL_winograd6_out, 14, 2, 1, 6, 6);
    expect_found(KERNEL_polyphase2_out, 14, 2, 1, 2, 2);
    expect_found(KERNEL_polyphase4_out, 14, 2, 1, 4, 4);
    expect_found(KERNEL_strassen_in, 14, 2, 1, 12, 1);
    expect_found(KERNEL_strassen_out, 14, 2, 1, 12, 2);
}

/** Nothing else makes them fail. */
Test(kernel_check_quick, right_kernels_pass)
{
    wrong.period = 1;
    wrong.first = -1;
    for (int op = 0; op < KERNEL_OP_COUNT; op++)
        cr_expect(passes((enum kernel_op)op, 14, 2), "op %d", op);
}
