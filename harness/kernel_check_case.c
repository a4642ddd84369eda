#include "harness/kernel_check_case.h"

#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS (CHECK_INPUTS + 2 * CHECK_OUTPUTS)
#define SLOT_BYTES ((size_t)4 << 20)

/* Canaries on each side of an output, in floats. */
#define MARGIN 48
#define CANARY 0x7b1dc0de

#define TOO_LARGE "the check itself asks for more than it has"

static const char *const value_names[VALUES_COUNT] = {"normal", "salted", "tiny", "vanishing"};

/* Products of two factors are of the size of a term. */
static const double magnitudes[VALUES_COUNT][4] = {
    [VALUES_NORMAL] = {[ROLE_FACTOR] = 1, [ROLE_TERM] = 1, [ROLE_SCALE] = 1, [ROLE_SCORE] = 4},
    [VALUES_SALTED] = {[ROLE_FACTOR] = 1, [ROLE_TERM] = 1, [ROLE_SCALE] = 1, [ROLE_SCORE] = 4},
    [VALUES_TINY] =
        {[ROLE_FACTOR] = 0x1p-70, [ROLE_TERM] = 0x1p-140, [ROLE_SCALE] = 1, [ROLE_SCORE] = 40},
    [VALUES_VANISHING] = {[ROLE_FACTOR] = 0x1p-76,
                          [ROLE_TERM] = 0x1p-150,
                          [ROLE_SCALE] = 1,
                          [ROLE_SCORE] = 0x1p-150},
};

const struct check_epilogue check_epilogues[CHECK_EPILOGUES] = {
    {PART_SUM, "sum"},
    {PART_ACT, "act"},
    {PART_ACT | PART_SCALE, "act with scale"},
    {PART_SUM | PART_ACT, "sum, act"},
    {PART_SUM | PART_ACT | PART_SCALE, "sum, act with scale"},
    {PART_RESIDUAL | PART_SUM, "residual, sum"},
    {PART_RESIDUAL | PART_ACT, "residual, act"},
    {PART_RESIDUAL | PART_ACT | PART_SCALE, "residual, act with scale"},
    {PART_RESIDUAL | PART_SUM | PART_ACT, "residual, sum, act"},
    {PART_RESIDUAL | PART_SUM | PART_ACT | PART_SCALE, "residual, sum, act with scale"},
    {PART_RESIDUAL | PART_IN_PLACE | PART_SUM, "residual, sum in place"},
    {PART_RESIDUAL | PART_IN_PLACE | PART_SUM | PART_ACT, "residual, sum in place, act"},
    {PART_RESIDUAL | PART_IN_PLACE | PART_SUM | PART_ACT | PART_SCALE,
     "residual, sum in place, act with scale"},
};

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool check_problem(struct check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->result->problem, sizeof c->result->problem, format, args);
    va_end(args);
    return false;
}

static char *slot_start(const struct check *c, int slot)
{
    return c->memory + c->page + (size_t)slot * (SLOT_BYTES + c->page);
}

static float *slot_end(const struct check *c, int slot)
{
    return (float *)(void *)(slot_start(c, slot) + SLOT_BYTES);
}

