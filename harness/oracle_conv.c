#include "harness/oracle_conv.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#define DOUBLE_ROUNDOFF 0x1p-53

/** Output pixels and output channels that are accumulated at a time, so that the sums stay in L1.
 */
#define CHUNK 32
#define GROUP 4

/** Channels that the kernels' contract takes together. */
#define CHANNEL_BLOCK 16

/**
 * The input, padded and split by stride: plane (py, px) of a channel holds the padded pixels
 * (stride r + py, stride c + px). Under every tap of the filter, consecutive output pixels then
 * read consecutive numbers. Output rows are as long as the planes' (`pitch`); what is computed past
 * the end of an output row, or past the last row, is dropped.
 */
struct planes {
    int pitch, rows;
    size_t plane;     /**< numbers in a plane */
    double *value;    /**< [cin][py][px][rows][pitch], then zeros to read over the end */
    double *variance; /**< the same for errors of the input and of rounded weights */
};

struct job {
    const struct oracle_conv *conv;
    const struct planes *planes;
    int out_height, out_width;
    bool rigorous; /**< compute `error` as a bound without assumptions instead of a variance */
    double *out, *error;
    int thread;
};

/** Sums of a chunk of pixels of one output channel. */
struct sums {
    double value[CHUNK];
    double chain[CHUNK]; /**< squares of the partial sums; when rigorous, sum |w| |x| */
    double variance[CHUNK];
};

static inline double square(double x)
{
    return x * x;
}

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

static void spread(const struct planes *p, const struct oracle_conv *conv, const double *in,
                   const double *in_variance)
{
    int cut = conv->pad < 0 ? -conv->pad : 0;
    for (int c = 0; c < conv->cin; c++) {
        for (int y = cut; y < conv->height - cut; y++) {
            for (int x = cut; x < conv->width - cut; x++) {
                size_t from = ((size_t)c * (size_t)conv->height + (size_t)y) * (size_t)conv->width;
                size_t at = plane_at(p, conv->stride, c, y + conv->pad, x + conv->pad);
                from += (size_t)x;
                p->value[at] = in[from];
                if (in_variance)
                    p->variance[at] = in_variance[from] + square(FLOAT_ROUNDOFF * in[from]);
            }
        }
    }
}

static bool planes_make(struct planes *p, const struct oracle_conv *conv, const double *in,
                        const double *in_variance, struct error *e)
{
    int stride = conv->stride;
    p->pitch = (conv->width + 2 * conv->pad + stride - 1) / stride;
    p->rows = (conv->height + 2 * conv->pad + stride - 1) / stride;
    p->plane = (size_t)p->pitch * (size_t)p->rows;
    size_t planes = (size_t)conv->cin * (size_t)stride * (size_t)stride;
    size_t count = planes * p->plane + (size_t)p->pitch + CHUNK;
    p->value = calloc(count, sizeof *p->value);
    p->variance = calloc(count, sizeof *p->variance);
    if (!p->value || !p->variance) {
        free(p->value);
        free(p->variance);
        return error_set(e, "no memory for the oracle's input of %zu numbers", count);
    }
    spread(p, conv, in, in_variance);
    return true;
}

/** One tap of the filter. The trip count is constant so that compilers vectorise it. */
static void add_tap(struct sums *restrict sums, const double *restrict value,
                    const double *restrict variance, double w)
{
    for (int i = 0; i < CHUNK; i++) {
        sums->value[i] += w * value[i];
        sums->chain[i] += square(sums->value[i]);
        sums->variance[i] += square(w) * variance[i];
    }
}

static void add_tap_rigorous(struct sums *restrict sums, const double *restrict value, double w)
{
    for (int i = 0; i < CHUNK; i++) {
        sums->value[i] += w * value[i];
        sums->chain[i] += fabs(w * value[i]);
    }
}

/** Tap (c, t / kernel, t % kernel) of the filters of some output channels. */
static void accumulate_tap(const struct job *job, int channel, int channels, int c, int t,
                           size_t first, struct sums *sums)
{
    const struct oracle_conv *conv = job->conv;
    size_t taps = (size_t)conv->kernel * (size_t)conv->kernel;
    size_t filter = (size_t)conv->cin * taps;
    size_t at = first + plane_at(job->planes, conv->stride, c, t / conv->kernel, t % conv->kernel);
    const double *value = job->planes->value + at;
    const float *w = conv->weights + (size_t)channel * filter + (size_t)c * taps + (size_t)t;
    for (int g = 0; g < channels; g++) {
        double weight = (double)w[(size_t)g * filter];
        if (job->rigorous)
            add_tap_rigorous(&sums[g], value, weight);
        else
            add_tap(&sums[g], value, job->planes->variance + at, weight);
    }
}

