/** Bilinear algorithms in whole networks: equal bits, and errors within the bounds, by layer and at
 * the end. */
#include "harness/engine.h"
#include "harness/layer_error.h"
#include "harness/oracle.h"
#include "harness/synthetic.h"
#include "tests/bilinear_fixture.h"

#include <criterion/criterion.h>

#include <time.h>

enum { CLASSES = 1000, THREADS = 2 };

TestSuite(bilinear_network, .timeout = 600);

/** The algorithms that are held against the oracle are from here to ALGO_COUNT, a mix of all. */
#define FIRST_REQUEST (SLOW_BUILD ? ALGO_COUNT : ALGO_DIRECT)

static const uint64_t seed = 3;
static struct machine machine;
static struct isa_list isas;
static struct team *team;

static void set_up(void)
{
    struct error e;
    cr_assert(machine_read(&machine, &e), "%s", e.text);
    cr_assert(isa_select(&machine.cpu, machine_built_isas(), NULL, NULL, &isas, &e), "%s", e.text);
    team = team_create(THREADS, &machine.topology, &e);
    cr_assert(team, "%s", e.text);
}

static void tear_down(void)
{
    team_free(team);
    machine_free(&machine);
}

static const struct kernel_set *best_set(void)
{
    return kernel_set_get(best_isa(&isas));
}

/** A model with its memory, the image in it. */
struct loaded {
    struct model model;
    struct layout layout;
    float *image; /**< as the oracle wants it */
};

static void fill_image(struct loaded *l, int size, int batch)
{
    const struct tensor *t = model_image(&l->model, &l->layout);
    const struct weights *w = &l->model.weights;
    for (int i = 0; i < batch * size * size * 3; i++) {
        int pixel = i / 3 % (size * size), c = i % 3;
        size_t at = (size_t)(i / 3 / size / size) * t->image_stride +
                    (size_t)(pixel / size) * t->row_stride + (size_t)(pixel % size * 3 + c);
        double v = (double)l->image[i % (size * size * 3)];
        t->data[at] = (float)(v * w->image_scale[c] + w->image_shift[c]);
    }
}

/** As tuning might choose: of those that serve, the last one of the fewest steps before. */
static void mix_algorithms(const struct model *model, enum algo *algos)
{
    int used[ALGO_AUTO] = {0}, conv = 0;
    for (int i = 0; i < model->steps.count; i++) {
        const struct step *step = &model->steps.step[i];
        int best = ALGO_DIRECT;
        for (int algo = ALGO_WINOGRAD2; algo < ALGO_AUTO; algo++) {
            if (algo_serves((enum algo)algo, &model->net, step->node) && used[algo] <= used[best])
                best = algo;
        }
        if (step->kind != NODE_CONV)
            continue;
        used[best]++;
        algos[conv++] = (enum algo)best;
    }
}

/** ALGO_COUNT as the request is a tuned plan. */
static const char *request_name(enum algo request)
{
    return request == ALGO_COUNT ? "tuned" : algo_name(request);
}

static struct loaded load(const char *name, int size, int batch, enum algo request)
{
    struct loaded l;
    struct error e;
    bool tuned = request == ALGO_COUNT;
    const struct param_source source = synthetic_source(&seed);
    const struct model_options options = {.network = name,
                                          .classes = CLASSES,
                                          .size = size,
                                          .batch = batch,
                                          .request = tuned ? ALGO_AUTO : request};
    cr_assert(model_make(&l.model, &options, &source, team, &e), "%s", e.text);
    if (tuned) {
        enum algo *algos = calloc((size_t)l.model.steps.count, sizeof *algos);
        cr_assert(algos);
        mix_algorithms(&l.model, algos);
        model_free(&l.model);
        cr_assert(model_make_tuned(&l.model, &options, algos, &source, team, &e), "%s", e.text);
        free(algos);
    }
    cr_assert(layout_make(&l.layout, &l.model.net, &l.model.steps, batch, &e), "%s", e.text);
    l.image = noise_array((size_t)(size * size * 3), 21);
    fill_image(&l, size, batch);
    return l;
}