bool check_make(struct check *c, const struct kernel_set *set,
                const struct kernel_check_options *options, struct kernel_check_result *result)
{
    *c = (struct check){.set = set,
                        .scalar = kernel_set_get(ISA_SCALAR),
                        .result = result,
                        .random = options->seed,
                        .quick = options->quick,
                        .page = (size_t)sysconf(_SC_PAGESIZE)};
    c->memory_bytes = c->page + SLOTS * (SLOT_BYTES + c->page);
    void *memory =
        mmap(NULL, c->memory_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return check_problem(c, "no memory: %s", strerror(errno));
    c->memory = memory;
    for (int i = 0; i < SLOTS; i++) {
        if (mprotect(slot_start(c, i), SLOT_BYTES, PROT_READ | PROT_WRITE) != 0)
            return check_problem(c, "no memory: %s", strerror(errno));
    }
    return true;
}

void check_free(struct check *c)
{
    if (c->memory)
        munmap(c->memory, c->memory_bytes);
    c->memory = NULL;
}

/* SplitMix64 (Steele, Lea, Flood 2014; public-domain C by Vigna). */
uint64_t check_random(struct check *c)
{
    uint64_t z = c->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* What only a mistake of the check or a lack of memory breaks; in a release build too. */
static void require(struct check *c, bool holds, const char *problem)
{
    if (holds)
        return;
    check_problem(c, "%s", problem);
    abort();
}

static void protect_inputs(struct check *c, int protection)
{
    for (int i = 0; i < c->inputs; i++)
        require(c, mprotect(slot_start(c, i), SLOT_BYTES, protection) == 0,
                "the memory of the inputs cannot be protected");
}

bool check_leaves_out(struct check *c, int every)
{
    return c->quick && c->sets++ % every != 0;
}

void check_data(struct check *c, enum check_values values)
{
    protect_inputs(c, PROT_READ | PROT_WRITE);
    c->inputs = 0;
    c->outputs = 0;
    c->values = values;
}

void check_seal(struct check *c)
{
    protect_inputs(c, PROT_READ);
}

float *check_input(struct check *c, size_t count)
{
    uint64_t random = check_random(c);
    size_t slack = random & 3 ? random >> 2 & 15 : 0;
    require(c, c->inputs < CHECK_INPUTS && count + slack <= SLOT_BYTES / sizeof(float), TOO_LARGE);
    return slot_end(c, c->inputs++) - slack - count;
}

/* Four near-normal numbers from one hash: sums of four uniform integers each, never zero. */
static void normal_group(uint64_t hash, float out[4])
{
    const double scale = 1 / sqrt(4 * 4294967295.0 / 3);
    int32_t a = (int32_t)(hash & 0xffff);
    int32_t b = (int32_t)(hash >> 16 & 0xffff);
    int32_t d = (int32_t)(hash >> 32 & 0xffff);
    int32_t e = (int32_t)(hash >> 48);
    out[0] = (float)((2 * (a + b + d + e) - 4 * 65535 + 1) * scale);
    out[1] = (float)((2 * (a + b - d - e) + 1) * scale);
    out[2] = (float)((2 * (a - b + d - e) + 1) * scale);
    out[3] = (float)((2 * (a - b - d + e) + 1) * scale);
}

static void salt(struct check *c, float *data, size_t count, size_t every)
{
    const float special[] = {NAN,      -NAN,    float_of(0x7f800001), /* a signalling NaN */
                             INFINITY, 0.0f,    float_of(0x00000001),
                             -0.0f,    -0.0f,   float_of(0x807fffff),
                             FLT_MAX,  FLT_MIN, -INFINITY,
                             -FLT_MAX, -FLT_MIN};
    for (size_t i = check_random(c) % every; i < count; i += 1 + check_random(c) % (2 * every - 1))
        data[i] = special[check_random(c) % (sizeof special / sizeof *special)];
}

void check_fill(struct check *c, float *data, size_t count, enum check_role role, size_t every)
{
    double magnitude = magnitudes[c->values][role];
    for (size_t i = 0; i < count; i += 4) {
        float group[4];
        normal_group(check_random(c), group);
        for (size_t k = 0; k < 4 && i + k < count; k++)
            data[i + k] = (float)(group[k] * magnitude);
    }
    if (c->values == VALUES_SALTED)
        salt(c, data, count, every);
}

float *check_filled(struct check *c, size_t count, enum check_role role, size_t every)
{
    float *data = check_input(c, count);
    check_fill(c, data, count, role, every);
    return data;
}

void check_case(struct check *c, const char *format, ...)
{
    char *at = c->result->at;
    size_t size = sizeof c->result->at;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(at, size, format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < size)
        snprintf(at + length, size - (size_t)length, ", values %s", value_names[c->values]);
    c->result->cases++;
    c->outputs = 0;
}

struct check_output *check_output(struct check *c, const char *name, size_t count)
{
    size_t slack = MARGIN + (check_random(c) & 15);
    require(c, c->outputs < CHECK_OUTPUTS && count + MARGIN + slack <= SLOT_BYTES / sizeof(float),
            TOO_LARGE);
    int slot = CHECK_INPUTS + 2 * c->outputs;
    struct check_output *o = &c->output[c->outputs++];
    *o = (struct check_output){.name = name,
                               .got = slot_end(c, slot) - slack - count,
                               .expected = slot_end(c, slot + 1) - slack - count,
                               .count = count};
    size_t all = MARGIN + count + slack;
    const float canary = float_of(CANARY);
    for (size_t i = 0; i < all; i++)
        o->got[(ptrdiff_t)i - MARGIN] = canary;
    memcpy(o->expected - MARGIN, o->got - MARGIN, all * sizeof(float));
    return o;
}

void check_ignore(struct check_output *output)
{
    output->ignored = true;
    memcpy(output->expected, output->got, output->count * sizeof(float));
}

static bool same(float a, float b)
{
    return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b));
}

