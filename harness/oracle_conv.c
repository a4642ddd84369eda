#include "harness/oracle_conv.h"

#include "harness/oracle_sums.h"
#include "harness/square.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#define DOUBLE_ROUNDOFF 0x1p-53

/** Channels that the kernels' contract takes together. */
#define CHANNEL_BLOCK 16

/** Numbers of the input that a block of pixels reads: what both of their arrays take fits an L2. */
#define BLOCK_INPUTS 32768
#define MIN_BLOCK 64

/**
 * The input, padded and split by stride: plane (py, px) of a channel holds the padded pixels
 * (stride r + py, stride c + px). Under every tap of the filter, consecutive output pixels then
 * read consecutive numbers. Output rows are as long as the planes' (`pitch`); what is computed past
 * the end of an output row, or past the last row, is dropped.
 */
struct planes {
    int pitch, rows;
    size_t plane;   /**< numbers in a plane */
    double *value;  /**< [cin][py][px][rows][pitch], then zeros to read over the end */
    double *spread; /**< the same for errors of the input and rounded weights; rigorous: |value| */
};

struct job {
    const struct oracle_conv *conv;
    const struct planes *planes;
    oracle_sums_add *add;
    int out_height, out_width;
    bool rigorous; /**< compute `error` as a bound without assumptions instead of a variance */
    double *out, *error;
    int thread;
    struct oracle_tap *taps; /**< this thread's, for the filters of a group */
};

int oracle_conv_out(const struct oracle_conv *conv, int size)
{
    return (size + 2 * conv->pad - conv->kernel) / conv->stride + 1;
}

/** Where the padded pixel (y, x) of channel c lies in the planes. */
static size_t plane_at(const struct planes *p, int stride, int c, int y, int x)
{
    size_t plane =
        ((size_t)c * (size_t)stride + (size_t)(y % stride)) * (size_t)stride + (size_t)(x % stride);
    return plane * p->plane + (size_t)(y / stride) * (size_t)p->pitch + (size_t)(x / stride);
}

static void fill_planes(const struct planes *p, const struct oracle_conv *conv, bool rigorous,
                        const double *in, const double *in_variance)
{
    int cut = conv->pad < 0 ? -conv->pad : 0;
    for (int c = 0; c < conv->cin; c++) {
        for (int y = cut; y < conv->height - cut; y++) {
            for (int x = cut; x < conv->width - cut; x++) {
                size_t from = ((size_t)c * (size_t)conv->height + (size_t)y) * (size_t)conv->width;
                size_t at = plane_at(p, conv->stride, c, y + conv->pad, x + conv->pad);
                from += (size_t)x;
                p->value[at] = in[from];
                if (rigorous)
                    p->spread[at] = fabs(in[from]);
                else if (in_variance)
                    p->spread[at] = in_variance[from] + square(FLOAT_ROUNDOFF * in[from]);
            }
        }
    }
}

static bool planes_make(struct planes *p, const struct oracle_conv *conv, struct error *e)
{
    int stride = conv->stride;
    p->pitch = (conv->width + 2 * conv->pad + stride - 1) / stride;
    p->rows = (conv->height + 2 * conv->pad + stride - 1) / stride;
    p->plane = (size_t)p->pitch * (size_t)p->rows;
    size_t planes = (size_t)conv->cin * (size_t)stride * (size_t)stride;
    size_t count = planes * p->plane + (size_t)p->pitch + ORACLE_CHUNK;
    p->value = calloc(count, sizeof *p->value);
    p->spread = calloc(count, sizeof *p->spread);
    if (p->value && p->spread)
        return true;
    free(p->value);
    free(p->spread);
    return error_set(e, "no memory for the oracle's input of %zu numbers", count);
}

static size_t tap_count(const struct oracle_conv *conv)
{
    return (size_t)conv->cin * (size_t)conv->kernel * (size_t)conv->kernel;
}

/** Element (c, t / kernel, t % kernel) of the filters of output channels from `channel` on. */
static struct oracle_tap make_tap(const struct job *job, int channel, int channels, int c, int t)
{
    const struct oracle_conv *conv = job->conv;
    struct oracle_tap tap = {
        .at = plane_at(job->planes, conv->stride, c, t / conv->kernel, t % conv->kernel)};
    size_t in_filter = (size_t)c * (size_t)conv->kernel * (size_t)conv->kernel + (size_t)t;
    for (int g = 0; g < channels; g++) {
        double w = (double)conv->weights[(size_t)(channel + g) * tap_count(conv) + in_filter];
        tap.weight[g] = w;
        tap.spread[g] = job->rigorous ? fabs(w) : square(w);
    }
    return tap;
}

/** The filters of up to ORACLE_GROUP output channels, in the order of the chain. */
static void make_taps(const struct job *job, int channel, int channels)
{
    struct oracle_tap *tap = job->taps;
    int cin = job->conv->cin;
    for (int block = 0; block < cin; block += CHANNEL_BLOCK) {
        int end = block + CHANNEL_BLOCK < cin ? block + CHANNEL_BLOCK : cin;
        for (int t = 0; t < job->conv->kernel * job->conv->kernel; t++) {
            for (int c = block; c < end; c++)
                *tap++ = make_tap(job, channel, channels, c, t);
        }
    }
}

static double gamma_of(double terms, double roundoff)
{
    return terms * roundoff / (1 - terms * roundoff);
}

