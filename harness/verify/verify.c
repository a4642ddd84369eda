#include "harness/verify/verify.h"

#include "harness/input.h"
#include "harness/plan_file.h"
#include "harness/preprocess.h"
#include "harness/synthetic.h"
#include "harness/verify/specials.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pixels of the network that special numbers go through: enough for every kind of tile, unless the
 * network needs more. */
#define SPECIALS_SIZE 64

/* A subject of bits_run(): the network itself, or the small one with special numbers. */
struct subject {
    const struct model *model;
    const struct layout *layout;
    struct bits *bits;
    bool specials;
};

static void show_progress(const char *model, const char *doing)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%-40s\r%s: %s", "", model, doing);
}

static struct team *widest_team(const struct verify *v)
{
    struct team *widest = v->teams[0];
    for (int i = 1; i < v->options.thread_counts; i++) {
        if (team_threads(v->teams[i]) > team_threads(widest))
            widest = v->teams[i];
    }
    return widest;
}

int verify_sets(const struct verify *v, const struct kernel_set **sets)
{
    for (int i = 0; i < v->isas.count; i++)
        sets[i] = kernel_set_get(v->isas.isas[i]);
    return v->isas.count;
}

int verify_logits(const struct verify_model *m)
{
    int step = m->model.steps.count - 1;
    while (step > 0 && m->model.steps.step[step].kind != NODE_DENSE)
        step--;
    return step;
}

static bool make_teams(struct verify *v, struct error *e)
{
    v->single = team_create(1, &v->machine.topology, e);
    for (int i = 0; v->single && i < v->options.thread_counts; i++) {
        v->teams[i] = team_create(v->options.threads[i], &v->machine.topology, e);
        if (!v->teams[i])
            return false;
    }
    return v->single != NULL;
}

static bool fill_images(const struct model *model, const struct layout *layout, struct error *e)
{
    struct image picture = {0};
    bool ok = input_read(&picture, NULL, e) && input_fill(model, layout, &picture, true, e);
    image_free(&picture);
    return ok;
}

/* The picture as the oracle takes it, [size][size][3], without the network's batch norm on it. */
static bool show_oracle(const struct model *model, int size, float *out, struct error *e)
{
    struct image picture = {0};
    struct pixel_table table;
    size_t row = (size_t)size * 3;
    bool ok = input_read(&picture, NULL, e);
    pixel_table_init(&table, model->net.pixels, NULL);
    if (ok && size == IMAGE_BUILTIN_SIDE)
        preprocess_pixels(&picture, &table, out, row);
    else
        ok = ok && preprocess(&picture, size, &table, out, row, e);
    image_free(&picture);
    return ok;
}

static const struct step_blocking *blockings_of(const struct verify *v, const struct subject *s,
                                                enum isa isa, int threads)
{
    const struct tuned_cut *cut =
        s->model->tuned && !s->specials ? tuned_plan_find(&v->plan, isa, threads) : NULL;
    return cut ? cut->blockings : NULL;
}

/* Runs one way to compute a subject, if it is not the reference itself. */
static bool run_way(const struct verify *v, const struct subject *s, const struct kernel_set *set,
                    struct team *team, struct bits_result *result, struct error *e)
{
    const struct bits_way way = {set, team, blockings_of(v, s, set->isa, team_threads(team))};
    show_progress(model_algo_name(s->model), set->name);
    return bits_run(s->bits, &way, result, e);
}

static bool run_ways(struct verify *v, struct verify_model *m, const struct subject *s,
                     struct error *e)
{
    const struct kernel_set *sets[ISA_COUNT];
    int set_count = verify_sets(v, sets), run = 0;
    for (int i = 0; i < set_count * v->options.thread_counts; i++, run++) {
        const struct kernel_set *set = sets[i / v->options.thread_counts];
        struct team *team = v->teams[i % v->options.thread_counts];
        struct verify_run *r = &m->runs[run];
        r->set = set;
        r->threads = team_threads(team);
        if (!run_way(v, s, set, team, s->specials ? &r->specials : &r->bits, e))
            return false;
    }
    m->run_count = run;
    return true;
}

