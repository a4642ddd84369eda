/** The float64 oracle by hand, and one convolution against float computations. */
#include "arch/cpu.h"
#include "harness/oracle.h"
#include "harness/oracle_conv.h"
#include "harness/oracle_sums.h"
#include "tests/float_fixture.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double u = FLOAT_ROUNDOFF;

static void expect_near(const double *got, const double *expected, size_t count, double within)
{
    for (size_t i = 0; i < count; i++)
        cr_expect_float_eq(got[i], expected[i], within, "[%zu] %.17g, not %.17g", i, got[i],
                           expected[i]);
}

Test(oracle_conv, by_hand)
{
    const float in[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const float weights[] = {1, 0, -1, 0, 2, 0, 0, 0, 3};
    const float bias[] = {0.5f};
    struct oracle_conv conv = {.cin = 1,
                               .height = 3,
                               .width = 3,
                               .cout = 1,
                               .kernel = 3,
                               .stride = 1,
                               .pad = 1,
                               .weights = weights,
                               .bias = bias,
                               .threads = 1};
    double out[9], bound[9];
    struct error e;
    cr_assert(oracle_conv(&conv, in, out, bound, &e));
    const double at_1[] = {17.5, 22.5, 6.5, 30.5, 35.5, 14.5, 9.5, 14.5, 23.5};
    const double sums[] = {17.5, 22.5, 6.5, 34.5, 41.5, 14.5, 19.5, 26.5, 23.5};
    expect_near(out, at_1, 9, 1e-12);
    for (int i = 0; i < 9; i++)
        cr_expect_float_eq(bound[i] / (9 * u * sums[i]), 1, 1e-6);
    conv.stride = 2;
    cr_expect_eq(oracle_conv_out(&conv, 3), 2);
    cr_assert(oracle_conv(&conv, in, out, bound, &e));
    const double at_2[] = {17.5, 6.5, 9.5, 23.5};
    expect_near(out, at_2, 4, 1e-12);
    conv.pad = 0;
    conv.bias = NULL;
    cr_assert(oracle_conv(&conv, in, out, bound, &e));
    cr_expect_float_eq(out[0], 35, 1e-12);
}

Test(oracle_conv, variance_by_hand)
{
    const float weights[] = {2, -3};
    const float bias[] = {10};
    const struct oracle_conv conv = {.cin = 2,
                                     .height = 1,
                                     .width = 1,
                                     .cout = 1,
                                     .kernel = 1,
                                     .stride = 1,
                                     .weights = weights,
                                     .bias = bias,
                                     .threads = 1};
    const double in[] = {5, 1};
    double errors[] = {0, 0}, out, variance;
    struct error e;
    cr_assert(oracle_conv_variance(&conv, in, errors, &out, &variance, &e));
    cr_expect_float_eq(out, 17, 1e-12);
    /* The partial sums are 20 and 17; the rounded weights err by u 2 * 5 and u 3 * 1. */
    cr_expect_float_eq(variance / (u * u), 400 + 289 + 100 + 9, 1e-9);
    errors[0] = 0.25;
    errors[1] = 0.5;
    cr_assert(oracle_conv_variance(&conv, in, errors, &out, &variance, &e));
    cr_expect_float_eq(variance, 4 * 0.25 + 9 * 0.5, 1e-9);
}

/** The partial sums are squared in the order in which the kernels' contract accumulates. */
Test(oracle_conv, variance_follows_the_order_of_the_kernels)
{
    enum { CIN = 21, TAPS = 9, BLOCK = 16 };
    float *weights = noise_array(CIN * TAPS, 1), *x = noise_array(CIN * TAPS, 2);
    double in[CIN * TAPS], out, variance, sum = 0, expected = 0;
    for (int i = 0; i < CIN * TAPS; i++)
        in[i] = (double)x[i];
    for (int block = 0; block < CIN; block += BLOCK) {
        for (int i = 0; i < TAPS * BLOCK; i++) {
            int c = block + i % BLOCK, at = c * TAPS + i / BLOCK;
            if (c < CIN) {
                sum += in[at] * (double)weights[at];
                expected += sum * sum;
            }
        }
    }
    const struct oracle_conv conv = {CIN, 3, 3, 1, 3, 1, 0, weights, NULL, NULL, 1};
    struct error e;
    cr_assert(oracle_conv_variance(&conv, in, NULL, &out, &variance, &e));
    cr_expect_float_eq(out, sum, 1e-12);
    cr_expect_float_eq(variance / (u * u) / expected, 1, 1e-12);
    free(weights);
    free(x);
}

/** What oracle_sums_add is to do, one number at a time. */
static void add_plainly(struct oracle_sums *sums, const struct oracle_tap *taps, size_t count,
                        const double *x, const double *y)
{
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < (size_t)ORACLE_GROUP * ORACLE_CHUNK; i++) {
            size_t g = i / ORACLE_CHUNK, p = i % ORACLE_CHUNK, at = taps[t].at + p;
            double term = taps[t].weight[g] * x[at], spread = taps[t].spread[g] * y[at];
            sums->value[g][p] += term;
            sums->chain[g][p] += sums->value[g][p] * sums->value[g][p];
            sums->spread[g][p] += spread;
        }
    }
}

