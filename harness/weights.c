#include "harness/weights.h"

#include "harness/algo_form.h"

#include <math.h>
#include <stdlib.h>

/* Panels of all steps come first, in order, so that prefetching runs on into the next layer. */
struct packer {
    struct weights *weights;
    const struct network *net;
    const struct steps *steps;
    const struct param_source *source;
    int *first_unit; /* of each step; a unit is one block of 16 output channels */
    float **buffers; /* one a thread: the block's weights as the source has them */
    size_t largest;  /* floats of a buffer */
};

/* One batch norm as a scale and a shift, for 16 channels. */
struct affine {
    double scale[BLOCK], shift[BLOCK];
};

/* Shape of a step's weights, seen as a convolution. */
struct panel_shape {
    int cout, cin, taps;
    enum algo algo;
    int cin_group; /* input channels that lie together: 16, or the image's 3 */
};

static struct panel_shape shape_of(const struct packer *p, const struct step *step)
{
    const struct node *node = &p->net->nodes[step->node];
    int cin = p->net->nodes[node->inputs[0]].shape.channels;
    int taps = node->kind == NODE_CONV ? node->kernel * node->kernel : 1;
    bool image = step->in == p->steps->image;
    return (struct panel_shape){node->shape.channels, cin, taps, step->algo, image ? cin : BLOCK};
}

static int blocks_of(int channels)
{
    return (channels + BLOCK - 1) / BLOCK;
}

static bool has_weights(const struct step *step)
{
    return step->kind == NODE_CONV || step->kind == NODE_DENSE;
}

/* Floats of one output block, on the average. */
static size_t panel_floats(const struct panel_shape *s)
{
    int groups = (s->cin + s->cin_group - 1) / s->cin_group;
    size_t inputs = (size_t)(groups * s->cin_group) * BLOCK;
    return (size_t)((double)inputs * s->taps * algo_weights_share(s->algo) + 0.5);
}

static struct affine read_norm(const struct packer *p, int norm, int first, int count)
{
    struct affine a;
    float param[PARAM_COUNT][BLOCK] = {{0}};
    for (int i = 0; i < BLOCK; i++) {
        a.scale[i] = norm < 0;
        a.shift[i] = 0;
    }
    if (norm < 0)
        return a;
    for (enum param k = PARAM_GAMMA; k <= PARAM_VARIANCE; k++)
        p->source->read(p->source->context, p->net, norm, k, (size_t)first, (size_t)count,
                        param[k]);
    for (int i = 0; i < count; i++) {
        double deviation = sqrt((double)param[PARAM_VARIANCE][i] + p->net->nodes[norm].epsilon);
        a.scale[i] = (double)param[PARAM_GAMMA][i] / deviation;
        a.shift[i] = (double)param[PARAM_BETA][i] - (double)param[PARAM_MEAN][i] * a.scale[i];
    }
    return a;
}

/* One panel from 16 output channels of [cout][cin][tap]; channels that are missing are zeros. */
static void pack_panel(const struct panel_shape *s, const float *raw, int couts,
                       const struct affine *fold, float *panel)
{
    size_t row = (size_t)s->cin * (size_t)s->taps;
    for (int group = 0; group < s->cin; group += s->cin_group) {
        for (int tap = 0; tap < s->taps; tap++) {
            for (int c = group; c < group + s->cin_group; c++, panel += BLOCK) {
                for (int o = 0; o < BLOCK; o++) {
                    bool real = o < couts && c < s->cin;
                    size_t at = (size_t)o * row + (size_t)c * (size_t)s->taps + (size_t)tap;
                    panel[o] = real ? (float)((double)raw[at] * fold->scale[o]) : 0;
                }
            }
        }
    }
}

static void pack_bias(const struct packer *p, int node, int first, int couts,
                      const struct affine *fold, float *bias)
{
    float raw[BLOCK] = {0};
    if (p->net->nodes[node].bias)
        p->source->read(p->source->context, p->net, node, PARAM_BIAS, (size_t)first, (size_t)couts,
                        raw);
    for (int o = 0; o < couts; o++)
        bias[o] = (float)((double)raw[o] * fold->scale[o] + fold->shift[o]);
}

/* The weights of output channels first, first + 1, …, one block at most, as the source has them. */
static void read_weights(const struct packer *p, int node, const struct panel_shape *s, int first,
                         int count, float *raw)
{
    size_t row = (size_t)s->cin * (size_t)s->taps;
    p->source->read(p->source->context, p->net, node, PARAM_WEIGHT, (size_t)first * row,
                    (size_t)count * row, raw);
}

/* The weights of a block and of its partner in the upper half, of which a pair has one panel. */
static void pack_pair(const struct packer *p, const struct step *step, const struct panel_shape *s,
                      int block, float *raw, float *weights)
{
    int half = s->cout / 2, first = block * BLOCK;
    if (first >= half)
        return;
    float *other = raw + (size_t)s->cin * BLOCK;
    struct affine low = read_norm(p, step->folded_norm, first, BLOCK);
    struct affine high = read_norm(p, step->folded_norm, half + first, BLOCK);
    read_weights(p, step->node, s, first, BLOCK, raw);
    read_weights(p, step->node, s, half + first, BLOCK, other);
    bilinear_pack_strassen((const float *[]){raw, other}, s->cin,
                           (const double *[]){low.scale, high.scale},
                           weights + (size_t)block * 2 * panel_floats(s));
}

static void pack_transformed(const struct panel_shape *s, const float *raw, int count,
                             const double *fold, float *panel)
{
    if (s->algo == ALGO_POLYPHASE4)
        bilinear_pack_stem(raw, count, fold, panel);
    else
        bilinear_pack_filters(algo_form(s->algo), raw, count, s->cin, fold, panel);
}