/* Index of the first channel of group i, counted over pixels and then blocks. */
static ptrdiff_t group_at(const struct check_pixels *at, int i)
{
    size_t block = (size_t)(i / at->pixels);
    return (ptrdiff_t)(at->origin + block * at->block_stride) + at->at[i % at->pixels];
}

/* Says in `text` which pixel, block and channel an index is; nothing when it is none. */
static void locate(const struct check_output *o, ptrdiff_t index, char text[64])
{
    const struct check_pixels *at = o->pixels;
    text[0] = '\0';
    for (int i = 0; at && i < at->pixels * at->blocks; i++) {
        ptrdiff_t channel = index - group_at(at, i);
        if (channel >= 0 && channel < BLOCK)
            snprintf(text, 64, " (pixel %d, block %d, channel %d)", i % at->pixels, i / at->pixels,
                     (int)channel);
    }
}

static bool differs(struct check *c, const struct check_output *o, ptrdiff_t index)
{
    float got = o->got[index], expected = o->expected[index];
    const char *why = "";
    char where[64];
    locate(o, index, where);
    if (bits_of(expected) == CANARY)
        why = ": it was not to be written";
    else if (bits_of(got) == CANARY)
        why = ": it was not written";
    return check_problem(c, "%s[%td]%s is 0x%08x (%.9g), not 0x%08x (%.9g)%s", o->name, index,
                         where, bits_of(got), (double)got, bits_of(expected), (double)expected,
                         why);
}

static bool compare_output(struct check *c, const struct check_output *o, int slot)
{
    const float *end = slot_end(c, slot);
    ptrdiff_t count = end - o->got;
    if (memcmp(o->got - MARGIN, o->expected - MARGIN, (size_t)(count + MARGIN) * sizeof(float)) ==
        0)
        return true;
    for (ptrdiff_t i = -MARGIN; i < count; i++) {
        if (!same(o->got[i], o->expected[i]))
            return differs(c, o, i);
    }
    return true;
}

/* A kernel that changes these would also change what the scalar one computes after it. */
static bool compare_modes(struct check *c)
{
    volatile float least = FLT_MIN;
    bool kept = fegetround() == FE_TONEAREST && least * 0.5f != 0;
    if (kept)
        return true;
    fesetenv(FE_DFL_ENV);
    return check_problem(c, "it changed the rounding mode or flushes denormals from now on");
}

bool check_compare(struct check *c)
{
    if (!compare_modes(c))
        return false;
    for (int i = 0; i < c->outputs; i++) {
        if (!compare_output(c, &c->output[i], CHECK_INPUTS + 2 * i))
            return false;
    }
    return true;
}

/* Turns results back into canaries. */
static bool wipe(struct check *c, struct check_output *o, ptrdiff_t first, ptrdiff_t count)
{
    for (ptrdiff_t i = first; i < first + count; i++) {
        if (!o->ignored && bits_of(o->expected[i]) == CANARY)
            return check_problem(c, "%s[%td] was not written, by the scalar kernel neither",
                                 o->name, i);
        o->expected[i] = float_of(CANARY);
    }
    return true;
}

/*
 * Code that both kernels share may be wrong in both, so that the scalar one proves nothing about
 * where may be written. Wipes what may; behind that, all must be canaries.
 */
static bool check_reach(struct check *c, struct check_output *o, int slot)
{
    int groups = o->pixels ? o->pixels->pixels * o->pixels->blocks : 1;
    for (int i = 0; i < groups; i++) {
        ptrdiff_t first = o->pixels ? group_at(o->pixels, i) : 0;
        if (!wipe(c, o, first, o->pixels ? BLOCK : (ptrdiff_t)o->count))
            return false;
    }
    for (float *p = o->expected - MARGIN; p < slot_end(c, slot); p++) {
        if (bits_of(*p) != CANARY)
            return check_problem(c, "%s[%td] was written, by the scalar kernel too", o->name,
                                 p - o->expected);
    }
    return true;
}

bool check_end(struct check *c)
{
    if (!check_compare(c))
        return false;
    for (int i = 0; i < c->outputs; i++) {
        if (!check_reach(c, &c->output[i], CHECK_INPUTS + 2 * i + 1))
            return false;
    }
    return true;
}