/** Factor of sum |w| |x| in the rigorous bound: of the float chain, and of the double one here. */
static double rigorous_factor(const struct oracle_conv *conv)
{
    double terms = (double)tap_count(conv);
    return gamma_of(terms, FLOAT_ROUNDOFF) + gamma_of(terms + 1, DOUBLE_ROUNDOFF);
}

/** Stores those of a chunk's pixels that are in the output, of the group's channel `g`. */
static void store(const struct job *job, int channel, int g, size_t first,
                  const struct oracle_sums *sums)
{
    size_t pitch = (size_t)job->planes->pitch;
    size_t width = (size_t)job->out_width;
    double factor = rigorous_factor(job->conv);
    for (size_t i = 0; i < ORACLE_CHUNK; i++) {
        size_t y = (first + i) / pitch;
        size_t x = (first + i) % pitch;
        if (y >= (size_t)job->out_height || x >= width)
            continue;
        size_t at = ((size_t)(channel + g) * (size_t)job->out_height + y) * width + x;
        job->out[at] = sums->value[g][i];
        job->error[at] = job->rigorous
                             ? factor * sums->spread[g][i]
                             : sums->spread[g][i] + square(FLOAT_ROUNDOFF) * sums->chain[g][i];
    }
}

static void start(const struct job *job, int channel, int channels, struct oracle_sums *sums)
{
    *sums = (struct oracle_sums){0};
    for (int g = 0; job->conv->bias && g < channels; g++) {
        double bias = (double)job->conv->bias[channel + g];
        for (int i = 0; i < ORACLE_CHUNK; i++) {
            sums->value[g][i] = bias;
            sums->spread[g][i] = job->rigorous ? fabs(bias) : 0;
        }
    }
}

/** The group's pixels from `first` to before `end`. */
static void compute_group(const struct job *job, int channel, size_t first, size_t end)
{
    const struct planes *p = job->planes;
    int left = job->conv->cout - channel;
    int channels = left < ORACLE_GROUP ? left : ORACLE_GROUP;
    make_taps(job, channel, channels);
    for (; first < end; first += ORACLE_CHUNK) {
        struct oracle_sums sums;
        start(job, channel, channels, &sums);
        job->add(&sums, job->taps, tap_count(job->conv), p->value + first, p->spread + first);
        for (int g = 0; g < channels; g++)
            store(job, channel, g, first, &sums);
    }
}

/** The thread's share: every `threads`-th group of output channels. */
static void *run_job(void *context)
{
    const struct job *job = context;
    const struct oracle_conv *conv = job->conv;
    size_t pixels = (size_t)job->out_height * (size_t)job->planes->pitch;
    size_t block = BLOCK_INPUTS / (size_t)conv->cin / ORACLE_CHUNK * ORACLE_CHUNK;
    block = block < MIN_BLOCK ? MIN_BLOCK : block;
    for (size_t first = 0; first < pixels; first += block) {
        size_t end = first + block < pixels ? first + block : pixels;
        for (int c = job->thread * ORACLE_GROUP; c < conv->cout; c += conv->threads * ORACLE_GROUP)
            compute_group(job, c, first, end);
    }
    return NULL;
}

/** Runs copies of a job: in threads of their own, but for the first. */
static bool run_jobs(const struct job *job, struct error *e)
{
    int count = job->conv->threads;
    size_t taps = tap_count(job->conv);
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    struct job *jobs = calloc((size_t)count, sizeof *jobs);
    struct oracle_tap *filters = calloc((size_t)count * taps, sizeof *filters);
    int started = 0;
    for (bool ok = threads && jobs && filters; ok && started < count; started += ok) {
        jobs[started] = *job;
        jobs[started].thread = started;
        jobs[started].taps = filters + (size_t)started * taps;
        if (started > 0)
            ok = pthread_create(&threads[started], NULL, run_job, &jobs[started]) == 0;
    }
    if (started == count)
        run_job(&jobs[0]);
    for (int i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    free(jobs);
    free(filters);
    return started == count || error_set(e, "the oracle could not start %d threads", count);
}

static bool run_conv(const struct oracle_conv *conv, bool rigorous, const double *in,
                     const double *in_variance, double *out, double *error, struct error *e)
{
    struct planes planes;
    if (!planes_make(&planes, conv, e))
        return false;
    fill_planes(&planes, conv, rigorous, in, in_variance);
    const struct job job = {.conv = conv,
                            .planes = &planes,
                            .add = oracle_sums_best(),
                            .out_height = oracle_conv_out(conv, conv->height),
                            .out_width = oracle_conv_out(conv, conv->width),
                            .rigorous = rigorous,
                            .out = out,
                            .error = error};
    bool ok = run_jobs(&job, e);
    free(planes.value);
    free(planes.spread);
    return ok;
}

bool oracle_conv_variance(const struct oracle_conv *conv, const double *in,
                          const double *in_variance, double *out, double *variance, struct error *e)
{
    return run_conv(conv, false, in, in_variance, out, variance, e);
}

bool oracle_conv(const struct oracle_conv *conv, const float *in, double *out, double *bound,
                 struct error *e)
{
    size_t count = (size_t)conv->cin * (size_t)conv->height * (size_t)conv->width;
    double *exact = malloc(count * sizeof *exact);
    if (!exact)
        return error_set(e, "no memory for a convolution of %zu inputs", count);
    for (size_t i = 0; i < count; i++)
        exact[i] = (double)in[i];
    bool ok = run_conv(conv, true, exact, NULL, out, bound, e);
    free(exact);
    return ok;
}
