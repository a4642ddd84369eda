/** Tuning: what it finds is valid, and changes no bit that the algorithms do not. */
#include "harness/image.h"
#include "harness/neighbours.h"
#include "harness/plan_file.h"
#include "harness/preprocess.h"
#include "harness/synthetic.h"
#include "harness/tune.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

#define SIZE 32

TestSuite(tune, .timeout = 240);

/** A network that can run, direct and by all other algorithms: no convolution by more than three.
 */
struct work {
    struct machine machine;
    struct team *team;
    struct model models[TUNE_MAX_MODELS];
    struct layout layout;
};

static const struct model_options options = {
    .network = "resnet18_v2", .classes = 10, .size = SIZE, .batch = 1};
static const uint64_t seed = 7;

/** For each convolution the algorithm of that number among those that serve, or the last one. */
static void take_algorithms(const struct model *model, int number, enum algo *algos)
{
    for (int i = 0; i < model->steps.count; i++) {
        const struct step *step = &model->steps.step[i];
        if (step->kind != NODE_CONV)
            continue;
        *algos = ALGO_DIRECT;
        for (int algo = ALGO_WINOGRAD2, left = number; algo < ALGO_AUTO && left > 0; algo++) {
            bool serves = algo_serves((enum algo)algo, &model->net, step->node);
            *algos = serves ? (enum algo)algo : *algos;
            left -= serves;
        }
        algos++;
    }
}

static void setup_work(struct work *w, int threads)
{
    struct error e;
    struct image picture;
    struct pixel_table table;
    struct param_source source = synthetic_source(&seed);
    memset(w, 0, sizeof *w);
    cr_assert(machine_read(&w->machine, &e), "%s", e.text);
    w->team = team_create(threads, &w->machine.topology, &e);
    cr_assert(w->team, "%s", e.text);
    cr_assert(model_make(&w->models[0], &options, &source, w->team, &e), "%s", e.text);
    for (int i = 1; i < TUNE_MAX_MODELS; i++) {
        enum algo algos[64];
        cr_assert_lt(w->models[0].steps.count, COUNT(algos));
        take_algorithms(&w->models[0], i, algos);
        cr_assert(model_make_tuned(&w->models[i], &options, algos, &source, w->team, &e), "%s",
                  e.text);
    }
    cr_assert(layout_make(&w->layout, &w->models[0].net, &w->models[0].steps, 1, &e), "%s", e.text);
    cr_assert(image_builtin(&picture));
    pixel_table_init(&table, &normalisation_imagenet, NULL);
    const struct tensor *t = model_image(&w->models[0], &w->layout);
    cr_assert(preprocess(&picture, SIZE, &table, t->data, t->row_stride, &e), "%s", e.text);
    image_free(&picture);
}

static void teardown_work(struct work *w)
{
    layout_free(&w->layout);
    for (int i = 0; i < TUNE_MAX_MODELS; i++)
        model_free(&w->models[i]);
    team_free(w->team);
    machine_free(&w->machine);
}

/** Copies the logits of one run. */
static void run_once(struct work *w, const struct model *model, const struct kernel_set *set,
                     const struct step_blocking *blockings, float logits[16])
{
    struct plan plan;
    struct engine engine;
    struct error e;
    cr_assert(
        plan_make(&plan, model, set, &w->layout, &w->machine.topology, team_threads(w->team), &e),
        "%s", e.text);
    cr_assert(!blockings || plan_cut(&plan, blockings, &e), "%s", e.text);
    cr_assert(engine_make(&engine, &plan, w->team, &e), "%s", e.text);
    engine_run(&engine, NULL, NULL, NULL);
    memcpy(logits, plan_logits(&plan)->data, 16 * sizeof *logits);
    engine_free(&engine);
    plan_free(&plan);
}

static const struct kernel_set *best_set(const struct machine *machine)
{
    struct isa_list list;
    struct error e;
    cr_assert(isa_select(&machine->cpu, machine_built_isas(), NULL, NULL, &list, &e), "%s", e.text);
    return kernel_set_get(list.isas[list.count - 1]);
}

static struct tune_request request_for(struct work *w, double seconds)
{
    static const volatile sig_atomic_t never;
    struct tune_request r = {.model_count = TUNE_MAX_MODELS,
                             .set = best_set(&w->machine),
                             .team = w->team,
                             .layout = &w->layout,
                             .topology = &w->machine.topology,
                             .seconds = seconds,
                             .stop = &never};
    for (int i = 0; i < TUNE_MAX_MODELS; i++)
        r.models[i] = &w->models[i];
    return r;
}

/** Tunes, and takes the plan through its JSON. */
static struct tuned_plan tuned_plan_of(struct work *w)
{
    struct tuned_plan plan, back;
    struct error e;
    const struct model *first = &w->models[0];
    struct tune_request request = request_for(w, 0.5);
    cr_assert(tuned_plan_make(&plan, &first->net, &first->steps, 1, &w->machine, &e), "%s", e.text);
    struct tuned_cut *cut = tuned_plan_add(&plan, request.set->isa, 1, &e);
    cr_assert(cut && tune(&request, plan.algos, cut, &e), "%s", e.text);
    for (int i = 0; i < plan.conv_count; i++)
        cr_expect(cut->times[i].tuned_us > 0 && cut->times[i].tuned_us <= cut->times[i].rule_us);
    json_t *root = tuned_plan_json(&plan);
    char *text = json_dumps(root, 0);
    cr_assert(plan_file_decode(&back, text, strlen(text), &e), "%s", e.text);
    free(text);
    json_decref(root);
    tuned_plan_free(&plan);
    cr_assert(tuned_plan_fits(&back, &first->net, &first->steps, 1, &w->machine, &e), "%s", e.text);
    return back;
}