static void pack_weights(const struct packer *p, int index, int block, int first, int count,
                         const struct affine *fold, float *raw)
{
    const struct step *step = &p->steps->step[index];
    struct panel_shape s = shape_of(p, step);
    float *weights = p->weights->step[index].weights;
    float *panel = weights + (size_t)block * panel_floats(&s);
    if (s.algo == ALGO_STRASSEN) {
        pack_pair(p, step, &s, block, raw, weights);
        return;
    }
    read_weights(p, step->node, &s, first, count, raw);
    if (s.algo == ALGO_DIRECT)
        pack_panel(&s, raw, count, fold, panel);
    else
        pack_transformed(&s, raw, count, fold->scale, panel);
}

static void pack_block(const struct packer *p, int index, int block, float *raw)
{
    const struct step *step = &p->steps->step[index];
    const struct step_weights *w = &p->weights->step[index];
    int channels = p->net->nodes[step->node].shape.channels;
    int first = block * BLOCK, count = channels - first < BLOCK ? channels - first : BLOCK;
    if (has_weights(step)) {
        struct affine fold = read_norm(p, step->folded_norm, first, count);
        pack_weights(p, index, block, first, count, &fold, raw);
        pack_bias(p, step->node, first, count, &fold, w->bias + first);
    }
    if (step->norm >= 0) {
        struct affine norm = read_norm(p, step->norm, first, count);
        for (int o = 0; o < count; o++) {
            (w->scale)[first + o] = (float)norm.scale[o];
            (w->shift)[first + o] = (float)norm.shift[o];
        }
    }
}

static void pack_unit(void *context, int unit, int thread)
{
    const struct packer *p = context;
    int step = 0;
    while (unit >= p->first_unit[step + 1])
        step++;
    pack_block(p, step, unit - p->first_unit[step], p->buffers[thread]);
}

static size_t align_line(size_t floats)
{
    return (floats + BLOCK - 1) / BLOCK * BLOCK;
}

/* Lays all steps out behind `base`; with NULL it only measures. Returns the floats in all. */
static size_t lay_out(struct packer *p, float *base)
{
    size_t at = 0;
    p->first_unit[0] = 0;
    for (int i = 0; i < p->steps->count; i++) {
        const struct step *step = &p->steps->step[i];
        struct step_weights *w = &p->weights->step[i];
        int blocks = blocks_of(p->net->nodes[step->node].shape.channels);
        p->first_unit[i + 1] = p->first_unit[i] + blocks;
        *w = (struct step_weights){0};
        if (!has_weights(step))
            continue;
        struct panel_shape s = shape_of(p, step);
        size_t raw = (size_t)s.cin * (size_t)s.taps * BLOCK * (s.algo == ALGO_STRASSEN ? 2 : 1);
        p->largest = raw > p->largest ? raw : p->largest;
        w->weights = base ? base + at : NULL;
        at += align_line(panel_floats(&s) * (size_t)blocks);
    }
    p->weights->end = base ? base + at : NULL;
    for (int i = 0; i < p->steps->count; i++) {
        struct step_weights *w = &p->weights->step[i];
        size_t channels = (size_t)(p->first_unit[i + 1] - p->first_unit[i]) * BLOCK;
        if (has_weights(&p->steps->step[i])) {
            w->bias = base ? base + at : NULL;
            at += channels;
        }
        if (p->steps->step[i].norm >= 0) {
            w->scale = base ? base + at : NULL;
            w->shift = base ? base + at + channels : NULL;
            at += 2 * channels;
        }
    }
    return at;
}

static bool make_buffers(struct packer *p, int threads)
{
    p->buffers = calloc((size_t)threads, sizeof *p->buffers);
    for (int i = 0; p->buffers && i < threads; i++) {
        p->buffers[i] = malloc(p->largest * sizeof(float));
        if (!p->buffers[i])
            return false;
    }
    return p->buffers != NULL;
}

static void free_buffers(struct packer *p, int threads)
{
    for (int i = 0; p->buffers && i < threads; i++)
        free(p->buffers[i]);
    free(p->buffers);
    free(p->first_unit);
}

static bool pack_all(struct packer *p, struct team *team, struct error *e)
{
    struct weights *w = p->weights;
    w->step = calloc((size_t)p->steps->count, sizeof *w->step);
    p->first_unit = calloc((size_t)p->steps->count + 1, sizeof *p->first_unit);
    if (!w->step || !p->first_unit)
        return error_set(e, "no memory for the steps of %s", p->net->name);
    if (!memory_map(&w->memory, lay_out(p, NULL), "the weights", e))
        return false;
    lay_out(p, w->memory.data);
    if (!make_buffers(p, team_threads(team)))
        return error_set(e, "no memory to pack the weights of %s", p->net->name);
    team_run(team, p->first_unit[p->steps->count], pack_unit, p);
    team_rest(team);
    return true;
}

static void read_image_norm(struct packer *p)
{
    struct affine a = read_norm(p, p->steps->image_norm, 0, 3);
    for (int c = 0; c < 3; c++) {
        p->weights->image_scale[c] = a.scale[c];
        p->weights->image_shift[c] = a.shift[c];
    }
}

bool weights_pack(struct weights *weights, const struct network *net, const struct steps *steps,
                  const struct param_source *source, struct team *team, struct error *e)
{
    *weights = (struct weights){0};
    struct packer p = {.weights = weights, .net = net, .steps = steps, .source = source};
    bool ok = pack_all(&p, team, e);
    free_buffers(&p, team_threads(team));
    if (ok)
        read_image_norm(&p);
    else
        weights_free(weights);
    return ok;
}

void weights_free(struct weights *weights)
{
    memory_unmap(&weights->memory);
    free(weights->step);
    *weights = (struct weights){0};
}
