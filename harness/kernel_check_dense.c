/* The dense layer, softmax, and the kernel that measures the FMA ceiling. */
#include "harness/kernel_check_case.h"

#include <math.h>

#define FC_INPUTS 64
#define FC_BLOCKS 9
#define SOFTMAX_COUNTS 40
#define ROUNDS 4

static bool fc_case(struct check *c, size_t inputs, size_t blocks)
{
    const float *in = check_filled(c, inputs, ROLE_FACTOR, 4 * inputs);
    const float *weights = check_filled(c, blocks * inputs * BLOCK, ROLE_FACTOR, 4 * inputs);
    const float *bias = check_filled(c, blocks * BLOCK, ROLE_TERM, 8);
    check_seal(c);
    check_case(c, "%zu inputs, %zu blocks", inputs, blocks);
    struct check_output *out = check_output(c, "out", blocks * BLOCK);
    c->scalar->fc.run(in, weights, bias, out->expected, inputs, blocks);
    c->set->fc.run(in, weights, bias, out->got, inputs, blocks);
    return check_end(c);
}

bool check_fc(struct check *c)
{
    for (int i = 0; i < ROUNDS * VALUES_COUNT * FC_BLOCKS; i++) {
        size_t blocks = (size_t)i / VALUES_COUNT % FC_BLOCKS + 1;
        for (size_t inputs = BLOCK; inputs <= FC_INPUTS; inputs += BLOCK) {
            check_data(c, (enum check_values)(i % VALUES_COUNT));
            if (!fc_case(c, inputs, blocks))
                return false;
        }
    }
    return true;
}

static bool softmax_case(struct check *c, size_t count)
{
    /* One NaN or +Inf makes every output NaN, so most vectors get none of the special numbers. */
    const float *x = check_filled(c, count, ROLE_SCORE, 4 * count);
    check_seal(c);
    check_case(c, "count %zu", count);
    struct check_output *out = check_output(c, "out", count);
    c->scalar->softmax.run(x, out->expected, count);
    c->set->softmax.run(x, out->got, count);
    return check_end(c);
}

bool check_softmax(struct check *c)
{
    for (int i = 0; i < ROUNDS * VALUES_COUNT * (SOFTMAX_COUNTS + 1); i++) {
        size_t count = (size_t)i / VALUES_COUNT % (SOFTMAX_COUNTS + 1) + 1;
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        if (!softmax_case(c, count > SOFTMAX_COUNTS ? 1000 : count))
            return false;
    }
    return true;
}

bool check_peak(struct check *c)
{
    static const long rounds[] = {1, 2, 3, 1000};
    double each = 0;
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        check_data(c, VALUES_NORMAL);
        check_case(c, "%ld rounds", rounds[i]);
        double done = c->set->peak.run(rounds[i]);
        if (i == 0)
            each = done;
        if (!(done > 0) || isinf(done) || done != each * (double)rounds[i])
            return check_problem(c, "it returned %g operations, and %g for one round", done, each);
        if (!check_end(c))
            return false;
    }
    return true;
}
