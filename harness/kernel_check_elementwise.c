/* The passes that go over memory once: residual add, batch norm + ReLU, and both in one. */
#include "harness/kernel_check_case.h"

#include <string.h>

#define ADD_COUNTS 98
#define BN_PIXELS 10
#define ROUNDS 8

/* Which input the output is; the contract allows each. */
enum alias { ALIAS_NONE, ALIAS_A, ALIAS_B, ALIAS_COUNT };

static const char *const alias_names[ALIAS_COUNT] = {"apart", "in place of a", "in place of b"};

/* The operands of one run; `out` holds what they alias. */
struct operands {
    const float *a, *b;
    float *out;
};

static struct operands operands(enum alias alias, const float *a, const float *b, float *out,
                                size_t count)
{
    if (alias != ALIAS_NONE)
        memcpy(out, alias == ALIAS_A ? a : b, count * sizeof(float));
    return (struct operands){alias == ALIAS_A ? out : a, alias == ALIAS_B ? out : b, out};
}

static bool add_case(struct check *c, const float *a, const float *b, size_t count,
                     enum alias alias)
{
    check_case(c, "count %zu, out %s", count, alias_names[alias]);
    struct check_output *out = check_output(c, "out", count);
    struct operands r = operands(alias, a, b, out->expected, count);
    c->scalar->add.run(r.a, r.b, r.out, count);
    struct operands t = operands(alias, a, b, out->got, count);
    c->set->add.run(t.a, t.b, t.out, count);
    return check_end(c);
}

bool check_add(struct check *c)
{
    for (int i = 0; i < VALUES_COUNT * ADD_COUNTS; i++) {
        size_t count = (size_t)i / VALUES_COUNT;
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        const float *a = check_filled(c, count, ROLE_TERM, 4);
        const float *b = check_filled(c, count, ROLE_TERM, 4);
        check_seal(c);
        for (int alias = 0; alias < ALIAS_COUNT; alias++) {
            if (!add_case(c, a, b, count, (enum alias)alias))
                return false;
        }
    }
    return true;
}

static bool bn_relu_case(struct check *c, size_t pixels)
{
    const float *x = check_filled(c, pixels * BLOCK, ROLE_TERM, 4);
    const float *scale = check_filled(c, BLOCK, ROLE_SCALE, 8);
    const float *shift = check_filled(c, BLOCK, ROLE_TERM, 8);
    check_seal(c);
    check_case(c, "%zu pixels", pixels);
    struct check_output *act = check_output(c, "act", pixels * BLOCK);
    c->scalar->bn_relu.run(x, scale, shift, act->expected, pixels);
    c->set->bn_relu.run(x, scale, shift, act->got, pixels);
    return check_end(c);
}

bool check_bn_relu(struct check *c)
{
    for (int i = 0; i < ROUNDS * VALUES_COUNT * BN_PIXELS; i++) {
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        if (!bn_relu_case(c, (size_t)i / VALUES_COUNT % BN_PIXELS))
            return false;
    }
    return true;
}

struct bn_inputs {
    const float *a, *b, *scale, *shift;
};

static bool add_bn_relu_case(struct check *c, const struct bn_inputs *in, size_t pixels,
                             enum alias alias)
{
    size_t count = pixels * BLOCK;
    check_case(c, "%zu pixels, sum %s", pixels, alias_names[alias]);
    struct check_output *sum = check_output(c, "sum", count);
    struct check_output *act = check_output(c, "act", count);
    struct operands r = operands(alias, in->a, in->b, sum->expected, count);
    c->scalar->add_bn_relu.run(r.a, r.b, in->scale, in->shift, r.out, act->expected, pixels);
    struct operands t = operands(alias, in->a, in->b, sum->got, count);
    c->set->add_bn_relu.run(t.a, t.b, in->scale, in->shift, t.out, act->got, pixels);
    return check_end(c);
}

bool check_add_bn_relu(struct check *c)
{
    for (int i = 0; i < ROUNDS * VALUES_COUNT * BN_PIXELS; i++) {
        size_t pixels = (size_t)i / VALUES_COUNT % BN_PIXELS;
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        struct bn_inputs in = {.a = check_filled(c, pixels * BLOCK, ROLE_TERM, 8),
                               .b = check_filled(c, pixels * BLOCK, ROLE_TERM, 8),
                               .scale = check_filled(c, BLOCK, ROLE_SCALE, 8),
                               .shift = check_filled(c, BLOCK, ROLE_TERM, 8)};
        check_seal(c);
        for (int alias = 0; alias < ALIAS_COUNT; alias++) {
            if (!add_bn_relu_case(c, &in, pixels, (enum alias)alias))
                return false;
        }
    }
    return true;
}
