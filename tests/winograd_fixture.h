/** Whole 3x3 convolutions of plain float data through the kernels, for tests. */
#ifndef RESMARK_TESTS_WINOGRAD_FIXTURE_H
#define RESMARK_TESTS_WINOGRAD_FIXTURE_H

#include "harness/machine.h"
#include "harness/team.h"
#include "kernels/conv.h"
#include "kernels/winograd.h"
#include "tests/float_fixture.h"
#include "tests/slow_build.h"

#include <string.h>

/** Floats round every buffer that must stay as they are, and their bits, a NaN's. */
#define GUARD 64
#define CANARY 0x7fc0deadu

/** A layer as the oracle has it, [cin][height][width] a batch's image, without fold or epilogue. */
struct layer_data {
    int cin, cout, height, width, batch;
    float *in, *weights, *bias;
};

static inline size_t layer_inputs(const struct layer_data *d)
{
    return (size_t)d->cin * (size_t)d->height * (size_t)d->width;
}

static inline size_t layer_outputs(const struct layer_data *d)
{
    return (size_t)d->cout * (size_t)d->height * (size_t)d->width;
}

/** Noise; inputs behind a ReLU, as in the network, half of them zeros. */
static inline struct layer_data layer_make(int cin, int cout, int height, int width, int batch)
{
    struct layer_data d = {cin, cout, height, width, batch, NULL, NULL, NULL};
    size_t inputs = layer_inputs(&d) * (size_t)batch;
    d.in = noise_array(inputs, 11);
    d.weights = noise_array((size_t)cin * (size_t)cout * 9, 12);
    d.bias = noise_array((size_t)cout, 13);
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
                                .kernel = 3,
                                .stride = 1,
                                .pad = 1,
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
           (size_t)y * t->row_stride + (size_t)(x * BLOCK + channel % BLOCK);
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

/** Where tensor_place() was told that the tensor's memory begins. */
static inline float *tensor_memory(const struct tensor *t)
{
    return t->data - (size_t)t->border * (t->row_stride + (size_t)t->pixel);
}

/** Filters by Winograd, [Cout/16][(m + 2)^2][Cin/16][16][16]. */
static inline float *pack_winograd(const struct layer_data *d, int tile, size_t *floats)
{
    double fold[BLOCK];
    int cin = (d->cin + BLOCK - 1) / BLOCK * BLOCK, blocks = (d->cout + BLOCK - 1) / BLOCK;
    size_t panel = (size_t)((tile + 2) * (tile + 2) * cin * BLOCK);
    float *packed = malloc(panel * (size_t)blocks * sizeof *packed);
    cr_assert(packed);
    for (int i = 0; i < BLOCK; i++)
        fold[i] = 1;
    for (int b = 0; b < blocks; b++) {
        int count = d->cout - b * BLOCK < BLOCK ? d->cout - b * BLOCK : BLOCK;
        winograd_pack_filters(tile, d->weights + (size_t)(b * BLOCK * d->cin * 9), count, d->cin,
                              fold, packed + (size_t)b * panel);
    }
    *floats = panel * (size_t)blocks;
    return packed;
}

/** Filters as they are, [Cout/16][Cin/16][9][16][16]. */
static inline float *pack_direct(const struct layer_data *d, size_t *floats)
{
    int cin = (d->cin + BLOCK - 1) / BLOCK, cout = (d->cout + BLOCK - 1) / BLOCK;
    *floats = (size_t)(cin * cout * 9 * BLOCK * BLOCK);
    float *packed = calloc(*floats, sizeof *packed);
    cr_assert(packed);
    for (int i = 0; i < d->cout * d->cin * 9; i++) {
        int o = i / (9 * d->cin), c = i / 9 % d->cin, tap = i % 9;
        int at = ((o / BLOCK * cin + c / BLOCK) * 9 + tap) * BLOCK + c % BLOCK;
        packed[at * BLOCK + o % BLOCK] = d->weights[i];
    }
    return packed;
}

struct team_job {
    const struct winograd *winograd;
    const struct conv *conv;
    int phase;
    float **scratch;
};

static inline void run_team_unit(void *context, int unit, int thread)
{
    const struct team_job *job = context;
    if (job->winograd)
        winograd_run(job->winograd, job->phase, unit, job->scratch[thread]);
    else
        conv_run(job->conv, unit, job->scratch[thread]);
}

/** Runs a convolution, one of the two, on a team; scratch and shared memory have guards. */
static inline void run_on_team(struct team *team, struct winograd *w, const struct conv *c)
{
    float *scratch[TEAM_MAX_THREADS];
    size_t floats = w ? winograd_scratch_floats(w) : conv_scratch_floats(c);
    size_t shared = w ? winograd_shared_floats(w) : 0;
    for (int i = 0; i < team_threads(team); i++)
        scratch[i] = guarded(floats);
    if (w)
        w->shared = guarded(shared);
    struct team_job job = {w, c, 0, scratch};
    for (; w && job.phase < 2; job.phase++)
        team_run(team, winograd_units(w, job.phase), run_team_unit, &job);
    if (c)
        team_run(team, conv_units(c), run_team_unit, &job);
    if (w)
        guarded_free(w->shared, shared);
    for (int i = 0; i < team_threads(team); i++)
        guarded_free(scratch[i], floats);
}

#endif
