#include "harness/layer_error.h"

#include "harness/oracle_bilinear.h"
#include "harness/oracle_params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct survey {
    struct engine *engine;
    const struct param_source *source;
    int images;
    struct layer_error *steps;
    float **residual; /**< of each image, before the coming step replaces it by the sum */
    bool ok;
    struct error *e;
};

/** A thread's share of the output channels, and what it found. */
struct share {
    bool ok;
    struct error e;
    struct layer_error worst;
};

/** One step on one image; arrays are plain NCHW and OIHW. */
struct layer {
    const struct plan_step *step;
    struct oracle_conv conv; /**< of all output channels, without bias */
    enum algo algo;
    int image;
    double roundings; /**< of the sum's terms */
    float *in, *weights;
    float *bias;           /**< as the source has it; NULL: none */
    const float *residual; /**< or NULL */
    struct shape residual_shape;
    int residual_stride;
    struct oracle_affine fold, norm;
    double *out, *bound;
    int share_count;
    struct share *shares;
};

static size_t elements(const struct tensor *t)
{
    return (size_t)t->channels * (size_t)t->height * (size_t)t->width;
}

static size_t tensor_at(const struct tensor *t, int image, int channel, int pixel)
{
    return (size_t)image * t->image_stride + (size_t)(channel / t->pixel) * t->block_stride +
           (size_t)(pixel / t->width) * t->row_stride +
           (size_t)(pixel % t->width * t->pixel + channel % t->pixel);
}

/** A copy of one image as [channels][height][width]; NULL when there is no memory. */
static float *planar(const struct tensor *t, int image)
{
    float *copy = malloc(elements(t) * sizeof *copy), *to = copy;
    for (int c = 0; copy && c < t->channels; c++) {
        for (int i = 0; i < t->height * t->width; i++)
            *to++ = t->data[tensor_at(t, image, c, i)];
    }
    return copy;
}

static const struct step *fused_step(const struct survey *s, int index)
{
    return &s->engine->plan->model->steps.step[index];
}

static const struct network *net_of(const struct survey *s)
{
    return &s->engine->plan->model->net;
}

static bool load_affine(const struct survey *s, int node, int channels, struct oracle_affine *a)
{
    return oracle_affine_load(a, net_of(s), s->source, node, channels);
}

static void describe(struct layer *l, const struct survey *s, int index)
{
    const struct step *fused = fused_step(s, index);
    const struct network *net = &s->engine->plan->model->net;
    const struct node *node = &net->nodes[fused->node];
    const struct shape *in = &net->nodes[node->inputs[0]].shape;
    bool dense = node->kind == NODE_DENSE;
    l->step = &s->engine->plan->steps[index];
    l->algo = dense ? ALGO_DIRECT : l->step->algo;
    l->conv = (struct oracle_conv){.cin = in->channels,
                                   .height = in->height,
                                   .width = in->width,
                                   .cout = node->shape.channels,
                                   .kernel = dense ? 1 : node->kernel,
                                   .stride = dense ? 1 : node->stride,
                                   .pad = dense ? 0 : node->pad,
                                   .weights = l->weights,
                                   .threads = 1};
    double terms = (double)in->channels * l->conv.kernel * l->conv.kernel;
    l->roundings =
        l->algo == ALGO_DIRECT ? terms : oracle_bilinear_roundings(l->algo, in->channels);
}

static bool layer_make(struct layer *l, const struct survey *s, int index, int image)
{
    const struct step *fused = fused_step(s, index);
    const struct node *node = &s->engine->plan->model->net.nodes[fused->node];
    size_t channels = (size_t)node->shape.channels;
    size_t outputs = channels * shape_pixels(&node->shape);
    l->image = image;
    l->residual = s->residual[image];
    if (l->residual)
        l->residual_shape = s->engine->plan->model->net.nodes[fused->residual].shape;
    l->residual_stride = fused->residual_stride;
    l->in = planar(&s->engine->plan->steps[index].in, image);
    l->weights = oracle_param(net_of(s), s->source, fused->node, PARAM_WEIGHT);
    l->bias = node->bias ? oracle_param(net_of(s), s->source, fused->node, PARAM_BIAS) : NULL;
    l->out = malloc(outputs * sizeof *l->out);
    l->bound = malloc(outputs * sizeof *l->bound);
    l->share_count = team_threads(s->engine->team);
    l->shares = calloc((size_t)l->share_count, sizeof *l->shares);
    bool ok = load_affine(s, fused->folded_norm, node->shape.channels, &l->fold) &&
              load_affine(s, fused->norm, node->shape.channels, &l->norm);
    describe(l, s, index);
    return ok && l->in && l->weights && (l->bias || !node->bias) && l->out && l->bound && l->shares;
}

