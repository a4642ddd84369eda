/** Bilinear convolutions against the oracle: errors within the bounds, and faults outside. */
#include "harness/oracle_bilinear.h"
#include "harness/oracle_tiles.h"
#include "tests/bilinear_fixture.h"

#include <criterion/criterion.h>

TestSuite(bilinear_bounds, .timeout = 600);

static struct machine machine;
static struct team *team;
static const struct kernel_set *set;

static void set_up(void)
{
    struct isa_list isas;
    struct error e;
    cr_assert(machine_read(&machine, &e), "%s", e.text);
    cr_assert(isa_select(&machine.cpu, machine_built_isas(), NULL, NULL, &isas, &e), "%s", e.text);
    set = kernel_set_get(best_isa(&isas));
    team = team_create(1, &machine.topology, &e);
    cr_assert(team, "%s", e.text);
}

static void tear_down(void)
{
    team_free(team);
    machine_free(&machine);
}

/** The first image by an algorithm, plain; freed by the caller. */
static float *run_layer(const struct layer_data *d, enum algo algo, const float *packed,
                        size_t floats)
{
    const bool direct = algo == ALGO_DIRECT;
    int height = layer_out(d, d->height), width = layer_out(d, d->width);
    struct tensor in = layer_input(d);
    struct tensor out = tensor_blocked(d->cout, height, width, 0);
    size_t out_floats = tensor_floats(&out, d->batch);
    float *bias = calloc((size_t)(d->cout + BLOCK), sizeof *bias);
    float *plain = malloc(layer_outputs(d) * sizeof *plain);
    cr_assert(bias && plain);
    memcpy(bias, d->bias, (size_t)d->cout * sizeof *bias);
    tensor_fill(&in, d->batch, d->in);
    tensor_place(&out, guarded(out_floats));
    struct bilinear b = {.set = set, .batch = d->batch, .stride = d->stride, .in = in};
    struct conv c = {.set = b.set, .batch = d->batch, .stride = d->stride, .in = in, .sum = out};
    c.kernel = d->kernel;
    c.pad = d->kernel / 2;
    c.bias = b.bias = bias;
    c.weights = b.weights = packed;
    c.weights_end = b.weights_end = packed + floats;
    c.blocking = (struct conv_blocking){48, 4, 4};
    b.sum = out;
    b.form = direct ? 0 : algo_form(algo);
    b.blocking = (struct bilinear_blocking){24, true};
    run_on_team(team, direct ? NULL : &b, direct ? &c : NULL);
    for (size_t i = 0; i < layer_outputs(d); i++) {
        int at = (int)i, pixels = height * width;
        plain[i] = *tensor_element(&out, 0, at / pixels, at % pixels / width, at % width);
    }
    free(tensor_memory(&in));
    guarded_free(out.data, out_floats);
    free(bias);
    return plain;
}

/** What a layer's error is: absolute, root mean square, and the largest share of the bound. */
struct layer_measure {
    double worst, rms, fraction;
};

static struct layer_measure measure(const struct layer_data *d, enum algo algo, const float *got)
{
    struct layer_measure m = {0};
    size_t outputs = layer_outputs(d);
    struct oracle_conv conv = layer_conv(d, 2);
    struct error e;
    double *out = calloc(outputs, sizeof *out), *bound = calloc(outputs, sizeof *bound);
    cr_assert(algo == ALGO_DIRECT ? oracle_conv(&conv, d->in, out, bound, &e)
                                  : oracle_bilinear(&conv, algo, d->in, out, bound, &e));
    for (size_t i = 0; i < outputs; i++) {
        double error = fabs((double)got[i] - out[i]);
        cr_assert(bound[i] > 0 && error < INFINITY);
        m.worst = fmax(m.worst, error);
        m.rms += error * error / (double)outputs;
        m.fraction = fmax(m.fraction, error / bound[i]);
    }
    m.rms = sqrt(m.rms);
    free(out);
    free(bound);
    return m;
}

static struct layer_measure measure_layer(const struct layer_data *d, enum algo algo)
{
    size_t floats;
    float *packed =
        algo == ALGO_DIRECT ? pack_direct(d, &floats) : pack_bilinear(d, algo_form(algo), &floats);
    float *got = run_layer(d, algo, packed, floats);
    struct layer_measure m = measure(d, algo, got);
    free(packed);
    free(got);
    return m;
}

