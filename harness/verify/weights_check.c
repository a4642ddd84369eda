#include "harness/verify/weights_check.h"

#include "harness/hash.h"
#include "harness/oracle_matrices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANCELLATION 0x1p-48

/* One step, with what a source says of 16 of its output channels. */
struct check {
    const struct model *model;
    const struct param_source *source;
    const struct step *step;
    const struct step_weights *weights;
    struct oracle_matrices matrices;
    enum algo algo;
    int cin, cout, kernel;
    bool image;
    int first, count;                      /* output channels */
    double fold[BLOCK], fold_shift[BLOCK]; /* of the folded batch norm */
    float *raw;                            /* [count][cin][kernel][kernel], and the partners' */
    struct weights_result *result;
};

static int round_up(int channels)
{
    return (channels + BLOCK - 1) / BLOCK * BLOCK;
}

/* Floats of the weights of 16 output channels, on the average. */
static size_t panel_floats(const struct model *model, const struct step *step)
{
    const struct node *node = &model->net.nodes[step->node];
    int cin = model->net.nodes[node->inputs[0]].shape.channels;
    int kernel = node->kind == NODE_CONV ? node->kernel : 1;
    bool image = step->in == model->steps.image;
    double factors = kernel * kernel * algo_weights_share(step->algo);
    return (size_t)((image ? cin : round_up(cin)) * BLOCK * factors + 0.5);
}

/* Takes a float in; true when it is the first that is wrong. */
static bool judge(struct check *c, float packed, double exact, double size)
{
    struct weights_result *r = c->result;
    double ulp = (double)nextafterf(fabsf(packed), INFINITY) - fabs((double)packed);
    double error = fabs((double)packed - exact);
    r->checked++;
    if (error <= ulp / 2 + CANCELLATION * size)
        return false;
    r->wrong++;
    if (r->step >= 0)
        return false;
    r->step = (int)(c->step - c->model->steps.step);
    r->packed = packed;
    r->exact = exact;
    return true;
}

static void read_param(const struct check *c, int node, enum param param, size_t first,
                       size_t count, float *out)
{
    c->source->read(c->source->context, &c->model->net, node, param, first, count, out);
}

/* The batch norm `node` of some channels as scale and shift; none (-1) is the identity. */
static void read_norm(const struct check *c, int node, int first, int count, double *scale,
                      double *shift)
{
    float p[PARAM_COUNT][BLOCK];
    for (int i = PARAM_GAMMA; node >= 0 && i <= PARAM_VARIANCE; i++)
        read_param(c, node, (enum param)i, (size_t)first, (size_t)count, p[i]);
    for (int o = 0; o < count; o++) {
        scale[o] = 1;
        shift[o] = 0;
        if (node < 0)
            continue;
        double epsilon = c->model->net.nodes[node].epsilon;
        scale[o] = (double)p[PARAM_GAMMA][o] / sqrt((double)p[PARAM_VARIANCE][o] + epsilon);
        shift[o] = (double)p[PARAM_BETA][o] - (double)p[PARAM_MEAN][o] * scale[o];
    }
}

/* Of output o of the block and input c, the filter; NULL for one that fills a block. */
static const float *filter_of(const struct check *c, int o, int cin)
{
    size_t taps = (size_t)(c->kernel * c->kernel);
    return o < c->count && cin < c->cin ? c->raw + ((size_t)o * (size_t)c->cin + (size_t)cin) * taps
                                        : NULL;
}

static void check_direct(struct check *c, const float *panel, int o, int cin)
{
    int taps = c->kernel * c->kernel, group = c->image ? c->cin : BLOCK;
    const float *filter = filter_of(c, o, cin);
    for (int tap = 0; tap < taps; tap++) {
        size_t row = (size_t)(cin / group * taps + tap) * (size_t)group + (size_t)(cin % group);
        double exact = filter ? c->fold[o] * (double)filter[tap] : 0;
        if (judge(c, panel[row * BLOCK + (size_t)o], exact, fabs(exact)))
            snprintf(c->result->where, sizeof c->result->where,
                     "the weight of output channel %d, input channel %d, ky %d, kx %d",
                     c->first + o, cin, tap / c->kernel, tap % c->kernel);
    }
}