/** What tuning finds has the bits of the scalar set, and the logits of direct convolution but for
 * the errors of the algorithms. */
Test(tune, plan_runs)
{
    struct work w;
    struct model tuned;
    struct error e;
    float fast[16], scalar[16], direct[16];
    setup_work(&w, 1);
    struct param_source source = synthetic_source(&seed);
    struct tuned_plan plan = tuned_plan_of(&w);
    cr_assert(model_make_tuned(&tuned, &options, plan.algos, &source, w.team, &e), "%s", e.text);
    cr_expect_str_eq(model_algo_name(&tuned), "tuned");
    run_once(&w, &tuned, best_set(&w.machine), plan.cuts[0].blockings, fast);
    run_once(&w, &tuned, kernel_set_get(ISA_SCALAR), NULL, scalar);
    run_once(&w, &w.models[0], best_set(&w.machine), NULL, direct);
    cr_expect_eq(memcmp(fast, scalar, sizeof fast), 0);
    for (int i = 0; i < 10; i++)
        cr_expect_float_eq(fast[i], direct[i], 1e-3, "%g %g", (double)fast[i], (double)direct[i]);
    model_free(&tuned);
    tuned_plan_free(&plan);
    teardown_work(&w);
}

Test(tune, can_be_interrupted)
{
    static const volatile sig_atomic_t now = 1;
    struct work w;
    struct tuned_plan plan;
    struct error e;
    setup_work(&w, 1);
    struct tune_request request = request_for(&w, 60);
    request.stop = &now;
    cr_assert(tuned_plan_make(&plan, &w.models[0].net, &w.models[0].steps, 1, &w.machine, &e));
    struct tuned_cut *cut = tuned_plan_add(&plan, request.set->isa, 1, &e);
    cr_assert(cut);
    cr_expect_not(tune(&request, plan.algos, cut, &e));
    cr_expect_str_eq(e.text, "interrupted while tuning");
    tuned_plan_free(&plan);
    teardown_work(&w);
}

/** The extremes that a plan file may ask for, and everything that tuning may try. */
static void check_blocking(struct work *w, const struct model *model, struct step_blocking blocking)
{
    struct step_blocking all[64];
    float rule[16], cut[16];
    for (int i = 0; i < COUNT(all); i++)
        all[i] = blocking;
    cr_assert_lt(model->steps.count, COUNT(all));
    run_once(w, model, best_set(&w->machine), NULL, rule);
    run_once(w, model, best_set(&w->machine), all, cut);
    cr_expect_eq(memcmp(rule, cut, sizeof rule), 0, "strip %d group %d chunk %d, chunk %d %d",
                 blocking.conv.strip, blocking.conv.group, blocking.conv.chunk,
                 blocking.bilinear.chunk, blocking.bilinear.by_channels);
}

Test(tune, no_blocking_changes_a_bit)
{
    static const struct step_blocking rows[] = {
        {{1, 1, 1}, {1, false}},
        {{CONV_MAX_STRIP, 4096, 4096}, {BILINEAR_MAX_CHUNK, true}},
        {{7, 3, 2}, {5, true}},
        {{13, 1, 4096}, {BILINEAR_MAX_CHUNK, false}},
        {{CONV_MAX_STRIP, 5, 3}, {1, true}},
    };
    struct work w;
    setup_work(&w, 2 <= sysconf(_SC_NPROCESSORS_ONLN) ? 2 : 1);
    for (int i = 0; i < COUNT(rows) * TUNE_MAX_MODELS; i++)
        check_blocking(&w, &w.models[i % TUNE_MAX_MODELS], rows[i / TUNE_MAX_MODELS]);
    teardown_work(&w);
}

static void check_neighbours(const struct plan_step *s)
{
    struct step_blocking list[MAX_NEIGHBOURS];
    int count = neighbours_of(s, list);
    cr_expect(count <= MAX_NEIGHBOURS);
    for (int i = 0; i < count; i++) {
        const struct conv_blocking *b = &list[i].conv;
        int chunk = list[i].bilinear.chunk;
        if (s->algo == ALGO_DIRECT)
            cr_expect(b->strip >= 1 && b->strip <= CONV_MAX_STRIP && b->group >= 1 &&
                      b->chunk >= 1);
        else
            cr_expect(chunk >= 1 && chunk <= BILINEAR_MAX_CHUNK);
    }
}

Test(tune, neighbours_are_valid)
{
    struct work w;
    struct plan plan;
    struct error e;
    setup_work(&w, 1);
    for (int i = 0; i < ISA_COUNT * TUNE_MAX_MODELS; i++) {
        const struct kernel_set *set = kernel_set_get((enum isa)(i / TUNE_MAX_MODELS));
        if (!set)
            continue;
        cr_assert(plan_make(&plan, &w.models[i % TUNE_MAX_MODELS], set, &w.layout,
                            &w.machine.topology, 1, &e));
        for (int s = 0; s < plan.step_count; s++) {
            if (plan.steps[s].kind == NODE_CONV)
                check_neighbours(&plan.steps[s]);
        }
        plan_free(&plan);
    }
    teardown_work(&w);
}