static bool make_bits(const struct verify *v, const struct subject *s, struct error *e)
{
    const struct bits_way reference = {kernel_set_get(ISA_SCALAR), v->single, NULL};
    *s->bits = (struct bits){.model = s->model,
                             .layout = s->layout,
                             .topology = &v->machine.topology,
                             .only = v->only,
                             .feed = s->specials ? specials_feed : NULL};
    show_progress(model_algo_name(s->model), "reference");
    return bits_make(s->bits, &reference, e);
}

static bool make_model(const struct verify *v, int index, int size,
                       const struct param_source *source, struct model *model, struct error *e)
{
    const struct verify_options *o = &v->options;
    struct model_options options = {.network = o->network,
                                    .classes = v->classes,
                                    .size = size,
                                    .batch = o->batch,
                                    .request = ALGO_AUTO};
    if (index < o->algo_count)
        options.request = o->algos[index];
    return model_make_tuned(model, &options, index < o->algo_count ? NULL : v->plan.algos, source,
                            widest_team(v), e);
}

/* Where the weights come from: the file, or the seed. */
static struct param_source weights_source(const struct verify *v)
{
    return v->weights_file.path ? weights_file_source(&v->weights_file)
                                : synthetic_source(&v->options.seed);
}

/* Special numbers go through a network of their own. */
static bool measure_specials(struct verify *v, int index, struct error *e)
{
    struct specials_source specials = {synthetic_source(&v->options.seed)};
    struct param_source source = specials_source(&specials);
    struct model model = {0};
    struct layout layout = {0};
    struct bits bits = {0};
    struct subject s = {&model, &layout, &bits, true};
    int least = network_least_size(v->options.network);
    int size = least > SPECIALS_SIZE ? least : SPECIALS_SIZE;
    size = v->options.size < size ? v->options.size : size;
    bool ok = make_model(v, index, size, &source, &model, e) &&
              layout_make(&layout, &model.net, &model.steps, v->options.batch, e) &&
              make_bits(v, &s, e) && run_ways(v, &v->models[index], &s, e);
    bits_free(&bits);
    layout_free(&layout);
    model_free(&model);
    return ok;
}

/* Every layer by itself, on the last kernel set and the most threads. */
static bool measure_alone(struct verify *v, struct verify_model *m,
                          const struct param_source *source, struct error *e)
{
    struct team *team = widest_team(v);
    struct plan plan = {0};
    struct engine engine = {0};
    const struct kernel_set *set = kernel_set_get(v->isas.isas[v->isas.count - 1]);
    m->alone = calloc((size_t)m->model.steps.count, sizeof *m->alone);
    bool ok =
        m->alone || error_set(e, "no memory for the errors of %d layers", m->model.steps.count);
    show_progress(m->name, "float64, layer by layer");
    ok =
        ok &&
        plan_make(&plan, &m->model, set, &v->layout, &v->machine.topology, team_threads(team), e) &&
        engine_make(&engine, &plan, team, e) &&
        layer_error_measure(&engine, source, 1, m->alone, e);
    engine_free(&engine);
    plan_free(&plan);
    return ok;
}

/* The whole network, from the picture on, and against the first model. */
static bool measure_drift(struct verify *v, int index, const struct param_source *source,
                          struct error *e)
{
    struct verify_model *m = &v->models[index];
    size_t steps = (size_t)m->model.steps.count, row = (size_t)v->options.size * 3;
    float *image = malloc(row * (size_t)v->options.size * sizeof *image);
    m->drifts = calloc(steps, sizeof *m->drifts);
    m->versus = index > 0 ? calloc(steps, sizeof *m->versus) : NULL;
    m->drift = (struct drift_subject){.model = &m->model, .snapshot = &m->bits.snapshot};
    bool ok = (image && m->drifts && (m->versus || index == 0)) ||
              error_set(e, "no memory for the errors of %zu layers", steps);
    show_progress(m->name, "float64, the whole network");
    ok = ok && show_oracle(&m->model, v->options.size, image, e) &&
         drift_measure(&m->drift, source, image, team_threads(widest_team(v)), m->drifts, e);
    free(image);
    if (ok && index > 0)
        drift_between(&v->models[0].drift, &m->drift, m->versus);
    return ok;
}

