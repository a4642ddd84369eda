/** Winograd convolutions as a whole: equal bits however they are run, and a bounded error. */
#include "harness/oracle_winograd.h"
#include "tests/winograd_fixture.h"

#include <criterion/criterion.h>

TestSuite(winograd, .timeout = 600);

static struct machine machine;
static struct team *teams[3];
static struct isa_list isas;

/** `count` teams of 1, 2, … threads. */
static void set_up(int count)
{
    struct error e;
    cr_assert(machine_read(&machine, &e), "%s", e.text);
    cr_assert(isa_select(&machine.cpu, machine_built_isas(), NULL, NULL, &isas, &e), "%s", e.text);
    for (int i = 0; i < count; i++) {
        teams[i] = team_create(i + 1, &machine.topology, &e);
        cr_assert(teams[i], "%s", e.text);
    }
}

static void tear_down(void)
{
    for (int i = 0; i < 3; i++)
        team_free(teams[i]);
    machine_free(&machine);
}

static const struct kernel_set *best_set(void)
{
    enum isa best = ISA_SCALAR;
    for (int i = 0; i < isas.count; i++)
        best = isas.isas[i] > best ? isas.isas[i] : best;
    return kernel_set_get(best);
}

/** A convolution with a full epilogue, and the outputs of its first run. */
struct trial {
    struct winograd w;
    float *weights, *params;
    size_t sum_floats, act_floats;
    float *sum, *act; /**< expected; NULL before the first run */
};

static struct trial trial_make(const struct layer_data *d, int tile, const float *residual)
{
    struct trial t = {.w = {.tile = tile, .batch = d->batch}};
    struct winograd *w = &t.w;
    size_t floats, channels = (size_t)(d->cout + BLOCK - 1) / BLOCK * BLOCK;
    w->in = tensor_blocked(d->cin, d->height, d->width, 1);
    w->residual = w->sum = tensor_blocked(d->cout, d->height, d->width, 0);
    w->act = tensor_blocked(d->cout, d->height, d->width, 1);
    t.sum_floats = tensor_floats(&w->sum, d->batch);
    t.act_floats = tensor_floats(&w->act, d->batch);
    tensor_fill(&w->in, d->batch, d->in);
    tensor_fill(&w->residual, d->batch, residual);
    w->weights = t.weights = pack_winograd(d, tile, &floats);
    w->weights_end = w->weights + floats;
    w->bias = t.params = noise_array(3 * channels, 14);
    w->scale = w->bias + channels;
    w->shift = w->scale + channels;
    return t;
}

static void trial_free(struct trial *t)
{
    free(tensor_memory(&t->w.in));
    free(tensor_memory(&t->w.residual));
    free(t->weights);
    free(t->params);
    guarded_free(t->sum, t->sum_floats);
    guarded_free(t->act, t->act_floats);
}

/** Pixels of the output's border, in floats, that were written. */
static size_t written_border(const struct tensor *t, const float *memory, size_t floats)
{
    size_t written = 0, row = t->row_stride, height = t->block_stride / row;
    for (size_t i = 0; i < floats; i++) {
        size_t y = i / row % height, x = i % row / BLOCK;
        bool inside = y >= 1 && y <= (size_t)t->height && x >= 1 && x <= (size_t)t->width;
        written += !inside && !is_canary(memory[i]);
    }
    return written;
}

/** Runs it; false if the bits are not those of the first run. */
static bool trial_run(struct trial *t, const struct kernel_set *set,
                      struct winograd_blocking blocking, struct team *team)
{
    float *sum = guarded(t->sum_floats), *act = guarded(t->act_floats);
    t->w.set = set;
    t->w.blocking = blocking;
    tensor_place(&t->w.sum, sum);
    tensor_place(&t->w.act, act);
    run_on_team(team, &t->w, NULL);
    cr_expect_eq(written_border(&t->w.act, act, t->act_floats), 0);
    if (!t->sum) {
        t->sum = sum;
        t->act = act;
        return true;
    }
    bool same = memcmp(sum, t->sum, t->sum_floats * sizeof *sum) == 0 &&
                memcmp(act, t->act, t->act_floats * sizeof *act) == 0;
    guarded_free(sum, t->sum_floats);
    guarded_free(act, t->act_floats);
    return same;
}