static void unload(struct loaded *l)
{
    layout_free(&l->layout);
    model_free(&l->model);
    free(l->image);
}

/** Runs on a team; hands back the logits, [batch][CLASSES], freed by the caller. */
static float *run(struct loaded *l, const struct kernel_set *set, struct team *on)
{
    struct plan plan;
    struct engine engine;
    struct error e;
    cr_assert(
        plan_make(&plan, &l->model, set, &l->layout, &machine.topology, team_threads(on), &e));
    cr_assert(engine_make(&engine, &plan, on, &e));
    engine_run(&engine, NULL, NULL, NULL);
    const struct tensor *t = plan_logits(&plan);
    float *logits = malloc((size_t)(plan.batch * CLASSES) * sizeof *logits);
    cr_assert(logits);
    for (int i = 0; i < plan.batch * CLASSES; i++)
        logits[i] = *tensor_element(t, i / CLASSES, i % CLASSES, 0, 0);
    engine_free(&engine);
    plan_free(&plan);
    return logits;
}

Test(bilinear_network, equal_bits_on_all_sets_and_threads)
{
    set_up();
    for (int i = SLOW_BUILD ? 7 : 0; i < 8; i++) {
        enum algo request = (enum algo)(ALGO_WINOGRAD2 + i);
        int batch = i / 3 + 1;
        struct loaded l = load(i % 2 ? "resnet50_v2" : "resnet18_v2", 33, batch, request);
        float *expected = run(&l, kernel_set_get(ISA_SCALAR), team);
        for (int n = 0; n < 3 * isas.count; n++) {
            struct error e;
            struct team *other;
            if (isas.isas[n / 3] == ISA_SCALAR && n % 3 + 1 == THREADS)
                continue;
            other = team_create(n % 3 + 1, &machine.topology, &e);
            cr_assert(other);
            float *got = run(&l, kernel_set_get(isas.isas[n / 3]), other);
            cr_expect_arr_eq(got, expected, (size_t)(batch * CLASSES) * sizeof *got, "%s %s %d",
                             request_name(request), isa_name(isas.isas[n / 3]), n % 3 + 1);
            free(got);
            team_free(other);
        }
        free(expected);
        unload(&l);
    }
    tear_down();
}

/** The networks take turns, but that only the larger one has work for Strassen and a mix. */
static const char *small_network(enum algo request)
{
    return request == ALGO_WINOGRAD2 || request == ALGO_WINOGRAD6 ? "resnet18_v2" : "resnet50_v2";
}

/** The logits' error against the oracle's bound for the model's algorithms. */
static void expect_logits_within(const char *name, int size, enum algo request)
{
    const char *plan = request_name(request);
    struct loaded l = load(name, size, 1, request);
    enum algo *algos = calloc((size_t)l.model.net.node_count, sizeof *algos);
    for (int i = 0; i < l.model.steps.count; i++)
        algos[l.model.steps.step[i].node] = l.model.steps.step[i].algo;
    const struct param_source source = synthetic_source(&seed);
    const struct oracle_options options = {.threads = THREADS, .algos = algos};
    struct oracle_result result;
    struct error e;
    cr_assert(oracle_run(&l.model.net, &source, l.image, &options, &result, &e), "%s", e.text);
    float *logits = run(&l, best_set(), team);
    double worst = 0, bound = 0, fraction = 0;
    for (int i = 0; i < CLASSES; i++) {
        double error = fabs((double)logits[i] - result.logits[i]);
        cr_assert(error < INFINITY && result.bounds[i] > 0);
        worst = fmax(worst, error);
        bound = fmax(bound, result.bounds[i]);
        fraction = fmax(fraction, error / result.bounds[i]);
    }
    cr_log_info("%s at %d, %s: logits err by %.2e, %.3f of the bound of %.2e", name, size, plan,
                worst, fraction, bound);
    cr_expect(fraction > 0.005 && fraction <= 1 && bound < 1e-3, "%s: %g of %g", plan, fraction,
              bound);
    free(logits);
    free(algos);
    oracle_free(&result);
    unload(&l);
}