static bool keep_record(struct verify *v, const struct verify_model *m, struct error *e)
{
    const struct verify_options *o = &v->options;
    if (!o->write && !o->against)
        return true;
    struct record_model *record = record_add(&v->record, &m->model, &m->bits.snapshot, e);
    for (int i = 0; record && i < m->run_count; i++) {
        const struct verify_run *r = &m->runs[i];
        if (!record_add_run(record, r->set->isa, r->threads, r->bits.hashes, e))
            return false;
    }
    return record != NULL;
}

/* What is no longer needed when a model is verified: all but the first one's values. */
static void release_model(struct verify_model *m, bool first)
{
    weights_free(&m->model.weights);
    if (!first) {
        bits_free(&m->bits);
        drift_free(&m->drift);
    }
}

static bool keep_hashes(struct verify_model *m, struct error *e)
{
    int steps = m->model.steps.count;
    m->hashes = calloc((size_t)steps, sizeof *m->hashes);
    for (int i = 0; m->hashes && i < steps; i++)
        m->hashes[i] = m->bits.snapshot.step[i].hash;
    return m->hashes || error_set(e, "no memory for the hashes of %d layers", steps);
}

static bool measure_model(struct verify *v, int index, struct error *e)
{
    struct verify_model *m = &v->models[v->model_count++];
    struct param_source source = weights_source(v);
    struct subject s = {&m->model, &v->layout, &m->bits, false};
    bool ok = make_model(v, index, v->options.size, &source, &m->model, e);
    if (!ok)
        return false;
    snprintf(m->name, sizeof m->name, "%s", model_algo_name(&m->model));
    ok = index > 0 || layout_make(&v->layout, &m->model.net, &m->model.steps, v->options.batch, e);
    ok = ok && fill_images(&m->model, &v->layout, e) && make_bits(v, &s, e) && keep_hashes(m, e) &&
         run_ways(v, m, &s, e);
    ok = ok && weights_check(&m->model, &source, widest_team(v), &m->weights, e) &&
         keep_record(v, m, e);
    if (ok && !v->options.bits_only)
        ok = measure_alone(v, m, &source, e) && measure_drift(v, index, &source, e);
    release_model(m, index == 0);
    return ok && measure_specials(v, index, e);
}

/* The step of --layer, and whether a plan fits, before anything is measured. */
static bool check_network(struct verify *v, struct error *e)
{
    const struct verify_options *o = &v->options;
    struct model shape = {0};
    char name[48];
    bool ok = network_build(&shape.net, o->network, v->classes, o->size, e) &&
              steps_fuse(&shape.steps, &shape.net, e);
    v->only = -1;
    for (int i = 0; ok && o->layer && i < shape.steps.count; i++) {
        if (strcmp(model_step_name(&shape, i, name), o->layer) == 0)
            v->only = i;
    }
    if (ok && o->layer && v->only < 0)
        ok = error_set(e,
                       "--layer %s: the network has no such layer; resmark verify --bits names "
                       "them",
                       o->layer);
    ok = ok && (!o->plan || plan_file_use(&v->plan, o->plan, &shape.net, &shape.steps, o->batch,
                                          &v->machine, e));
    model_free(&shape);
    return ok;
}

bool verify_measure(struct verify *v, struct error *e)
{
    int models = v->options.algo_count + (v->options.plan != NULL);
    bool ok = check_network(v, e) && make_teams(v, e);
    for (int i = 0; ok && i < models; i++)
        ok = measure_model(v, i, e);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%60s\r", "");
    return ok;
}

void verify_free(struct verify *v)
{
    for (int i = 0; i < v->model_count; i++) {
        struct verify_model *m = &v->models[i];
        for (int r = 0; r < VERIFY_MAX_WAYS; r++) {
            bits_result_free(&m->runs[r].bits);
            bits_result_free(&m->runs[r].specials);
        }
        drift_free(&m->drift);
        bits_free(&m->bits);
        model_free(&m->model);
        free(m->hashes);
        free(m->alone);
        free(m->drifts);
        free(m->versus);
    }
    layout_free(&v->layout);
    tuned_plan_free(&v->plan);
    record_free(&v->record);
    record_free(&v->other);
    weights_file_close(&v->weights_file);
    for (int i = 0; i < VERIFY_MAX_THREAD_COUNTS; i++)
        team_free(v->teams[i]);
    team_free(v->single);
    machine_free(&v->machine);
}
