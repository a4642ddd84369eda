/** Whole convolutions of plain float data through the kernels, for tests. */
#ifndef RESMARK_TESTS_BILINEAR_FIXTURE_H
#define RESMARK_TESTS_BILINEAR_FIXTURE_H

#include "harness/algo_form.h"
#include "harness/machine.h"
#include "harness/team.h"
#include "kernels/conv.h"
#include "tests/float_fixture.h"
#include "tests/slow_build.h"

#include <string.h>

/** Floats round every buffer that must stay as they are, and their bits, a NaN's. */
#define GUARD 64
#define CANARY 0x7fc0deadu

/** A layer as the oracle has it, [cin][height][width] a batch's image, without fold or epilogue.
 * It is padded so that stride 1 keeps the size. */
struct layer_data {
    int cin, cout, height, width, batch;
    int kernel, stride;
    float *in, *weights, *bias;
};

/** Rows or columns of the output. */
static inline int layer_out(const struct layer_data *d, int size)
{
    return (size - 1) / d->stride + 1;
}

static inline size_t layer_inputs(const struct layer_data *d)
{
    return (size_t)d->cin * (size_t)d->height * (size_t)d->width;
}

static inline size_t layer_outputs(const struct layer_data *d)
{
    return (size_t)d->cout * (size_t)layer_out(d, d->height) * (size_t)layer_out(d, d->width);
}

static inline size_t layer_filter(const struct layer_data *d)
{
    return (size_t)d->cin * (size_t)(d->kernel * d->kernel);
}

/** A layer of one image whose kernel and stride an algorithm serves; direct serves Winograd's. The
 * stem has the image's 3 channels. */
static inline struct layer_data layer_shape(enum algo algo, int cin, int cout, int height,
                                            int width)
{
    const bool stem = algo == ALGO_POLYPHASE4;
    return (struct layer_data){.cin = stem ? 3 : cin,
                               .cout = cout,
                               .height = height,
                               .width = width,
                               .batch = 1,
                               .kernel = algo == ALGO_STRASSEN ? 1
                                         : stem                ? 7
                                                               : 3,
                               .stride = algo == ALGO_POLYPHASE2 || stem ? 2 : 1};
}

/** Noise for a shape; inputs behind a ReLU, as in the network, half of them zeros. */
static inline struct layer_data layer_make(struct layer_data d)
{
    size_t inputs = layer_inputs(&d) * (size_t)d.batch;
    d.in = noise_array(inputs, 11);
    d.weights = noise_array((size_t)d.cout * layer_filter(&d), 12);
    d.bias = noise_array((size_t)d.cout, 13);
    for (size_t i = 0; i < inputs; i++)
        d.in[i] = d.in[i] < 0 ? 0 : d.in[i];
    return d;
}

static inline void layer_free(struct layer_data *d)
{
    free(d->in);
    free(d->weights);
    free(d->bias);
}

static inline struct oracle_conv layer_conv(const struct layer_data *d, int threads)
{
    return (struct oracle_conv){.cin = d->cin,
                                .height = d->height,
                                .width = d->width,
                                .cout = d->cout,
                                .kernel = d->kernel,
                                .stride = d->stride,
                                .pad = d->kernel / 2,
                                .weights = d->weights,
                                .bias = d->bias,
                                .threads = threads};
}

/** Fills a buffer of `floats` floats, guards included, with canaries. */
static inline void fill_canaries(float *memory, size_t floats)
{
    const uint32_t canary = CANARY;
    for (size_t i = 0; i < floats; i++)
        memcpy(memory + i, &canary, sizeof canary);
}

static inline bool is_canary(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == CANARY;
}

/** A buffer of canaries between guards; freed by guarded_free(). */
static inline float *guarded(size_t floats)
{
    float *memory = malloc((floats + 2 * GUARD) * sizeof *memory);
    cr_assert(memory);
    fill_canaries(memory, floats + 2 * GUARD);
    return memory + GUARD;
}

static inline void guarded_free(float *data, size_t floats)
{
    int overwritten = 0;
    for (size_t i = 0; i < GUARD; i++)
        overwritten += !is_canary(data[-1 - (ptrdiff_t)i]) + !is_canary(data[floats + i]);
    cr_expect_eq(overwritten, 0, "%d canaries", overwritten);
    free(data - GUARD);
}

static inline float *tensor_element(const struct tensor *t, int image, int channel, int y, int x)
{
    return t->data + (size_t)image * t->image_stride + (size_t)(channel / BLOCK) * t->block_stride +
           (size_t)y * t->row_stride + (size_t)(x * t->pixel + channel % BLOCK);
}

/** Places a tensor in zeroed memory and fills it from plain data; to be freed by tensor_memory().
 */
static inline void tensor_fill(struct tensor *t, int batch, const float *plain)
{
    float *memory = calloc(tensor_floats(t, batch), sizeof *memory);
    cr_assert(memory);
    tensor_place(t, memory);
    for (int image = 0; image < batch; image++) {
        for (int c = 0; c < t->channels; c++) {
            for (int i = 0; i < t->height * t->width; i++)
                *tensor_element(t, image, c, i / t->width, i % t->width) = *plain++;
        }
    }
}