/** All taps of the filters of up to GROUP output channels, for the chunk of pixels at `first`. */
static void accumulate(const struct job *job, int channel, int channels, size_t first,
                       struct sums *sums)
{
    int cin = job->conv->cin;
    int taps = job->conv->kernel * job->conv->kernel;
    for (int block = 0; block < cin; block += CHANNEL_BLOCK) {
        int end = block + CHANNEL_BLOCK < cin ? block + CHANNEL_BLOCK : cin;
        for (int t = 0; t < taps; t++) {
            for (int c = block; c < end; c++)
                accumulate_tap(job, channel, channels, c, t, first, sums);
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
    double terms = (double)conv->cin * conv->kernel * conv->kernel;
    return gamma_of(terms, FLOAT_ROUNDOFF) + gamma_of(terms + 1, DOUBLE_ROUNDOFF);
}

/** Stores those of a chunk's pixels that are in the output. */
static void store(const struct job *job, int channel, size_t first, const struct sums *sums)
{
    size_t pitch = (size_t)job->planes->pitch;
    size_t width = (size_t)job->out_width;
    double factor = rigorous_factor(job->conv);
    for (size_t i = 0; i < CHUNK; i++) {
        size_t y = (first + i) / pitch;
        size_t x = (first + i) % pitch;
        if (y >= (size_t)job->out_height || x >= width)
            continue;
        size_t at = ((size_t)channel * (size_t)job->out_height + y) * width + x;
        job->out[at] = sums->value[i];
        job->error[at] = job->rigorous
                             ? factor * sums->chain[i]
                             : sums->variance[i] + square(FLOAT_ROUNDOFF) * sums->chain[i];
    }
}

static void start(const struct job *job, int channel, struct sums *sums)
{
    double bias = job->conv->bias ? (double)job->conv->bias[channel] : 0;
    for (int i = 0; i < CHUNK; i++) {
        sums->value[i] = bias;
        sums->chain[i] = job->rigorous ? fabs(bias) : 0;
        sums->variance[i] = 0;
    }
}

static void compute_group(const struct job *job, int channel, int channels)
{
    struct sums sums[GROUP];
    size_t pixels = (size_t)job->out_height * (size_t)job->planes->pitch;
    for (size_t first = 0; first < pixels; first += CHUNK) {
        for (int g = 0; g < channels; g++)
            start(job, channel + g, &sums[g]);
        accumulate(job, channel, channels, first, sums);
        for (int g = 0; g < channels; g++)
            store(job, channel + g, first, &sums[g]);
    }
}

/** The thread's share: every `threads`-th group of output channels. */
static void *run_job(void *context)
{
    const struct job *job = context;
    int cout = job->conv->cout;
    for (int c = job->thread * GROUP; c < cout; c += job->conv->threads * GROUP)
        compute_group(job, c, cout - c < GROUP ? cout - c : GROUP);
    return NULL;
}

/** Runs copies of a job: in threads of their own, but for the first. */
static bool run_jobs(const struct job *job, struct error *e)
{
    int count = job->conv->threads;
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    struct job *jobs = calloc((size_t)count, sizeof *jobs);
    int started = 0;
    for (bool ok = threads && jobs; ok && started < count; started += ok) {
        jobs[started] = *job;
        jobs[started].thread = started;
        if (started > 0)
            ok = pthread_create(&threads[started], NULL, run_job, &jobs[started]) == 0;
    }
    if (started == count)
        run_job(&jobs[0]);
    for (int i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    free(jobs);
    return started == count || error_set(e, "the oracle could not start %d threads", count);
}

static bool run_conv(const struct oracle_conv *conv, bool rigorous, const double *in,
                     const double *in_variance, double *out, double *error, struct error *e)
{
    struct planes planes;
    if (!planes_make(&planes, conv, in, in_variance, e))
        return false;
    const struct job job = {.conv = conv,
                            .planes = &planes,
                            .out_height = oracle_conv_out(conv, conv->height),
                            .out_width = oracle_conv_out(conv, conv->width),
                            .rigorous = rigorous,
                            .out = out,
                            .error = error};
    bool ok = run_jobs(&job, e);
    free(planes.value);
    free(planes.variance);
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