/** By an algorithm and direct: bounds that are not idle, and errors of the size expected. */
static void expect_layer_within(const struct layer_data *d, enum algo algo, double most)
{
    struct layer_measure direct = measure_layer(d, ALGO_DIRECT), m = measure_layer(d, algo);
    cr_log_info("%dx%dx%d to %d, %s: %.4f of the bound, direct %.4f; rms %.2e, direct %.2e",
                d->height, d->width, d->cin, d->cout, algo_name(algo), m.fraction, direct.fraction,
                m.rms, direct.rms);
    cr_expect(direct.fraction > 1e-4 && direct.fraction <= 1, "%g", direct.fraction);
    cr_expect(m.fraction > 1e-4 && m.fraction <= 1, "%s: %g", algo_name(algo), m.fraction);
    cr_expect(m.rms < most * direct.rms, "%s: %g %g", algo_name(algo), m.rms, direct.rms);
}

/** Sizes and channels of ResNet's layers, the small ones first, with which a slow build ends. */
static const struct {
    enum algo algo;
    int size, cin, cout;
    double most; /**< of the error, times direct convolution's */
} layers[] = {
    {ALGO_WINOGRAD2, 2, 512, 512, 1.5},   {ALGO_WINOGRAD4, 2, 512, 512, 4},
    {ALGO_WINOGRAD2, 4, 256, 256, 1.5},   {ALGO_WINOGRAD4, 4, 256, 256, 4},
    {ALGO_WINOGRAD2, 16, 64, 64, 1.5},    {ALGO_WINOGRAD4, 16, 64, 64, 4},
    {ALGO_WINOGRAD6, 4, 256, 256, 16},    {ALGO_WINOGRAD6, 16, 64, 64, 16},
    {ALGO_POLYPHASE2, 4, 512, 512, 1.2},  {ALGO_POLYPHASE2, 17, 64, 64, 1.2},
    {ALGO_STRASSEN, 3, 512, 256, 2.2},    {ALGO_STRASSEN, 16, 64, 64, 2.2},
    {ALGO_POLYPHASE4, 17, 3, 64, 10},     {ALGO_POLYPHASE4, 32, 3, 64, 10},
    {ALGO_WINOGRAD2, 7, 512, 512, 1.5},   {ALGO_WINOGRAD4, 7, 512, 512, 4},
    {ALGO_WINOGRAD2, 14, 256, 256, 1.5},  {ALGO_WINOGRAD4, 14, 256, 256, 4},
    {ALGO_WINOGRAD2, 28, 128, 128, 1.5},  {ALGO_WINOGRAD4, 28, 128, 128, 4},
    {ALGO_WINOGRAD2, 56, 64, 64, 1.5},    {ALGO_WINOGRAD4, 56, 64, 64, 4},
    {ALGO_WINOGRAD6, 28, 128, 128, 16},   {ALGO_WINOGRAD6, 56, 64, 64, 16},
    {ALGO_POLYPHASE2, 14, 512, 512, 1.2}, {ALGO_POLYPHASE2, 56, 128, 128, 1.2},
    {ALGO_STRASSEN, 7, 2048, 512, 2.2},   {ALGO_STRASSEN, 14, 256, 1024, 2.2},
    {ALGO_STRASSEN, 56, 64, 256, 2.2},    {ALGO_POLYPHASE4, 224, 3, 64, 10},
};
#define SMALL_LAYERS 14

Test(bilinear_bounds, layers_stay_within_the_rigorous_bound)
{
    const int count = SLOW_BUILD ? SMALL_LAYERS : (int)(sizeof layers / sizeof *layers);
    set_up();
    for (int i = 0; i < count; i++) {
        int size = layers[i].size;
        struct layer_data d =
            layer_make(layer_shape(layers[i].algo, layers[i].cin, layers[i].cout, size, size));
        expect_layer_within(&d, layers[i].algo, layers[i].most);
        layer_free(&d);
    }
    tear_down();
}

/** Most by which the oracle's tiles differ from the direct sum, in shares of the bound. */
static double tiles_off(const struct layer_data *d, enum algo algo)
{
    size_t inputs = layer_inputs(d), outputs = layer_outputs(d);
    double *in = calloc(inputs, sizeof *in), *direct = calloc(outputs, sizeof *direct);
    double *bound = calloc(outputs, sizeof *bound), *tiles = calloc(2 * outputs, sizeof *tiles);
    double worst = 0;
    struct oracle_conv conv = layer_conv(d, 1);
    struct error e;
    cr_assert(in && direct && bound && tiles);
    conv.bias = NULL;
    for (size_t i = 0; i < inputs; i++)
        in[i] = (double)d->in[i];
    cr_assert(oracle_bilinear(&conv, algo, d->in, direct, bound, &e), "%s", e.text);
    cr_assert(oracle_tiles(&conv, algo, false, in, tiles, tiles + outputs, &e), "%s", e.text);
    for (size_t i = 0; i < outputs; i++)
        worst = fmax(worst, fabs(tiles[i] - direct[i]) / bound[i]);
    free(in);
    free(direct);
    free(bound);
    free(tiles);
    return worst;
}