static void layer_free(struct layer *l)
{
    free(l->in);
    free(l->weights);
    free(l->bias);
    oracle_affine_free(&l->fold);
    oracle_affine_free(&l->norm);
    free(l->out);
    free(l->bound);
    free(l->shares);
}

/** In units in the last place of the exact value, as a float has them. */
static double in_ulps(double error, double exact)
{
    float near = (float)fabs(exact);
    return error / ((double)nextafterf(near, INFINITY) - (double)near);
}

/** Takes an output in; `bound` is of its own error. Sums up squares in `rms`. */
static void judge(struct layer_error *worst, const struct layer *l, const struct tensor *t,
                  int channel, int pixel, double exact, double bound)
{
    float value = t->data[tensor_at(t, l->image, channel, pixel)];
    double error = fabs((double)value - exact);
    if (isnan(error))
        error = INFINITY;
    double fraction = error == 0 ? 0 : isinf(error) ? INFINITY : error / bound;
    if (worst->outputs == 0 || fraction > worst->fraction)
        worst->worst = (struct layer_error_at){
            l->image, channel, pixel / t->width, pixel % t->width, t == &l->step->sum,
            value,    exact};
    worst->outputs++;
    worst->error = fmax(worst->error, error);
    worst->rms += error * error;
    worst->ulps = fmax(worst->ulps, in_ulps(error, exact));
    worst->fraction = fmax(worst->fraction, fraction);
}

/** Takes in what another share has found. */
static void join(struct layer_error *all, const struct layer_error *one)
{
    if (all->outputs == 0 || one->fraction > all->fraction)
        all->worst = one->worst;
    all->outputs += one->outputs;
    all->error = fmax(all->error, one->error);
    all->rms += one->rms;
    all->ulps = fmax(all->ulps, one->ulps);
    all->fraction = fmax(all->fraction, one->fraction);
}

/** Where the copy of the residual has what is added to an output. */
static size_t residual_at(const struct layer *l, int channel, int pixel)
{
    int width = oracle_conv_out(&l->conv, l->conv.width), stride = l->residual_stride;
    size_t row =
        (size_t)channel * (size_t)l->residual_shape.height + (size_t)(pixel / width * stride);
    return row * (size_t)l->residual_shape.width + (size_t)(pixel % width * stride);
}

/** One output number: the folded `sum` of w x, and the `size` S of its bound. */
static void judge_output(const struct layer *l, struct layer_error *worst, int channel, int pixel,
                         double sum, double size)
{
    const struct plan_step *s = l->step;
    double scale = l->fold.scale[channel], n = l->roundings + 2;
    double bias = l->fold.shift[channel] + (l->bias ? scale * (double)l->bias[channel] : 0);
    double v = sum + bias;
    size += fabs(bias);
    if (l->residual) {
        double residual = (double)l->residual[residual_at(l, channel, pixel)];
        v += residual;
        size += fabs(residual);
        n += 1;
    }
    if (s->sum.data)
        judge(worst, l, &s->sum, channel, pixel, v, oracle_gamma(n) * size);
    if (s->act.data) {
        double shift = l->norm.shift[channel], x = l->norm.scale[channel] * v + shift;
        size = fabs(l->norm.scale[channel]) * size + fabs(shift);
        judge(worst, l, &s->act, channel, pixel, x < 0 ? 0 : x, oracle_gamma(n + 2) * size);
    }
}

/** Output channels that go together in a share: Strassen's a half apart. */
static int partners(const struct layer *l)
{
    return l->algo == ALGO_STRASSEN ? 2 : 1;
}

/** The i-th output channel of a share that begins with `first` and has so many. */
static int channel_of(const struct layer *l, int first, int count, int i)
{
    int each = count / partners(l);
    return i < each ? first + i : l->conv.cout / 2 + first + i - each;
}

/** The direct sum, and its bound, with the fold applied to both. */
static bool direct_sums(const struct oracle_conv *conv, const float *in, double *out, double *bound,
                        struct error *e)
{
    size_t pixels =
        (size_t)oracle_conv_out(conv, conv->height) * (size_t)oracle_conv_out(conv, conv->width);
    if (!oracle_conv(conv, in, out, bound, e))
        return false;
    for (size_t i = 0; i < (size_t)conv->cout * pixels; i++) {
        out[i] *= conv->fold[i / pixels];
        bound[i] *= fabs(conv->fold[i / pixels]);
    }
    return true;
}