/** All ISAs, both splits, several chunks; each on one of the teams in turn. */
static void expect_same_bits(const struct layer_data *d, int tile, const float *residual)
{
    static const int chunks[] = {1, 5, 16, WINOGRAD_MAX_CHUNK};
    static int next;
    struct trial t = trial_make(d, tile, residual);
    cr_assert(
        trial_run(&t, kernel_set_get(ISA_SCALAR), (struct winograd_blocking){64, false}, teams[0]));
    for (int i = 0; i < isas.count; i++) {
        for (int k = 0; k < 4; k++, next++) {
            int chunk = chunks[(next / 2 + i) % 4];
            struct winograd_blocking blocking = {chunk, k % 2 == 1};
            struct team *team = teams[next / 3 % 3];
            cr_expect(trial_run(&t, kernel_set_get(isas.isas[i]), blocking, team),
                      "F%d, %d x %d x %d to %d, batch %d, chunk %d, by channels %d, %d threads, %s",
                      tile, d->cin, d->height, d->width, d->cout, d->batch, chunk, k % 2,
                      team_threads(team), isa_name(isas.isas[i]));
        }
    }
    trial_free(&t);
}

Test(winograd, equal_bits_at_all_sizes)
{
    int step = SLOW_BUILD ? 7 : 1;
    set_up(3);
    for (int i = 0; i < 13 * 13 * 2; i += step) {
        int height = i / 2 / 13 + 1, width = i / 2 % 13 + 1;
        struct layer_data d = layer_make(16 + i % 33, 16 + i * 5 % 33, height, width, i % 2 + 1);
        float *residual = noise_array(layer_outputs(&d) * (size_t)d.batch, 15);
        expect_same_bits(&d, 2, residual);
        expect_same_bits(&d, 4, residual);
        free(residual);
        layer_free(&d);
    }
    tear_down();
}

