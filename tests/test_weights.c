/** Folding and packing, against the formulas written down plainly. */
#include "tests/engine_fixture.h"

#include <math.h>

static const uint64_t seed = 7;

TestSuite(weights, .timeout = 120);

struct folded {
    const struct model *model;
    const struct step *step;
    const struct step_weights *packed;
    int cout, cin, kernel;
};

/** A whole parameter tensor; the caller frees it. NULL for a node without. */
static float *read_all(const struct network *net, int node, enum param param)
{
    struct param_source source = synthetic_source(&seed);
    size_t count = node < 0 ? 0 : network_param_count(net, node, param);
    if (count == 0)
        return NULL;
    float *data = malloc(count * sizeof *data);
    cr_assert(data);
    source.read(source.context, net, node, param, 0, count, data);
    return data;
}

struct norm {
    double *scale, *shift;
};

/** s = gamma / sqrt(variance + epsilon), t = beta - mean s; 1 and 0 for no batch norm. */
static struct norm read_norm(const struct network *net, int node, int channels)
{
    struct norm n = {calloc((size_t)channels, sizeof(double)),
                     calloc((size_t)channels, sizeof(double))};
    float *p[PARAM_COUNT];
    cr_assert(n.scale && n.shift);
    for (int k = PARAM_GAMMA; k <= PARAM_VARIANCE; k++)
        p[k] = read_all(net, node, (enum param)k);
    for (int c = 0; c < channels; c++) {
        n.scale[c] = 1;
        if (node >= 0) {
            double variance = p[PARAM_VARIANCE][c];
            n.scale[c] = (double)p[PARAM_GAMMA][c] / sqrt(variance + net->nodes[node].epsilon);
            n.shift[c] = (double)p[PARAM_BETA][c] - (double)p[PARAM_MEAN][c] * n.scale[c];
        }
    }
    for (int k = PARAM_GAMMA; k <= PARAM_VARIANCE; k++)
        free(p[k]);
    return n;
}

static void free_norm(struct norm n)
{
    free(n.scale);
    free(n.shift);
}

/** Where weight (o, c, ky, kx) is in the panels. */
static size_t panel_index(const struct folded *f, int o, int c, int ky, int kx)
{
    int group = f->step->in == f->model->steps.image ? 3 : BLOCK;
    int groups = (f->cin + group - 1) / group;
    size_t at = (size_t)(o / BLOCK * groups + c / group);
    at = at * (size_t)f->kernel + (size_t)ky;
    at = at * (size_t)f->kernel + (size_t)kx;
    return (at * (size_t)group + (size_t)(c % group)) * BLOCK + (size_t)(o % BLOCK);
}

static void check_panels(const struct folded *f, const struct norm *fold)
{
    const struct network *net = &f->model->net;
    int taps = f->kernel * f->kernel, wrong = 0;
    float *raw = read_all(net, f->step->node, PARAM_WEIGHT);
    for (int o = 0; o < f->cout; o++) {
        for (int c = 0; c < f->cin; c++) {
            for (int k = 0; k < taps; k++) {
                double w = raw[((size_t)o * (size_t)f->cin + (size_t)c) * (size_t)taps + (size_t)k];
                size_t at = panel_index(f, o, c, k / f->kernel, k % f->kernel);
                wrong += f->packed->weights[at] != (float)(w * fold->scale[o]);
            }
        }
    }
    cr_expect_eq(wrong, 0, "%s: %d weights are wrong", net->nodes[f->step->node].name, wrong);
    free(raw);
}

static void check_vectors(const struct folded *f, const struct norm *fold)
{
    const struct network *net = &f->model->net;
    const char *name = net->nodes[f->step->node].name;
    float *raw = read_all(net, f->step->node, PARAM_BIAS);
    struct norm next = read_norm(net, f->step->norm, f->cout);
    cr_expect_eq(f->packed->scale == NULL, f->step->norm < 0, "%s", name);
    for (int o = 0; o < f->cout; o++) {
        double bias = (raw ? (double)raw[o] : 0) * fold->scale[o] + fold->shift[o];
        cr_expect_eq(f->packed->bias[o], (float)bias, "%s: bias %d", name, o);
        if (f->packed->scale) {
            cr_expect_eq(f->packed->scale[o], (float)next.scale[o], "%s: scale %d", name, o);
            cr_expect_eq(f->packed->shift[o], (float)next.shift[o], "%s: shift %d", name, o);
        }
    }
    free_norm(next);
    free(raw);
}