/** Computes and judges the channels of a share; `weights` and `fold` are those channels'. */
static void judge_share(const struct layer *l, struct share *share, int first, int count,
                        const float *weights, const double *fold)
{
    struct oracle_conv conv = l->conv;
    int pixels = oracle_conv_out(&conv, conv.height) * oracle_conv_out(&conv, conv.width);
    size_t at = (size_t)(first * partners(l)) * (size_t)pixels;
    double gamma = oracle_gamma(l->roundings);
    conv.cout = count;
    conv.weights = weights;
    conv.fold = fold;
    share->ok = l->algo == ALGO_DIRECT
                    ? direct_sums(&conv, l->in, l->out + at, l->bound + at, &share->e)
                    : oracle_bilinear(&conv, l->algo, l->in, l->out + at, l->bound + at, &share->e);
    for (int c = 0; share->ok && c < count; c++) {
        for (int i = 0; i < pixels; i++, at++)
            judge_output(l, &share->worst, channel_of(l, first, count, c), i, l->out[at],
                         l->bound[at] / gamma);
    }
}

/** The output channels of one share. */
static void run_share(void *context, int index, int thread)
{
    (void)thread;
    struct layer *l = context;
    struct share *share = &l->shares[index];
    int groups = l->conv.cout / partners(l);
    int first = (int)((int64_t)groups * index / l->share_count);
    int end = (int)((int64_t)groups * (index + 1) / l->share_count);
    int count = (end - first) * partners(l);
    size_t filter = (size_t)l->conv.cin * (size_t)l->conv.kernel * (size_t)l->conv.kernel;
    float *weights = malloc((size_t)count * filter * sizeof *weights + 1);
    double *fold = malloc((size_t)count * sizeof *fold + 1);
    share->ok = (weights && fold) || error_set(&share->e, "no memory for %d channels", count);
    for (int c = 0; share->ok && c < count; c++) {
        int channel = channel_of(l, first, count, c);
        memcpy(weights + (size_t)c * filter, l->weights + (size_t)channel * filter,
               filter * sizeof *weights);
        fold[c] = l->fold.scale[channel];
    }
    if (share->ok && count > 0)
        judge_share(l, share, first, count, weights, fold);
    free(weights);
    free(fold);
}

static void measure_image(struct survey *s, int index, int image)
{
    struct layer l = {0};
    struct layer_error *worst = &s->steps[index];
    if (layer_make(&l, s, index, image)) {
        team_run(s->engine->team, l.share_count, run_share, &l);
        for (int i = 0; i < l.share_count && s->ok; i++) {
            s->ok = l.shares[i].ok;
            if (!s->ok)
                *s->e = l.shares[i].e;
            join(worst, &l.shares[i].worst);
        }
    } else {
        s->ok = error_set(s->e, "no memory to measure the error of step %d", index);
    }
    layer_free(&l);
}

/** Keeps what the step will add, since its sum may take that place. */
static void keep_residual(struct survey *s, int index)
{
    const struct plan *plan = s->engine->plan;
    int value = index < plan->step_count ? fused_step(s, index)->residual : -1;
    for (int i = 0; i < s->images; i++) {
        free(s->residual[i]);
        s->residual[i] = value >= 0 ? planar(&plan->layout->values[value], i) : NULL;
        if (s->ok && value >= 0 && !s->residual[i])
            s->ok = error_set(s->e, "no memory to measure the error of step %d", index);
    }
}

static void after_step(void *context, const struct plan *plan, int index)
{
    struct survey *s = context;
    enum node_kind kind = plan->steps[index].kind;
    for (int i = 0; s->ok && i < s->images; i++) {
        if (kind == NODE_CONV || kind == NODE_DENSE)
            measure_image(s, index, i);
    }
    keep_residual(s, index + 1);
}

bool layer_error_measure(struct engine *engine, const struct param_source *source, int images,
                         struct layer_error *steps, struct error *e)
{
    struct survey s = {.engine = engine,
                       .source = source,
                       .images = images,
                       .steps = steps,
                       .residual = calloc((size_t)images, sizeof *s.residual),
                       .ok = true,
                       .e = e};
    if (!s.residual)
        return error_set(e, "no memory to measure the errors of %d images", images);
    memset(steps, 0, (size_t)engine->plan->step_count * sizeof *steps);
    engine_run(engine, NULL, after_step, &s);
    for (int i = 0; i < engine->plan->step_count; i++) {
        if (steps[i].outputs > 0)
            steps[i].rms = sqrt(steps[i].rms / (double)steps[i].outputs);
    }
    for (int i = 0; i < images; i++)
        free(s.residual[i]);
    free(s.residual);
    return s.ok;
}