/** The first image by Winograd, or direct for tile 0, plain; freed by the caller. */
static float *run_layer(const struct layer_data *d, int tile, const float *packed, size_t floats)
{
    struct tensor in = tensor_blocked(d->cin, d->height, d->width, 1);
    struct tensor out = tensor_blocked(d->cout, d->height, d->width, 0);
    size_t out_floats = tensor_floats(&out, d->batch);
    float *bias = calloc((size_t)(d->cout + BLOCK), sizeof *bias);
    float *plain = malloc(layer_outputs(d) * sizeof *plain);
    cr_assert(bias && plain);
    memcpy(bias, d->bias, (size_t)d->cout * sizeof *bias);
    tensor_fill(&in, d->batch, d->in);
    tensor_place(&out, guarded(out_floats));
    struct winograd w = {.set = best_set(), .tile = tile, .batch = d->batch, .in = in, .sum = out};
    struct conv c = {.set = w.set, .batch = d->batch, .kernel = 3, .stride = 1, .pad = 1, .in = in};
    c.sum = out;
    c.bias = w.bias = bias;
    c.weights = w.weights = packed;
    c.weights_end = w.weights_end = packed + floats;
    w.blocking = (struct winograd_blocking){24, true};
    c.blocking = (struct conv_blocking){48, 4, 4};
    run_on_team(teams[0], tile ? &w : NULL, tile ? NULL : &c);
    for (size_t i = 0; i < layer_outputs(d); i++) {
        int at = (int)i, pixels = d->height * d->width;
        plain[i] = *tensor_element(&out, 0, at / pixels, at % pixels / d->width, at % d->width);
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

static struct layer_measure measure(const struct layer_data *d, int tile, const float *got)
{
    struct layer_measure m = {0};
    size_t outputs = layer_outputs(d);
    struct oracle_conv conv = layer_conv(d, 2);
    struct error e;
    double *out = calloc(outputs, sizeof *out), *bound = calloc(outputs, sizeof *bound);
    cr_assert(tile ? oracle_winograd(&conv, tile, d->in, out, bound, &e)
                   : oracle_conv(&conv, d->in, out, bound, &e));
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

static struct layer_measure measure_layer(const struct layer_data *d, int tile)
{
    size_t floats;
    float *packed = tile ? pack_winograd(d, tile, &floats) : pack_direct(d, &floats);
    float *got = run_layer(d, tile, packed, floats);
    struct layer_measure m = measure(d, tile, got);
    free(packed);
    free(got);
    return m;
}

Test(winograd, layers_stay_within_the_rigorous_bound)
{
    static const int shapes[][2] = {{56, 64}, {28, 128}, {14, 256}, {7, 512},
                                    {16, 64}, {4, 256},  {2, 512}};
    set_up(1);
    for (size_t i = SLOW_BUILD ? 4 : 0; i < sizeof shapes / sizeof *shapes; i++) {
        int size = shapes[i][0], channels = shapes[i][1];
        struct layer_data d = layer_make(channels, channels, size, size, 1);
        struct layer_measure direct = measure_layer(&d, 0);
        cr_expect(direct.fraction > 1e-4 && direct.fraction <= 1);
        for (int tile = 2; tile <= 4; tile += 2) {
            struct layer_measure m = measure_layer(&d, tile);
            cr_log_info("%dx%dx%d F%d: %.4f of the bound, direct %.4f; rms %.2e, direct %.2e", size,
                        size, channels, tile, m.fraction, direct.fraction, m.rms, direct.rms);
            cr_expect(m.fraction > 1e-4 && m.fraction <= 1, "%g", m.fraction);
            cr_expect(m.rms < (tile == 2 ? 1.5 : 4) * direct.rms, "F%d %g %g", tile, m.rms,
                      direct.rms);
        }
        layer_free(&d);
    }
    tear_down();
}

/** Edges and odd channel counts; and the oracle's own Winograd stands on the direct sum. */
Test(winograd, odd_sizes_stay_within_the_rigorous_bound)
{
    set_up(1);
    for (int i = 0; i < 40; i++) {
        struct layer_data d = layer_make(1 + i * 7 % 37, 1 + i % 19, 1 + i % 9, 1 + i * 3 % 11, 1);
        for (int tile = 0; tile <= 4; tile += 2) {
            struct layer_measure m = measure_layer(&d, tile);
            cr_expect(m.fraction <= 1, "case %d, F%d: %g", i, tile, m.fraction);
        }
        layer_free(&d);
    }
    tear_down();
}

/**
 * One packed weight that is off by 1e-4, and one of the wrong sign. Only its channel has inputs, so
 * that the bound has no room for it.
 */
Test(winograd, faults_leave_the_bound)
{
    enum { CIN = 16, COUT = 16, SIZE = 8 };
    set_up(1);
    struct layer_data d = layer_make(CIN, COUT, SIZE, SIZE, 1);
    for (int i = 0; i < CIN * SIZE * SIZE; i++)
        d.in[i] = i / (SIZE * SIZE) == 5 ? 0.5f + d.in[i] : 0;
    for (int i = 0; i < 4; i++) {
        size_t floats;
        int tile = i < 2 ? 2 : 4, side = tile + 2;
        float *packed = pack_winograd(&d, tile, &floats);
        float *off = packed + ((side + 1) * CIN + 5) * BLOCK + 3;
        *off *= i % 2 == 0 ? 1.0001f : -1;
        float *got = run_layer(&d, tile, packed, floats);
        struct layer_measure m = measure(&d, tile, got);
        cr_expect(m.fraction > 1, "case %d: %g", i, m.fraction);
        free(packed);
        free(got);
        cr_expect(measure_layer(&d, tile).fraction <= 1);
    }
    layer_free(&d);
    tear_down();
}

/** The variance is what the errors really are, within a factor, and the value the direct sum's. */
Test(winograd, variance_fits_the_errors)
{
    enum { CHANNELS = 64, SIZE = 12 };
    set_up(1);
    struct layer_data d = layer_make(CHANNELS, CHANNELS, SIZE, SIZE, 1);
    size_t inputs = layer_inputs(&d), outputs = layer_outputs(&d);
    double *in = calloc(inputs, sizeof *in), *none = calloc(inputs, sizeof *none);
    double *out = calloc(outputs, sizeof *out), *variance = calloc(outputs, sizeof *variance);
    struct oracle_conv conv = layer_conv(&d, 2);
    struct error e;
    for (size_t i = 0; i < inputs; i++)
        in[i] = (double)d.in[i];
    for (int tile = 2; tile <= 4; tile += 2) {
        double mean = 0;
        cr_assert(oracle_winograd_variance(&conv, tile, in, none, out, variance, &e));
        for (size_t i = 0; i < outputs; i++)
            mean += variance[i] / (double)outputs;
        double ratio = measure_layer(&d, tile).rms / sqrt(mean);
        cr_log_info("F%d: errors are %.3f sigma", tile, ratio);
        cr_expect(ratio > 0.2 && ratio < 1, "F%d: %.3f sigma", tile, ratio);
    }
    free(in);
    free(none);
    free(out);
    free(variance);
    layer_free(&d);
    tear_down();
}