/** Tiles of all cuts in both directions. */
Test(bilinear_bounds, tiles_of_the_oracle_are_the_direct_sum)
{
    for (int i = 0; i < 81 * (ALGO_AUTO - ALGO_WINOGRAD2); i++) {
        enum algo algo = (enum algo)(ALGO_WINOGRAD2 + i / 81);
        struct layer_data d = layer_make(layer_shape(algo, 32, 32, 1 + i % 9, 1 + i / 9 % 9));
        double off = tiles_off(&d, algo);
        cr_expect(off < 0.5, "%s at %dx%d: %g", algo_name(algo), d.height, d.width, off);
        layer_free(&d);
    }
}

/** Edges and odd channel counts. */
Test(bilinear_bounds, odd_sizes_stay_within_the_rigorous_bound)
{
    set_up();
    for (int i = 0; i < 40 * ALGO_AUTO; i++) {
        enum algo algo = (enum algo)(i / 40);
        int k = i % 40, height = 1 + k % 9, width = 1 + k * 3 % 11;
        struct layer_data d =
            algo == ALGO_STRASSEN
                ? layer_shape(algo, 32 + k % 3 * 32, 32 + k % 2 * 32, height, width)
                : layer_shape(algo, 1 + k * 7 % 37, 1 + k % 19, height, width);
        d.stride = algo == ALGO_STRASSEN ? 1 + k / 2 % 2 : d.stride;
        d = layer_make(d);
        struct layer_measure m = measure_layer(&d, algo);
        cr_expect(m.fraction <= 1, "case %d, %s: %g", k, algo_name(algo), m.fraction);
        layer_free(&d);
    }
    tear_down();
}

/**
 * The largest share of the bound for a layer with one packed weight times `factor`. Only the
 * weight's channel has inputs, so that the bound has no room for a fault; of the stem, whose phases
 * are channels, every second pixel.
 */
static double share_with_fault(enum algo algo, float factor)
{
    enum { SIZE = 8, PIXELS = SIZE * SIZE };
    const bool stem = algo == ALGO_POLYPHASE4;
    const int channel = stem ? 1 : 5;
    enum bilinear_form form = algo_form(algo);
    int group = bilinear_group(form), channels = group * BLOCK;
    int position = form == FORM_STRASSEN ? 1 : bilinear_filter_side(form) + 1;
    struct layer_data d = layer_make(layer_shape(algo, channels, channels, SIZE, SIZE));
    size_t floats;
    for (int i = 0; i < d.cin * PIXELS; i++) {
        bool phase = i % SIZE % 2 && i % PIXELS / SIZE % 2; /* padded by 3: even rows and columns */
        d.in[i] = i / PIXELS == channel && (phase || !stem) ? 0.5f + d.in[i] : 0;
    }
    float *packed = pack_bilinear(&d, form, &floats);
    packed[(position * bilinear_inputs(form, BLOCK) + channel) * BLOCK + 3] *= factor;
    float *got = run_layer(&d, algo, packed, floats);
    struct layer_measure m = measure(&d, algo, got);
    free(packed);
    free(got);
    layer_free(&d);
    return m.fraction;
}

Test(bilinear_bounds, faults_leave_the_bound)
{
    set_up();
    for (int i = ALGO_WINOGRAD2; i < ALGO_AUTO; i++) {
        enum algo algo = (enum algo)i;
        float factor = algo == ALGO_WINOGRAD6 ? 1.0004f : 1.0001f; /* its bound is wider */
        double off = share_with_fault(algo, factor), turned = share_with_fault(algo, -1);
        cr_expect(off > 1, "%s off by some 1e-4: %g", algo_name(algo), off);
        cr_expect(turned > 1, "%s of the wrong sign: %g", algo_name(algo), turned);
        cr_expect(share_with_fault(algo, 1) <= 1);
    }
    tear_down();
}

