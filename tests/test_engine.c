/** Whole networks: against the float64 oracle, and the kernel sets against each other. */
#include "harness/oracle.h"
#include "tests/engine_fixture.h"
#include "tests/network_fixture.h"

#include <math.h>

TestSuite(engine, .timeout = 300);

/** The largest error of the logits, as a part of the oracle's bound. */
static double worst_logit(const struct oracle_result *oracle, const float *logits)
{
    double worst = 0;
    for (int i = 0; i < oracle->classes; i++)
        worst = fmax(worst, fabs((double)logits[i] - oracle->logits[i]) / oracle->bounds[i]);
    return worst;
}

/** The same of the probabilities: d softmax is at most the largest error of a logit, doubled. */
static double worst_probability(const struct oracle_result *oracle, const float *softmax)
{
    double worst = 0, bound = 0;
    for (int i = 0; i < oracle->classes; i++)
        bound = fmax(bound, 2 * oracle->bounds[i]);
    bound += oracle->classes * 0x1p-24; /* exp, and the sum in float */
    for (int i = 0; i < oracle->classes; i++)
        worst = fmax(worst,
                     fabs((double)softmax[i] - oracle->softmax[i]) / (bound * oracle->softmax[i]));
    return worst;
}

struct outputs {
    float logits[SUBJECT_CLASSES], softmax[SUBJECT_CLASSES];
};

static void copy_outputs(void *context, const struct plan *plan, int step)
{
    struct outputs *out = context;
    if (step == plan->step_count - 1) {
        memcpy(out->logits, plan_logits(plan)->data, sizeof out->logits);
        memcpy(out->softmax, plan_output(plan)->data, sizeof out->softmax);
    }
}

static void compare_with_oracle(const char *network, int size)
{
    const struct model_options options = subject_options(network, size, 1, ALGO_DIRECT);
    struct subject s;
    struct oracle_result oracle;
    struct error e;
    subject_make(&s, &options, 1);
    float *image = malloc((size_t)size * (size_t)size * 3 * sizeof *image);
    cr_assert(image);
    show_picture(0, size, s.model.net.pixels, NULL, image, (size_t)size * 3);
    struct param_source source = synthetic_source(&s.seed);
    const struct oracle_options how = {.threads = 2};
    cr_assert(oracle_run(&s.model.net, &source, image, &how, &oracle, &e), "%s", e.text);
    struct isa_list isas = usable_isas();
    for (int i = 0; i < isas.count; i++) {
        struct outputs out;
        if (isas.isas[i] == ISA_SCALAR && size > 64)
            continue;
        subject_run(&s, isas.isas[i], 2, copy_outputs, &out);
        double logit = worst_logit(&oracle, out.logits);
        double probability = worst_probability(&oracle, out.softmax);
        cr_log_info("%s on %s, %d pixels: %.3f of the logits' bound, %.3f of the softmax's",
                    network, isa_name(isas.isas[i]), size, logit, probability);
        cr_expect(logit > 0 && logit < 1, "%s on %s, %d pixels: %g", network,
                  isa_name(isas.isas[i]), size, logit);
        cr_expect_lt(probability, 1, "%s on %s, %d pixels", network, isa_name(isas.isas[i]), size);
    }
    free(image);
    oracle_free(&oracle);
    subject_free(&s);
}

/** Networks whose blocks another one has, too; in a slow build also what its smaller ones show. */
static bool left_out(const char *name)
{
    return only_repeats(name) || (SLOW_BUILD && strstr(name, "50") && !strstr(name, "keras"));
}

/** 35 pixels leave odd maps in every stage, down to 2x2. */
Test(engine, small_networks_are_in_the_oracles_bound)
{
    for (int n = 0; network_name(n); n++) {
        if (!left_out(network_name(n)))
            compare_with_oracle(network_name(n), 35);
    }
}

Test(engine, full_network_is_in_the_oracles_bound)
{
    if (SLOW_BUILD)
        cr_skip_test("the oracle takes too long");
    compare_with_oracle("resnet50_v2", IMAGE_BUILTIN_SIDE);
}

static void check_equal_bits(const char *network, int size, enum algo algo, int threads)
{
    struct isa_list isas = usable_isas();
    const struct model_options options = subject_options(network, size, 1, algo);
    struct subject s;
    subject_make(&s, &options, 3);
    uint64_t *first = subject_hashes(&s, isas.isas[0], 2);
    for (int i = 1; i < isas.count; i++) {
        uint64_t *hashes = subject_hashes(&s, isas.isas[i], threads);
        for (int step = 0; step < s.model.steps.count; step++)
            cr_expect_eq(hashes[step], first[step], "%s, %s, %s, %d threads: %s differs", network,
                         algo_name(algo), isa_name(isas.isas[i]), threads, step_name(&s, step));
        free(hashes);
    }
    free(first);
    subject_free(&s);
}

Test(engine, all_networks_have_equal_bits)
{
    for (int n = 0; network_name(n); n++) {
        if (!left_out(network_name(n)))
            check_equal_bits(network_name(n), network_least_size(network_name(n)), ALGO_AUTO, 3);
    }
    if (!SLOW_BUILD)
        check_equal_bits("resnet152_v2", 32, ALGO_AUTO, 3);
}

Test(engine, all_algorithms_have_equal_bits)
{
    check_equal_bits("resnet18_v2", 64, ALGO_AUTO, 1);
    for (int algo = 0; algo < ALGO_COUNT; algo++)
        check_equal_bits("resnet18_v2", 64, (enum algo)algo, 3);
}