Test(bilinear_network, logits_stay_within_the_bound)
{
    set_up();
    for (int request = FIRST_REQUEST; request <= ALGO_COUNT; request++)
        expect_logits_within(small_network((enum algo)request), 64, (enum algo)request);
    tear_down();
}

/** The oracle takes some 10 s at this size; the other algorithms are held against it at 64. */
Test(bilinear_network, logits_at_full_size_stay_within_the_bound, .disabled = SLOW_BUILD)
{
    set_up();
    expect_logits_within("resnet50_v2", 224, ALGO_DIRECT);
    expect_logits_within("resnet50_v2", 224, ALGO_AUTO);
    tear_down();
}

/** Measures the errors of all steps; to be freed by the caller. */
static struct layer_error *measure_steps(struct loaded *l, const struct kernel_set *set, int images)
{
    struct plan plan;
    struct engine engine;
    struct error e;
    const struct param_source source = synthetic_source(&seed);
    struct layer_error *steps = calloc((size_t)l->model.steps.count, sizeof *steps);
    cr_assert(plan_make(&plan, &l->model, set, &l->layout, &machine.topology, THREADS, &e));
    cr_assert(engine_make(&engine, &plan, team, &e));
    cr_assert(layer_error_measure(&engine, &source, images, steps, &e), "%s", e.text);
    engine_free(&engine);
    plan_free(&plan);
    return steps;
}

static bool has_bound(const struct step *step)
{
    return step->kind == NODE_CONV || step->kind == NODE_DENSE;
}

static void expect_steps_within(const char *name, int size, int batch, enum algo request)
{
    struct loaded l = load(name, size, batch, request);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    struct layer_error *steps = measure_steps(&l, best_set(), batch);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double direct = 0, bilinear = 0;
    for (int i = 0; i < l.model.steps.count; i++) {
        const struct step *step = &l.model.steps.step[i];
        double f = steps[i].fraction;
        cr_expect(has_bound(step) ? f > 1e-5 && f <= 1 && steps[i].error > 0 : f == 0, "%s %d: %g",
                  request_name(request), i, f);
        direct = step->algo == ALGO_DIRECT ? fmax(direct, f) : direct;
        bilinear = step->algo != ALGO_DIRECT ? fmax(bilinear, f) : bilinear;
    }
    cr_log_info("%s at %d, %s: direct steps use up to %.4f of their bound, others %.4f; %.1f s",
                name, size, request_name(request), direct, bilinear,
                (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec));
    free(steps);
    unload(&l);
}

/** The networks take turns but where several algorithms do. */
Test(bilinear_network, steps_stay_within_the_rigorous_bound)
{
    set_up();
    for (int request = FIRST_REQUEST; request <= ALGO_COUNT; request++) {
        bool several = request >= ALGO_AUTO;
        if (several || request % 2 == 0)
            expect_steps_within("resnet50_v2", 64, 1, (enum algo)request);
        if (several || request % 2 == 1)
            expect_steps_within("resnet18_v2", 33, 2, (enum algo)request);
    }
    if (!SLOW_BUILD)
        expect_steps_within("resnet50_v2", 224, 1, ALGO_AUTO);
    tear_down();
}

/** Strassen's epilogue can add every second pixel of a shortcut, which this network asks for. */
Test(bilinear_network, strided_shortcuts_stay_within_the_rigorous_bound)
{
    const char *name = "resnet50_v2_keras";
    set_up();
    struct loaded l = load(name, 33, 1, ALGO_STRASSEN);
    int strided = 0;
    for (int i = 0; i < l.model.steps.count; i++) {
        const struct step *step = &l.model.steps.step[i];
        strided += step->algo == ALGO_STRASSEN && step->residual_stride == 2;
    }
    cr_expect(strided > 0);
    unload(&l);
    expect_steps_within(name, 33, 1, ALGO_STRASSEN);
    tear_down();
}

static void turn_sign(float *block)
{
    for (int i = 0; i < BLOCK; i++)
        block[i] *= -1;
}