Test(oracle_sums, have_the_same_bits_in_every_instruction_set)
{
    enum { TAPS = 37, INPUTS = 100 };
    struct oracle_tap taps[TAPS];
    struct oracle_sums start, expected;
    double x[INPUTS], y[INPUTS];
    struct cpu cpu;
    cpu_detect(&cpu);
    for (size_t i = 0; i < INPUTS; i++) {
        x[i] = (double)noise(i) / 3;
        y[i] = fabs((double)noise(i + INPUTS)) / 3;
    }
    for (size_t i = 0; i < (size_t)TAPS * ORACLE_GROUP; i++) {
        struct oracle_tap *tap = &taps[i / ORACLE_GROUP];
        tap->at = i / ORACLE_GROUP * 29 % (INPUTS - ORACLE_CHUNK);
        tap->weight[i % ORACLE_GROUP] = (double)noise(i + 1000) / 3;
        tap->spread[i % ORACLE_GROUP] = tap->weight[i % ORACLE_GROUP] / 7;
    }
    for (size_t i = 0; i < sizeof start / sizeof(double); i++)
        ((double *)&start)[i] = (double)noise(i + 2000) / 3;
    expected = start;
    add_plainly(&expected, taps, TAPS, x, y);
    cr_expect(oracle_sums_get(ISA_SCALAR) && oracle_sums_best());
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++) {
        struct oracle_sums sums = start;
        oracle_sums_add *add = oracle_sums_get(isa);
        if (!add || isa_obstacle(&cpu, 1u << isa, isa))
            continue;
        add(&sums, taps, TAPS, x, y);
        cr_expect(memcmp(&sums, &expected, sizeof sums) == 0, "%s", isa_name(isa));
    }
}

static void expect_float_within(const struct oracle_conv *conv)
{
    size_t inputs = (size_t)(conv->cin * conv->height * conv->width);
    size_t outputs = (size_t)(conv->cout * oracle_conv_out(conv, conv->height) *
                              oracle_conv_out(conv, conv->width));
    float *in = noise_array(inputs, 1);
    float *single = noise_array(outputs, 2);
    double *out = calloc(outputs, sizeof *out), *bound = calloc(outputs, sizeof *bound);
    struct error e;
    cr_assert(oracle_conv(conv, in, out, bound, &e));
    float_conv(conv, in, single);
    double worst = 0;
    size_t outside = 0;
    for (size_t i = 0; i < outputs; i++) {
        double error = fabs((double)single[i] - out[i]);
        worst = fmax(worst, error);
        outside += !(bound[i] > 0 && bound[i] < 1e-2 && error <= bound[i]);
    }
    cr_expect_eq(outside, 0, "%zu of %zu", outside, outputs);
    cr_expect_gt(worst, 0);
    free(in);
    free(single);
    free(out);
    free(bound);
}