/** Channels that only fill a block up: their outputs must be zero. */
static void check_filling(const struct folded *f)
{
    for (int o = f->cout; o % BLOCK; o++) {
        cr_expect_eq(f->packed->bias[o], 0);
        for (int c = 0; c < f->cin; c++)
            cr_expect_eq(f->packed->weights[panel_index(f, o, c, 0, 0)], 0, "%d, %d", o, c);
    }
}

static void check_step(const struct model *model, int index)
{
    const struct step *step = &model->steps.step[index];
    const struct node *node = &model->net.nodes[step->node];
    const struct folded f = {model,
                             step,
                             &model->weights.step[index],
                             node->shape.channels,
                             model->net.nodes[node->inputs[0]].shape.channels,
                             node->kind == NODE_CONV ? node->kernel : 1};
    struct norm fold = read_norm(&model->net, step->folded_norm, f.cout);
    check_panels(&f, &fold);
    check_vectors(&f, &fold);
    check_filling(&f);
    free_norm(fold);
}

static struct model make_model(const struct model_options *options, int threads)
{
    struct model model;
    struct param_source source = synthetic_source(&seed);
    struct team *team = make_team(threads);
    struct error e;
    cr_assert(model_make(&model, options, &source, team, &e), "%s", e.text);
    team_free(team);
    return model;
}

/** Every convolution and the dense layer of networks that have each kind of step. */
Test(weights, are_folded_once_and_packed)
{
    struct model_options options[] = {
        subject_options("resnet18_v2", 32, 1, ALGO_DIRECT),
        subject_options("resnet50_v2", 32, 1, ALGO_DIRECT),
    };
    options[0].classes = 10;
    for (int i = 0; i < 2; i++) {
        struct model model = make_model(&options[i], 2);
        int checked = 0, normed = 0;
        for (int s = 0; s < model.steps.count; s++) {
            const struct step *step = &model.steps.step[s];
            if (step->kind != NODE_CONV && step->kind != NODE_DENSE)
                continue;
            check_step(&model, s);
            checked++;
            normed += step->norm >= 0;
        }
        cr_expect_eq(checked, i == 0 ? 21 : 54, "%d steps", checked);
        cr_expect_gt(normed, 0);
        model_free(&model);
    }
}

/** The max-pool has a batch norm of its own behind it. */
Test(weights, norm_behind_the_pool)
{
    const struct model_options options = subject_options("resnet50_v2", 32, 1, ALGO_DIRECT);
    struct model model = make_model(&options, 1);
    int found = 0;
    for (int s = 0; s < model.steps.count; s++) {
        const struct step *step = &model.steps.step[s];
        if (step->kind != NODE_MAX_POOL || step->norm < 0)
            continue;
        struct norm norm = read_norm(&model.net, step->norm, 64);
        for (int c = 0; c < 64; c++) {
            cr_expect_eq(model.weights.step[s].scale[c], (float)norm.scale[c]);
            cr_expect_eq(model.weights.step[s].shift[c], (float)norm.shift[c]);
        }
        free_norm(norm);
        found++;
    }
    cr_expect_eq(found, 1);
    model_free(&model);
}

Test(weights, norm_of_the_image)
{
    const struct model_options options = subject_options("resnet50_v2", 32, 1, ALGO_DIRECT);
    struct model model = make_model(&options, 1);
    struct norm norm = read_norm(&model.net, model.steps.image_norm, 3);
    cr_assert_geq(model.steps.image_norm, 0);
    for (int c = 0; c < 3; c++) {
        cr_expect_eq(model.weights.image_scale[c], norm.scale[c]);
        cr_expect_eq(model.weights.image_shift[c], norm.shift[c]);
    }
    free_norm(norm);
    model_free(&model);
}

/** How many threads pack them changes nothing. */
Test(weights, same_on_any_number_of_threads)
{
    const struct model_options options = subject_options("resnet18_v2", 32, 1, ALGO_DIRECT);
    struct model one = make_model(&options, 1);
    for (int threads = 2; threads <= 5; threads += 3) {
        struct model many = make_model(&options, threads);
        cr_assert_eq(one.weights.memory.floats, many.weights.memory.floats);
        cr_expect_arr_eq(one.weights.memory.data, many.weights.memory.data,
                         one.weights.memory.floats * sizeof(float), "%d threads", threads);
        model_free(&many);
    }
    model_free(&one);
}
