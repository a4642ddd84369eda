/** Bilinear convolutions as a whole: equal bits however they are run. */
#include "tests/bilinear_fixture.h"

#include "arch/clock.h"

#include <criterion/criterion.h>

TestSuite(bilinear, .timeout = 600);

static struct machine machine;
static struct team *teams[3];
static struct isa_list isas;

/** Teams of 1, 2 and 3 threads. */
static void set_up(void)
{
    struct error e;
    cr_assert(machine_read(&machine, &e), "%s", e.text);
    cr_assert(isa_select(&machine.cpu, machine_built_isas(), NULL, NULL, &isas, &e), "%s", e.text);
    for (int i = 0; i < 3; i++) {
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

/** A convolution with a full epilogue, and the outputs of its first run. */
struct trial {
    struct bilinear b;
    float *weights, *params;
    size_t sum_floats, act_floats;
    float *sum, *act; /**< expected; NULL before the first run */
};

static void fill_residual(struct tensor *t, int batch)
{
    float *plain = noise_array((size_t)(batch * t->channels * t->height * t->width), 15);
    tensor_fill(t, batch, plain);
    free(plain);
}

static struct trial trial_make(const struct layer_data *d, enum algo algo, int residual_stride)
{
    struct trial t = {.b = {.form = algo_form(algo), .batch = d->batch, .stride = d->stride}};
    struct bilinear *b = &t.b;
    int height = layer_out(d, d->height), width = layer_out(d, d->width);
    size_t floats, channels = (size_t)whole_blocks(d->cout);
    b->in = layer_input(d);
    b->residual_stride = residual_stride;
    b->residual =
        tensor_blocked(d->cout, (height - 1) * residual_stride + 1, width * residual_stride, 0);
    b->sum = tensor_blocked(d->cout, height, width, 0);
    b->act = tensor_blocked(d->cout, height, width, 1);
    t.sum_floats = tensor_floats(&b->sum, d->batch);
    t.act_floats = tensor_floats(&b->act, d->batch);
    tensor_fill(&b->in, d->batch, d->in);
    fill_residual(&b->residual, d->batch);
    b->weights = t.weights = pack_bilinear(d, b->form, &floats);
    b->weights_end = b->weights + floats;
    b->bias = t.params = noise_array(3 * channels, 14);
    b->scale = b->bias + channels;
    b->shift = b->scale + channels;
    return t;
}

static void trial_free(struct trial *t)
{
    free(tensor_memory(&t->b.in));
    free(tensor_memory(&t->b.residual));
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
                      struct bilinear_blocking blocking, struct team *team)
{
    float *sum = guarded(t->sum_floats), *act = guarded(t->act_floats);
    t->b.set = set;
    t->b.blocking = blocking;
    t->b.own_floats = blocking.chunk % 2 ? SIZE_MAX : 0;
    tensor_place(&t->b.sum, sum);
    tensor_place(&t->b.act, act);
    run_on_team(team, &t->b, NULL);
    cr_expect_eq(written_border(&t->b.act, act, t->act_floats), 0);
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
static void expect_same_bits(const struct layer_data *d, enum algo algo, int residual_stride)
{
    static const int chunks[] = {1, 5, 16, BILINEAR_MAX_CHUNK};
    static int next;
    struct trial t = trial_make(d, algo, residual_stride);
    cr_assert(
        trial_run(&t, kernel_set_get(ISA_SCALAR), (struct bilinear_blocking){64, false}, teams[0]));
    for (int i = 0; i < isas.count; i++) {
        for (int k = 0; k < 4; k++, next++) {
            int chunk = chunks[(next / 2 + i) % 4];
            struct bilinear_blocking blocking = {chunk, k % 2 == 1};
            struct team *team = teams[next / 3 % 3];
            cr_expect(trial_run(&t, kernel_set_get(isas.isas[i]), blocking, team),
                      "%s, %d x %d x %d to %d, stride %d, batch %d, chunk %d, by channels %d, "
                      "%d threads, %s",
                      algo_name(algo), d->cin, d->height, d->width, d->cout, d->stride, d->batch,
                      chunk, k % 2, team_threads(team), isa_name(isas.isas[i]));
        }
    }
    trial_free(&t);
}

/** Sizes of the input, with one image and with two. */
#define SIZES (13 * 13 * 2)

static int height_of(int size)
{
    return size / 2 / 13 + 1;
}

static int width_of(int size)
{
    return size / 2 % 13 + 1;
}

Test(bilinear, equal_bits_of_stride_1_at_all_sizes)
{
    int step = SLOW_BUILD ? 7 : 1;
    set_up();
    for (int i = 0; i < SIZES; i += step) {
        struct layer_data d =
            layer_shape(ALGO_WINOGRAD2, 16 + i % 33, 16 + i * 5 % 33, height_of(i), width_of(i));
        d.batch = i % 2 + 1;
        d = layer_make(d);
        expect_same_bits(&d, ALGO_WINOGRAD2, 1);
        expect_same_bits(&d, ALGO_WINOGRAD4, 1);
        expect_same_bits(&d, ALGO_WINOGRAD6, 1);
        layer_free(&d);
    }
    tear_down();
}

/** The stride-2 and the 1x1 algorithm share the sizes; even and odd ones fall to each. */
Test(bilinear, equal_bits_of_the_others_at_all_sizes)
{
    int step = SLOW_BUILD ? 7 : 1;
    set_up();
    for (int i = 0; i < SIZES; i += step) {
        enum algo algo = i % 3 == 0 ? ALGO_POLYPHASE2 : ALGO_STRASSEN;
        int cin = algo == ALGO_STRASSEN ? 32 + i % 2 * 64 : 16 + i % 33;
        int cout = algo == ALGO_STRASSEN ? 32 + i / 2 % 3 * 32 : 16 + i * 5 % 33;
        struct layer_data d = layer_shape(algo, cin, cout, height_of(i), width_of(i));
        d.batch = i / 2 % 2 + 1;
        d.stride = i % 3 == 1 ? 1 : 2;
        d = layer_make(d);
        expect_same_bits(&d, algo, algo == ALGO_STRASSEN ? 1 + i / 3 % 2 : 1);
        layer_free(&d);
    }
    tear_down();
}

Test(bilinear, equal_bits_of_the_stem_at_all_sizes)
{
    int step = SLOW_BUILD ? 7 : 1;
    set_up();
    for (int i = 0; i < SIZES; i += step) {
        struct layer_data d =
            layer_shape(ALGO_POLYPHASE4, 3, 16 + i * 5 % 33, height_of(i), width_of(i) + 10);
        d.batch = i % 2 + 1;
        d = layer_make(d);
        expect_same_bits(&d, ALGO_POLYPHASE4, 1);
        layer_free(&d);
    }
    tear_down();
}

static _Atomic int multiplied;

static void counting_conv(const struct conv_args *a)
{
    multiplied += a->pixels * a->blocks * a->pieces;
    kernel_set_get(ISA_SCALAR)->conv.run(a);
}

static void counting_stem(const struct conv_args *a)
{
    multiplied += a->pixels * a->blocks * a->pieces;
    kernel_set_get(ISA_SCALAR)->stem.run(a);
}

/** Products that a convolution of one block on either side computes. */
static int products_of(enum algo algo, int height, int width, bool by_channels)
{
    struct kernel_set set = *kernel_set_get(ISA_SCALAR);
    struct layer_data d = layer_make(layer_shape(algo, BLOCK, BLOCK, height, width));
    struct trial t = trial_make(&d, algo, 1);
    set.conv.run = counting_conv;
    set.stem.run = counting_stem;
    multiplied = 0;
    cr_assert(trial_run(&t, &set, (struct bilinear_blocking){5, by_channels}, teams[0]));
    trial_free(&t);
    layer_free(&d);
    return multiplied;
}

/** Counted by hand: 11 x 11 of F(4x4) for 4 + 3 pixels, 22 x 12 for 14 x 8, and so on. */
Test(bilinear, spares_products_of_outputs_beyond_the_edge)
{
    static const struct {
        enum algo algo;
        int height, width, products;
    } cases[] = {{ALGO_WINOGRAD4, 7, 7, 11 * 11},    {ALGO_WINOGRAD4, 14, 8, 22 * 12},
                 {ALGO_WINOGRAD4, 1, 12, 4 * 18},    {ALGO_WINOGRAD6, 28, 7, 38 * 12},
                 {ALGO_WINOGRAD6, 6, 3, 8 * 6},      {ALGO_WINOGRAD6, 14, 5, 20 * 7},
                 {ALGO_WINOGRAD2, 7, 7, 15 * 15},    {ALGO_WINOGRAD2, 2, 1, 4 * 3},
                 {ALGO_POLYPHASE2, 14, 14, 18 * 18}, {ALGO_POLYPHASE2, 1, 16, 3 * 20},
                 {ALGO_POLYPHASE4, 16, 8, 14 * 7},   {ALGO_POLYPHASE4, 1, 13, 6 * 13}};
    set_up();
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        enum algo algo = cases[i / 2].algo;
        int height = cases[i / 2].height, width = cases[i / 2].width;
        int stride = layer_shape(algo, BLOCK, BLOCK, height, width).stride;
        int got = products_of(algo, height, width, i % 2 == 1), expected = cases[i / 2].products;
        int said =
            bilinear_products(algo_form(algo), (height - 1) / stride + 1, (width - 1) / stride + 1);
        cr_expect(got == expected && said == expected, "%s, %d x %d: %d, said %d, not %d",
                  algo_name(algo), height, width, got, said, expected);
    }
    tear_down();
}

#define PATIENCE_NS 10000000000

static _Atomic int started, finished;
static _Atomic bool helped;

/* The first product waits until another is there, which only another thread can compute. */
static void waiting_conv(const struct conv_args *a)
{
    const uint64_t end = clock_ns() + PATIENCE_NS;
    bool first = started++ == 0;
    kernel_set_get(ISA_SCALAR)->conv.run(a);
    while (first && finished == 0 && clock_ns() < end)
        ;
    helped |= first && finished > 0;
    finished++;
}

/** One unit on two threads: the one that has none computes some of its products. */
Test(bilinear, idle_threads_help)
{
    set_up();
    if (machine.topology.allowed_pus < 2)
        cr_skip_test("threads that share a CPU do not help");
    struct kernel_set set = *kernel_set_get(ISA_SCALAR);
    struct layer_data d = layer_make(layer_shape(ALGO_WINOGRAD4, 2 * BLOCK, BLOCK, 9, 14));
    struct trial t = trial_make(&d, ALGO_WINOGRAD4, 1);
    set.conv.run = waiting_conv;
    for (int by_channels = 0; by_channels < 2; by_channels++) {
        struct bilinear_blocking whole = {BILINEAR_MAX_CHUNK, by_channels};
        cr_assert(trial_run(&t, kernel_set_get(ISA_SCALAR), whole, teams[0]));
        for (int i = 0; i < 20; i++) {
            started = finished = 0;
            helped = false;
            cr_expect(trial_run(&t, &set, whole, teams[1]));
            cr_assert(helped);
        }
    }
    trial_free(&t);
    layer_free(&d);
    tear_down();
}