Test(oracle_conv, float_stays_within_the_rigorous_bound)
{
    const int shapes[][7] = {
        /* cin, height, width, cout, kernel, stride, pad */
        {3, 19, 14, 5, 7, 2, 3}, {17, 9, 6, 7, 3, 1, 1},   {33, 8, 9, 6, 3, 2, 1},
        {40, 7, 7, 9, 1, 1, 0},  {20, 9, 11, 4, 1, 2, 0},  {300, 1, 1, 10, 1, 1, 0},
        {2, 5, 70, 1, 3, 1, 1},  {520, 9, 10, 5, 1, 1, 0},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i];
        float *weights = noise_array((size_t)(s[0] * s[3] * s[4] * s[4]), 3);
        float *bias = noise_array((size_t)s[3], 4);
        struct oracle_conv conv = {s[0], s[1], s[2], s[3], s[4], s[5], s[6], .weights = weights};
        conv.threads = 1;
        expect_float_within(&conv);
        conv.bias = bias;
        conv.threads = 3;
        expect_float_within(&conv);
        free(weights);
        free(bias);
    }
}

/** A network small enough to compute by hand: 4x4 image, 3 channels, 2 classes. */
static struct node small_nodes[] = {
    {.kind = NODE_INPUT, .inputs = {-1, -1}, .shape = {3, 4, 4}},
    {.kind = NODE_BATCH_NORM, .inputs = {0, -1}, .shape = {3, 4, 4}, .epsilon = 1},
    {.kind = NODE_MAX_POOL,
     .inputs = {1, -1},
     .shape = {3, 2, 2},
     .kernel = 3,
     .stride = 2,
     .pad = 1},
    {.kind = NODE_RELU, .inputs = {2, -1}, .shape = {3, 2, 2}},
    {.kind = NODE_CONV, .inputs = {3, -1}, .shape = {3, 2, 2}, .kernel = 1, .stride = 1},
    {.kind = NODE_BATCH_NORM, .inputs = {4, -1}, .shape = {3, 2, 2}, .epsilon = 1},
    {.kind = NODE_ADD, .inputs = {5, 3}, .shape = {3, 2, 2}},
    {.kind = NODE_AVG_POOL, .inputs = {6, -1}, .shape = {3, 1, 1}},
    {.kind = NODE_DENSE, .inputs = {7, -1}, .shape = {2, 1, 1}, .bias = true},
    {.kind = NODE_SOFTMAX, .inputs = {8, -1}, .shape = {2, 1, 1}},
};

static const struct network small = {
    .name = "small", .variant = "hand", .classes = 2, .node_count = 10, .nodes = small_nodes};

static void read_small(const void *context, const struct network *net, int node, enum param param,
                       size_t first, size_t count, float *out)
{
    (void)context;
    const float norm[] = {2, 1, 0.5f, 3};
    const float dense[] = {0.5f, 0.25f, 0.25f, -0.125f, 0, 0};
    for (size_t i = first; i < first + count; i++) {
        if (net->nodes[node].kind == NODE_BATCH_NORM)
            *out++ = norm[param - PARAM_GAMMA];
        else if (net->nodes[node].kind == NODE_CONV)
            *out++ = (float)i - 4;
        else
            *out++ = param == PARAM_WEIGHT ? dense[i] : i == 0 ? 1 : -1;
    }
}

struct small_visit {
    int next;
    double sigma[10][4]; /**< of the last 4 numbers of each node, or of its first where it has 3 */
};