/* Rows of G that differ: those that do not are the last, and their products share a filter. */
static int different_rows(const struct oracle_matrix *g)
{
    int rows = g->rows;
    while (rows > 1 && memcmp(g->at[rows - 1], g->at[rows - 2], sizeof *g->at) == 0)
        rows--;
    return rows;
}

static void check_transformed(struct check *c, const float *panel, int o, int cin)
{
    const struct oracle_matrix *g = &c->matrices.filter;
    const float *filter = filter_of(c, o, cin);
    const int rows = different_rows(g);
    size_t position = (size_t)round_up(c->cin) * BLOCK;
    for (int p = 0; p < rows * rows; p++) {
        double exact = 0, size = 0;
        for (int i = 0; filter && i < 9; i++) {
            double term =
                g->at[p / rows][i / 3] * g->at[p % rows][i % 3] * (c->fold[o] * (double)filter[i]);
            exact += term;
            size += fabs(term);
        }
        if (judge(c, panel[(size_t)p * position + (size_t)(cin * BLOCK + o)], exact, size))
            snprintf(c->result->where, sizeof c->result->where,
                     "the transformed filter of output channel %d, input channel %d, number %d",
                     c->first + o, cin, p);
    }
}

/* A product of the stem: the rows of the phases that it has, then zeros. */
static void check_product(struct check *c, const float *rows, int o, int p)
{
    const struct oracle_matrix *g = &c->matrices.filter;
    const double *gy = g->at[p / g->rows], *gx = g->at[p % g->rows];
    const int last = g->rows - 1, columns = p % g->rows < last ? 2 : 1;
    const int phases = columns * (p / g->rows < last ? 2 : 1);
    for (int r = 0; r < ORACLE_PHASES * c->cin; r++) {
        int phase = r / c->cin, cin = r % c->cin;
        const float *filter = phase < phases ? filter_of(c, o, cin) : NULL;
        double exact = 0, size = 0;
        for (int t = 0; filter && t < g->columns * g->columns; t++) {
            int y = 2 * (t / g->columns) + phase / columns;
            int x = 2 * (t % g->columns) + phase % columns;
            double term = y < c->kernel && x < c->kernel
                              ? gy[t / g->columns] * gx[t % g->columns] *
                                    (c->fold[o] * (double)filter[y * c->kernel + x])
                              : 0;
            exact += term;
            size += fabs(term);
        }
        if (judge(c, rows[r * BLOCK + o], exact, size))
            snprintf(c->result->where, sizeof c->result->where,
                     "the transformed filter of output channel %d, input channel %d, phase %d, "
                     "position %d",
                     c->first + o, cin, phase, p);
    }
}

static void check_phases(struct check *c, const float *panel)
{
    const int products = c->matrices.filter.rows * c->matrices.filter.rows;
    const int floats = ORACLE_PHASES * c->cin * BLOCK;
    for (int i = 0; i < products * BLOCK; i++)
        check_product(c, panel + i / BLOCK * floats, i % BLOCK, i / BLOCK);
}

/* Strassen's factors of output channel o of the block and its partner, and of input c and its. */
static void check_quarters(struct check *c, const float *panel, const float *partners,
                           const double *partners_fold, int o, int cin)
{
    const struct oracle_matrix *g = &c->matrices.filter;
    int half = c->cin / 2;
    const float *low = c->raw + (size_t)o * (size_t)c->cin + cin;
    const float *high = partners + (size_t)o * (size_t)c->cin + cin;
    const double quarters[4] = {c->fold[o] * (double)low[0], partners_fold[o] * (double)high[0],
                                c->fold[o] * (double)low[half],
                                partners_fold[o] * (double)high[half]};
    for (int p = 0; p < g->rows; p++) {
        double exact = 0, size = 0;
        for (int i = 0; i < 4; i++) {
            exact += g->at[p][i] * quarters[i];
            size += fabs(g->at[p][i] * quarters[i]);
        }
        if (judge(c, panel[((size_t)p * (size_t)half + (size_t)cin) * BLOCK + (size_t)o], exact,
                  size))
            snprintf(c->result->where, sizeof c->result->where,
                     "the factor of output channel %d, input channel %d, position %d", c->first + o,
                     cin, p);
    }
}