/** The layer's input, with the border that it is padded with, at least 1; not placed. */
static inline struct tensor layer_input(const struct layer_data *d)
{
    return d->kernel == 7 ? tensor_image(d->height, d->width, 3)
                          : tensor_blocked(d->cin, d->height, d->width, 1);
}

/** Where tensor_place() was told that the tensor's memory begins. */
static inline float *tensor_memory(const struct tensor *t)
{
    return t->data - (size_t)t->border * (t->row_stride + (size_t)t->pixel);
}

/** The preferred one. */
static inline enum isa best_isa(const struct isa_list *isas)
{
    return isas->isas[isas->count - 1];
}

/** Channels filled up to whole blocks. */
static inline int whole_blocks(int channels)
{
    return (channels + BLOCK - 1) / BLOCK * BLOCK;
}

/** The filters of output group `group`, to `panel`. */
static inline void pack_group(const struct layer_data *d, enum bilinear_form form, int group,
                              float *panel)
{
    double fold[BLOCK];
    const float *filters = d->weights + (size_t)(group * BLOCK) * layer_filter(d);
    int count = d->cout - group * BLOCK < BLOCK ? d->cout - group * BLOCK : BLOCK;
    for (int i = 0; i < BLOCK; i++)
        fold[i] = 1;
    if (form == FORM_STRASSEN)
        bilinear_pack_strassen(
            (const float *[]){filters, filters + (size_t)(d->cout / 2) * layer_filter(d)}, d->cin,
            (const double *[]){fold, fold}, panel);
    else if (form == FORM_POLYPHASE4)
        bilinear_pack_stem(filters, count, fold, panel);
    else
        bilinear_pack_filters(form, filters, count, d->cin, fold, panel);
}

/** Filters by a bilinear algorithm, [Cout group][filter][Cin group][16][16]. */
static inline float *pack_bilinear(const struct layer_data *d, enum bilinear_form form,
                                   size_t *floats)
{
    int group = bilinear_group(form), groups = whole_blocks(d->cout) / BLOCK / group;
    size_t panel = (size_t)(bilinear_filters(form) * bilinear_inputs(form, d->cin) * BLOCK);
    float *packed = malloc(panel * (size_t)groups * sizeof *packed);
    cr_assert(packed);
    for (int g = 0; g < groups; g++)
        pack_group(d, form, g, packed + (size_t)g * panel);
    *floats = panel * (size_t)groups;
    return packed;
}

/** Filters as they are, [Cout/16][Cin/16][taps][16][16], or the stem's [Cout/16][taps][3][16]. */
static inline float *pack_direct(const struct layer_data *d, size_t *floats)
{
    int lanes = layer_input(d).pixel, taps = d->kernel * d->kernel;
    int blocks = (d->cin + lanes - 1) / lanes;
    *floats = (size_t)(blocks * lanes * whole_blocks(d->cout) * taps);
    float *packed = calloc(*floats, sizeof *packed);
    cr_assert(packed);
    for (int i = 0; i < d->cout * d->cin * taps; i++) {
        int o = i / (taps * d->cin), c = i / taps % d->cin, tap = i % taps;
        int at = ((o / BLOCK * blocks + c / lanes) * taps + tap) * lanes + c % lanes;
        packed[at * BLOCK + o % BLOCK] = d->weights[i];
    }
    return packed;
}

struct team_job {
    const struct bilinear *bilinear;
    const struct conv *conv;
    int phase;
    float **scratch;
    struct bilinear_work *works; /**< each thread's, as is the next */
    bool *prepared;
    int threads;
};

static inline void run_team_unit(void *context, int unit, int thread)
{
    const struct team_job *job = context;
    if (job->bilinear && bilinear_own_tiles(job->bilinear) && !job->prepared[thread])
        bilinear_prepare(job->bilinear, job->scratch[thread]);
    job->prepared[thread] = true;
    if (job->bilinear)
        bilinear_run(job->bilinear, job->phase, unit, job->scratch[thread], &job->works[thread]);
    else
        conv_run(job->conv, unit, job->scratch[thread]);
}

static inline void help_team(void *context)
{
    const struct team_job *job = context;
    bilinear_help(job->works, job->threads);
}

/** Runs a convolution, one of the two, on a team; scratch and shared memory have guards. */
static inline void run_on_team(struct team *team, struct bilinear *b, const struct conv *c)
{
    float *scratch[TEAM_MAX_THREADS];
    bool prepared[TEAM_MAX_THREADS] = {false};
    static struct bilinear_work works[TEAM_MAX_THREADS];
    size_t floats = b ? bilinear_scratch_floats(b) : conv_scratch_floats(c);
    size_t shared = b ? bilinear_shared_floats(b) : 0;
    for (int i = 0; i < team_threads(team); i++)
        scratch[i] = guarded(floats);
    if (b)
        b->shared = guarded(shared);
    struct team_job job = {b, c, 0, scratch, works, prepared, team_threads(team)};
    for (; b && job.phase < 2; job.phase++)
        team_run_helping(team, bilinear_units(b, job.phase), run_team_unit, help_team, &job);
    if (c)
        team_run(team, conv_units(c), run_team_unit, &job);
    if (b)
        guarded_free(b->shared, shared);
    for (int i = 0; i < team_threads(team); i++)
        guarded_free(scratch[i], floats);
}

#endif