static void visit_small(void *context, int node, const double *value, const double *sigma)
{
    struct small_visit *visit = context;
    cr_expect_eq(node, visit->next++);
    const struct shape *s = &small_nodes[node].shape;
    int count = s->channels * s->height * s->width;
    for (int i = 0; i < 4 && i < count; i++)
        visit->sigma[node][i] = sigma[count < 4 ? i : count - 4 + i];
    /* The pool's maxima are those of pixels 5, 7, 13, 15; a zero of the padding would exceed some.
     */
    const double pooled[] = {-14.5, -12.5, -6.5, -4.5, -9.5, -5.5,
                             6.5,   10.5,  -4.5, 1.5,  19.5, 25.5};
    const double averaged[] = {-35.5, 16.375, 71.375};
    if (node == 2)
        expect_near(value, pooled, 12, 1e-12);
    if (node == 3)
        cr_expect(value[0] == 0 && sigma[0] == 0 && value[11] > 25);
    if (node == 7)
        expect_near(value, averaged, 3, 1e-12);
}

/** At pixel 15 of the image, channels hold -5, 10 and 25, and a batch norm adds 0.5. */
static void expect_small_sigmas(double sigma[10][4])
{
    const double norm = 25 + 25.5 + 0.5, norm_of_10 = 10 + 10.5 + 0.5;
    const double weights =
        9 * (norm_of_10 * norm_of_10 + 10.5 * 10.5) + 16 * (norm * norm + 25.5 * 25.5);
    const double conv = weights + 31.5 * 31.5 + 133.5 * 133.5;
    const double second_norm = 133.5 + 134 + (1 + sqrt(3)) * 0.5;
    const double folded = conv + second_norm * second_norm;
    const double sum = folded + norm * norm + 159.5 * 159.5;
    cr_expect_eq(sigma[0][3], 0);
    for (int node = 1; node <= 3; node++)
        cr_expect_float_eq(sigma[node][3] / u, norm, 1e-9);
    cr_expect_float_eq(sigma[4][3] / u, sqrt(conv), 1e-9);
    cr_expect_float_eq(sigma[5][3] / u, sqrt(folded), 1e-9);
    cr_expect_float_eq(sigma[6][3] / u, sqrt(sum), 1e-9);
    double mean = (sigma[6][0] + sigma[6][1] + sigma[6][2] + sigma[6][3]) / (4 * u);
    cr_expect_float_eq(sigma[7][2] / u, hypot(mean, 3 * 71.375), 1e-9);
}

Test(oracle, small_network_by_hand)
{
    float image[4 * 4 * 3];
    for (int i = 0; i < 48; i++)
        image[i] = (float)(i / 3 * (i % 3 + 1) - 20);
    const struct param_source source = {.read = read_small};
    struct small_visit visit = {0};
    const struct oracle_options options = {.threads = 2, .visit = visit_small, .context = &visit};
    struct oracle_result r;
    struct error e;
    cr_assert(oracle_run(&small, &source, image, &options, &r, &e));
    cr_expect_eq(visit.next, 10);
    cr_expect_eq(r.classes, 2);
    const double first = -17.75 + 4.09375 + 17.84375 + 1, second = 4.4375 - 1;
    const double logits[] = {first, second};
    const double softmax[] = {1 / (1 + exp(second - first)), 1 / (1 + exp(first - second))};
    expect_near(r.logits, logits, 2, 1e-12);
    expect_near(r.softmax, softmax, 2, 1e-12);
    for (int i = 0; i < 2; i++)
        cr_expect_float_eq(r.bounds[i] / (ORACLE_LAMBDA * visit.sigma[8][i]), 1, 1e-12);
    double shared = softmax[0] * visit.sigma[8][0] + softmax[1] * visit.sigma[8][1];
    double second_rounding = u * (3 + sqrt(2) + first - second);
    double expected = softmax[1] * hypot(visit.sigma[8][1] + shared, second_rounding);
    cr_expect_float_eq(visit.sigma[9][1] / expected, 1, 1e-9);
    expect_small_sigmas(visit.sigma);
    oracle_free(&r);
}