#define DEFINE_WRONG(FORM, POSITION)                                                               \
    static void wrong_##FORM(const struct patch_in_args *args)                                     \
    {                                                                                              \
        kernel_set_get(ISA_SCALAR)->FORM##_in.run(args);                                           \
        turn_sign(args->out + POSITION * args->position_stride);                                   \
    }

DEFINE_WRONG(winograd2, 6)
DEFINE_WRONG(winograd4, 13)
DEFINE_WRONG(winograd6, 9)
DEFINE_WRONG(polyphase2, 6)
DEFINE_WRONG(polyphase4, 8)

static void wrong_strassen(const struct strassen_in_args *args)
{
    kernel_set_get(ISA_SCALAR)->strassen_in.run(args);
    for (size_t i = 0; i < (size_t)args->pairs; i++)
        turn_sign(args->out + args->position_stride + i * BLOCK);
}

/** The best kernels but for one input transform. */
static struct kernel_set faulty_set(enum algo algo)
{
    struct kernel_set set = *best_set();
    if (algo == ALGO_WINOGRAD2)
        set.winograd2_in.run = wrong_winograd2;
    else if (algo == ALGO_WINOGRAD4)
        set.winograd4_in.run = wrong_winograd4;
    else if (algo == ALGO_WINOGRAD6)
        set.winograd6_in.run = wrong_winograd6;
    else if (algo == ALGO_POLYPHASE2)
        set.polyphase2_in.run = wrong_polyphase2;
    else if (algo == ALGO_POLYPHASE4)
        set.polyphase4_in.run = wrong_polyphase4;
    else
        set.strassen_in.run = wrong_strassen;
    return set;
}

/** A transform with one wrong sign shows in every step that uses it, and in no other. */
Test(bilinear_network, a_wrong_sign_leaves_the_bound, .disabled = SLOW_BUILD)
{
    set_up();
    struct loaded l = load("resnet18_v2", 33, 1, ALGO_COUNT);
    for (int algo = ALGO_WINOGRAD2; algo < ALGO_AUTO; algo++) {
        const struct kernel_set faulty = faulty_set((enum algo)algo);
        struct layer_error *steps = measure_steps(&l, &faulty, 1);
        int seen = 0;
        for (int i = 0; i < l.model.steps.count; i++) {
            bool fault = l.model.steps.step[i].algo == (enum algo)algo;
            cr_expect_eq(steps[i].fraction > 1, fault, "%s, step %d: %g",
                         algo_name((enum algo)algo), i, steps[i].fraction);
            seen += fault;
        }
        cr_expect(seen > 0, "%s", algo_name((enum algo)algo));
        free(steps);
    }
    unload(&l);
    tear_down();
}

/** Adds to one output channel's weights for some input channels, of which not all are zero. */
static void shift_weights(float *weights, float by)
{
    for (int c = 0; c < BLOCK; c++)
        weights[c * BLOCK] += by;
}

/** Folded weights of a step, by any algorithm, that are off. */
Test(bilinear_network, wrong_weights_leave_the_bound, .disabled = SLOW_BUILD)
{
    unsigned seen = 0;
    set_up();
    struct loaded l = load("resnet50_v2", 33, 1, ALGO_COUNT);
    for (int i = 0; i < l.model.steps.count; i++) {
        const struct step *step = &l.model.steps.step[i];
        float *weights = l.model.weights.step[i].weights;
        float kept[BLOCK * BLOCK];
        if (!weights || (i % 18 && seen >> step->algo & 1))
            continue;
        memcpy(kept, weights, sizeof kept);
        shift_weights(weights, 1);
        struct layer_error *steps = measure_steps(&l, best_set(), 1);
        for (int s = 0; s < l.model.steps.count; s++)
            cr_expect_eq(steps[s].fraction > 1, s == i, "step %d: %g", s, steps[s].fraction);
        memcpy(weights, kept, sizeof kept);
        free(steps);
        seen |= 1U << step->algo;
    }
    cr_expect_eq(seen, (1U << ALGO_AUTO) - 1, "%x", seen);
    unload(&l);
    tear_down();
}