/** The root mean square of the deviations that the oracle expects of a layer's outputs. */
static double expected_deviation(const struct layer_data *d, enum algo algo)
{
    size_t inputs = layer_inputs(d), outputs = layer_outputs(d);
    double *in = calloc(inputs, sizeof *in), *none = calloc(inputs, sizeof *none);
    double *out = calloc(outputs, sizeof *out), *variance = calloc(outputs, sizeof *variance);
    double mean = 0;
    struct oracle_conv conv = layer_conv(d, 2);
    struct error e;
    cr_assert(in && none && out && variance);
    for (size_t i = 0; i < inputs; i++)
        in[i] = (double)d->in[i];
    cr_assert(oracle_bilinear_variance(&conv, algo, in, none, out, variance, &e));
    for (size_t i = 0; i < outputs; i++)
        mean += variance[i] / (double)outputs;
    free(in);
    free(none);
    free(out);
    free(variance);
    return sqrt(mean);
}

/** The variance is what the errors really are, within a factor: 10 and 8 pixels cut tiles. */
Test(bilinear_bounds, variance_fits_the_errors)
{
    enum { CHANNELS = 64 };
    static const int sizes[] = {12, 10, 8};
    set_up();
    for (int i = 0; i < 3 * ALGO_AUTO; i++) {
        enum algo algo = (enum algo)(i / 3);
        int size = sizes[i % 3];
        struct layer_data d = layer_make(layer_shape(algo, CHANNELS, CHANNELS, size, size));
        double ratio = measure_layer(&d, algo).rms / expected_deviation(&d, algo);
        cr_log_info("%s at %d: errors are %.3f sigma", algo_name(algo), size, ratio);
        cr_expect(ratio > 0.2 && ratio < 1, "%s at %d: %.3f sigma", algo_name(algo), size, ratio);
        layer_free(&d);
    }
    tear_down();
}

/** What the oracle says of a convolution: [output], the bound, the value again and its variance. */
static double *oracle_says(const struct layer_data *d, enum algo algo, const float *weights,
                           const float *bias, const double *fold)
{
    size_t inputs = layer_inputs(d), outputs = layer_outputs(d);
    double *in = calloc(2 * inputs, sizeof *in), *said = calloc(4 * outputs, sizeof *said);
    struct oracle_conv conv = layer_conv(d, 2);
    struct error e;
    cr_assert(in && said);
    conv.weights = weights;
    conv.bias = bias;
    conv.fold = fold;
    for (size_t i = 0; i < inputs; i++) {
        in[i] = (double)d->in[i];
        in[inputs + i] = 1e-14 * fabs((double)noise(i));
    }
    cr_assert(oracle_bilinear(&conv, algo, d->in, said, said + outputs, &e), "%s", e.text);
    cr_assert(oracle_bilinear_variance(&conv, algo, in, in + inputs, said + 2 * outputs,
                                       said + 3 * outputs, &e),
              "%s", e.text);
    free(in);
    return said;
}

/** A channel's factor is as good as its weights and bias times it; powers of 2 are exact. */
Test(bilinear_bounds, folds_are_factors_of_the_weights)
{
    enum { CHANNELS = 32 };
    for (int i = ALGO_WINOGRAD2; i < ALGO_AUTO; i++) {
        enum algo algo = (enum algo)i;
        struct layer_data d = layer_make(layer_shape(algo, CHANNELS, CHANNELS, 5, 6));
        size_t filter = layer_filter(&d), outputs = layer_outputs(&d);
        double fold[CHANNELS];
        float bias[CHANNELS], *weights = malloc(CHANNELS * filter * sizeof *weights);
        cr_assert(weights);
        for (int o = 0; o < CHANNELS; o++) {
            fold[o] = ldexp(o % 3 ? 1 : -1, o % 13 - 6);
            bias[o] = (float)fold[o] * d.bias[o];
        }
        for (size_t k = 0; k < CHANNELS * filter; k++)
            weights[k] = (float)fold[k / filter] * d.weights[k];
        double *folded = oracle_says(&d, algo, d.weights, d.bias, fold);
        double *plain = oracle_says(&d, algo, weights, bias, NULL);
        for (size_t k = 0; k < 4 * outputs; k++)
            cr_expect_eq(folded[k], plain[k], "%s: %zu of %zu: %g, %g", algo_name(algo), k, outputs,
                         folded[k], plain[k]);
        free(folded);
        free(plain);
        free(weights);
        layer_free(&d);
    }
}