static void check_pair(struct check *c)
{
    double fold[BLOCK], shift[BLOCK];
    int half = c->cout / 2, partner = half + c->first;
    size_t floats = (size_t)c->cin * BLOCK;
    if (c->first >= half)
        return;
    read_param(c, c->step->node, PARAM_WEIGHT, (size_t)c->first * (size_t)c->cin, floats, c->raw);
    read_param(c, c->step->node, PARAM_WEIGHT, (size_t)partner * (size_t)c->cin, floats,
               c->raw + floats);
    read_norm(c, c->step->folded_norm, partner, BLOCK, fold, shift);
    const float *panel =
        c->weights->weights + (size_t)(c->first / BLOCK) * 2 * panel_floats(c->model, c->step);
    for (int i = 0; i < BLOCK * c->cin / 2; i++)
        check_quarters(c, panel, c->raw + floats, fold, i % BLOCK, i / BLOCK);
}

static void check_panel(struct check *c)
{
    int channels = c->image ? c->cin : round_up(c->cin);
    const float *panel =
        c->weights->weights + (size_t)(c->first / BLOCK) * panel_floats(c->model, c->step);
    size_t filter = (size_t)c->cin * (size_t)(c->kernel * c->kernel);
    read_param(c, c->step->node, PARAM_WEIGHT, (size_t)c->first * filter, (size_t)c->count * filter,
               c->raw);
    if (c->algo == ALGO_POLYPHASE4) {
        check_phases(c, panel);
        return;
    }
    for (int o = 0; o < BLOCK; o++) {
        for (int cin = 0; cin < channels; cin++) {
            if (c->algo == ALGO_DIRECT)
                check_direct(c, panel, o, cin);
            else
                check_transformed(c, panel, o, cin);
        }
    }
}

static void check_vector(struct check *c, const char *name, const float *packed,
                         const double *exact, const double *size)
{
    for (int o = 0; o < BLOCK; o++) {
        bool real = o < c->count;
        if (judge(c, packed[c->first + o], real ? exact[o] : 0, real ? size[o] : 0))
            snprintf(c->result->where, sizeof c->result->where, "the %s of channel %d", name,
                     c->first + o);
    }
}

static void check_bias(struct check *c)
{
    float bias[BLOCK] = {0};
    double exact[BLOCK], size[BLOCK];
    if (c->model->net.nodes[c->step->node].bias)
        read_param(c, c->step->node, PARAM_BIAS, (size_t)c->first, (size_t)c->count, bias);
    for (int o = 0; o < c->count; o++) {
        double term = (double)bias[o] * c->fold[o];
        exact[o] = term + c->fold_shift[o];
        size[o] = fabs(term) + fabs(c->fold_shift[o]);
    }
    check_vector(c, "bias", c->weights->bias, exact, size);
}

static void check_norm(struct check *c)
{
    double scale[BLOCK], shift[BLOCK], size[BLOCK];
    read_norm(c, c->step->norm, c->first, c->count, scale, shift);
    for (int o = 0; o < c->count; o++)
        size[o] = fabs(scale[o]);
    check_vector(c, "scale", c->weights->scale, scale, size);
    for (int o = 0; o < c->count; o++)
        size[o] = fabs(shift[o]);
    check_vector(c, "shift", c->weights->shift, shift, size);
}

