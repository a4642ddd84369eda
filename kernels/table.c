#include "kernels/table.h"

#include <assert.h>

#define KERNEL_FILL(isa, op, variant) .op = {op##_##variant##__##isa, #op "_" #variant "__" #isa},

static const struct kernel_set scalar_set = {.isa = ISA_SCALAR,
                                             .name = "scalar",
                                             .tile_pixels = 1,
                                             .tile_blocks = 1,
                                             KERNELS_SCALAR(KERNEL_FILL)};

#ifdef __x86_64__
static const struct kernel_set avx2_set = {
    .isa = ISA_AVX2, .name = "avx2", .tile_pixels = 3, .tile_blocks = 2, KERNELS_AVX2(KERNEL_FILL)};

static const struct kernel_set avx512_set = {.isa = ISA_AVX512,
                                             .name = "avx512",
                                             .tile_pixels = 14,
                                             .tile_blocks = 2,
                                             KERNELS_AVX512(KERNEL_FILL)};
#endif

#ifdef __aarch64__
static const struct kernel_set neon_set = {
    .isa = ISA_NEON, .name = "neon", .tile_pixels = 6, .tile_blocks = 1, KERNELS_NEON(KERNEL_FILL)};
#endif

static const struct kernel_set *const sets[ISA_COUNT] = {
    [ISA_SCALAR] = &scalar_set,
#ifdef __x86_64__
    [ISA_AVX2] = &avx2_set,
    [ISA_AVX512] = &avx512_set,
#endif
#ifdef __aarch64__
    [ISA_NEON] = &neon_set,
#endif
};

const struct kernel_set *kernel_set_get(enum isa isa)
{
    assert(isa < ISA_COUNT);
    return sets[isa];
}

#define KERNEL_LINE(isa, op, variant) {KERNEL_##op, #op "_" #variant "__" #isa, #variant},
#define KERNEL_LINES(NAME)                                                                         \
    static const struct kernel_line lines_##NAME[] = {KERNELS_##NAME(KERNEL_LINE)};
KERNEL_ISAS(KERNEL_LINES)

const struct kernel_line *kernel_lines(enum isa isa, int *count)
{
#define KERNEL_LIST(NAME) [ISA_##NAME] = {lines_##NAME, sizeof lines_##NAME / sizeof *lines_##NAME},
    static const struct {
        const struct kernel_line *lines;
        int count;
    } lists[ISA_COUNT] = {KERNEL_ISAS(KERNEL_LIST)};
#undef KERNEL_LIST
    assert(isa < ISA_COUNT);
    *count = lists[isa].count;
    return lists[isa].lines;
}