static bool check_make(struct check *c)
{
    const struct network *net = &c->model->net;
    const struct node *node = &net->nodes[c->step->node];
    c->cin = net->nodes[node->inputs[0]].shape.channels;
    c->cout = node->shape.channels;
    c->kernel = node->kind == NODE_CONV ? node->kernel : 1;
    c->image = c->step->in == c->model->steps.image;
    c->algo = node->kind == NODE_CONV ? c->step->algo : ALGO_DIRECT;
    if (c->algo != ALGO_DIRECT)
        c->matrices = oracle_matrices(c->algo);
    /* The point 0 may have either sign in G and B^T; the kernels have it positive. */
    c->matrices.filter.at[0][0] = fabs(c->matrices.filter.at[0][0]);
    c->raw = malloc(2 * BLOCK * (size_t)c->cin * (size_t)(c->kernel * c->kernel) * sizeof *c->raw);
    return c->raw != NULL;
}

struct survey {
    const struct model *model;
    const struct param_source *source;
    struct weights_result *results; /* of each step */
    bool *failed;
};

static void check_step(void *context, int index, int thread)
{
    (void)thread;
    struct survey *s = context;
    struct check c = {.model = s->model,
                      .source = s->source,
                      .step = &s->model->steps.step[index],
                      .weights = &s->model->weights.step[index],
                      .result = &s->results[index]};
    c.result->step = -1;
    s->failed[index] = !check_make(&c);
    for (c.first = 0; !s->failed[index] && c.first < c.cout; c.first += BLOCK) {
        c.count = c.cout - c.first < BLOCK ? c.cout - c.first : BLOCK;
        read_norm(&c, c.step->folded_norm, c.first, c.count, c.fold, c.fold_shift);
        if (c.weights->weights)
            (c.algo == ALGO_STRASSEN ? check_pair : check_panel)(&c);
        if (c.weights->bias)
            check_bias(&c);
        if (c.weights->scale)
            check_norm(&c);
    }
    free(c.raw);
}

static void join(struct weights_result *all, const struct weights_result *one)
{
    size_t checked = all->checked + one->checked, wrong = all->wrong + one->wrong;
    if (all->step < 0)
        *all = *one;
    all->checked = checked;
    all->wrong = wrong;
}

bool weights_check(const struct model *model, const struct param_source *source, struct team *team,
                   struct weights_result *result, struct error *e)
{
    size_t steps = (size_t)model->steps.count;
    struct survey s = {model, source, calloc(steps, sizeof *s.results),
                       calloc(steps, sizeof *s.failed)};
    bool ok = s.results && s.failed;
    *result = (struct weights_result){.step = -1};
    if (ok)
        team_run(team, model->steps.count, check_step, &s);
    for (size_t i = 0; ok && i < steps; i++) {
        ok = !s.failed[i];
        join(result, &s.results[i]);
    }
    free(s.results);
    free(s.failed);
    return ok || error_set(e, "no memory to check the weights of %zu layers", steps);
}

/* A run of floats as a tensor, to be hashed. */
static uint64_t hash_run(const float *data, size_t floats)
{
    struct tensor t = tensor_blocked(BLOCK, 1, (int)(floats / BLOCK), 0);
    t.data = (float *)(uintptr_t)data;
    return hash_tensor(&t, 1);
}

uint64_t weights_hash(const struct model *model, int step)
{
    const struct step *s = &model->steps.step[step];
    const struct step_weights *w = &model->weights.step[step];
    const struct node *node = &model->net.nodes[s->node];
    size_t channels = (size_t)round_up(node->shape.channels);
    uint64_t hash = 0;
    if (w->weights)
        hash = hash_join(hash, hash_run(w->weights, channels / BLOCK * panel_floats(model, s)));
    if (w->bias)
        hash = hash_join(hash, hash_run(w->bias, channels));
    if (w->scale)
        hash =
            hash_join(hash_join(hash, hash_run(w->scale, channels)), hash_run(w->shift, channels));
    return hash;
}
