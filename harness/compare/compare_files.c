#include "harness/compare/compare_files.h"

#include "harness/compare/file_differences.h"
#include "harness/compare/multiple.h"
#include "harness/compare/paired.h"
#include "harness/measure/stats.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most threads that read files, and how many files a thread is worth. */
#define MAX_READERS 16
#define LEAST_FOR_READER 16

/* Of both tails of the normal distribution, beyond an interval of 95 %. */
#define CRITICAL_95 1.959963984540054

/* By how much more the layers of two runs differ than the networks as a whole: by which pages their
 * memory got. */
#define LAYER_BETWEEN_RUNS 3

/* A median with its 95 % interval; 0: not known. */
struct figure {
    double median, low, high;
    double drift; /* variance of its logarithm by how it moved during the run; 0: not known */
};

/* Into so many parts a run is cut to see how it moved, each of at least so many repetitions. */
#define PARTS 8
#define LEAST_OF_PART 4

/* Repetitions next to each other resemble each other, so that the interval, which takes them for
 * independent, can be too narrow: the variance that the medians of the parts have, if it is more.
 * Reorders the repetitions. */
static double drift_of(double *values, int count)
{
    double sum = 0, squares = 0;
    if (count < PARTS * LEAST_OF_PART)
        return 0;
    for (int i = 0; i < PARTS; i++) {
        int begin = i * count / PARTS, end = (i + 1) * count / PARTS;
        double part = log(summarize(values + begin, end - begin).median);
        sum += part;
        squares += part * part;
    }
    return (squares - sum * sum / PARTS) / (PARTS - 1) / PARTS;
}

/* Of the repetitions' times, each multiplied by what was measured beside it. */
static struct figure product(const struct result_samples *s, const double *beside, double *scratch)
{
    int count = 0;
    for (int i = 0; beside && i < s->count; i++) {
        if (beside[i] > 0 && s->ms[i] > 0)
            scratch[count++] = s->ms[i] * beside[i];
    }
    if (count == 0)
        return (struct figure){0};
    double drift = drift_of(scratch, count);
    struct summary summary = summarize(scratch, count);
    return (struct figure){summary.median, summary.ci_low, summary.ci_high, drift};
}

static struct figure scaled(struct figure f, double factor)
{
    return (struct figure){f.median * factor, f.low * factor, f.high * factor, f.drift};
}

/* Version 1 has but the median of the ceilings. */
static struct figure normalised_row(const struct result_row *row, double *scratch)
{
    struct figure absolute = {row->median_ms, row->ci_low_ms, row->ci_high_ms, 0};
    return row->samples.ceiling_gflops
               ? product(&row->samples, row->samples.ceiling_gflops, scratch)
               : scaled(absolute, row->ceiling_gflops);
}

static struct figure normalised_layer(const struct result_layer *l)
{
    return (struct figure){l->relative_median, l->relative_ci_low, l->relative_ci_high, 0};
}

/* The variance of the logarithm of a median. */
static double variance(struct figure f)
{
    double deviation = log(f.high / f.low) / (2 * CRITICAL_95);
    double variance = deviation * deviation;
    return variance > f.drift ? variance : f.drift;
}

/* The ratio, and the probability that there is no difference; 1 where nothing is known. */
static struct file_ratio ratio_of(struct figure base, struct figure other, double between,
                                  double *p)
{
    *p = 1;
    if (!(base.low > 0 && other.low > 0))
        return base.median > 0 && other.median > 0
                   ? (struct file_ratio){.ratio = (float)(other.median / base.median)}
                   : (struct file_ratio){0};
    double log_ratio = log(other.median / base.median);
    double deviation = sqrt(variance(base) + variance(other) + 2 * between * between);
    double reach = CRITICAL_95 * deviation;
    *p = deviation > 0 ? normal_two_sided(log_ratio / deviation) : log_ratio == 0;
    return (struct file_ratio){(float)exp(log_ratio), (float)exp(log_ratio - reach),
                               (float)exp(log_ratio + reach)};
}

static void judge(struct file_figure *f, struct figure absolute[2], struct figure normalised[2],
                  double between)
{
    double ignored;
    f->ms = (float)absolute[1].median;
    f->absolute = ratio_of(absolute[0], absolute[1], between, &ignored);
    f->normalised = ratio_of(normalised[0], normalised[1], between, &f->p);
    f->outcome = f->normalised.low > 0 ? OUTCOME_SAME : OUTCOME_UNKNOWN;
}

static void compare_layer(struct file_figure *f, const struct result_layer *a,
                          const struct result_layer *b, double between)
{
    struct figure absolute[] = {{a->median_ms, a->ci_low_ms, a->ci_high_ms, 0},
                                {b->median_ms, b->ci_low_ms, b->ci_high_ms, 0}};
    struct figure normalised[] = {normalised_layer(a), normalised_layer(b)};
    judge(f, absolute, normalised, between);
}

static void note_suspect(struct file_row *row, const struct result_row *a,
                         const struct result_row *b, bool force)
{
    const char *first = row_spoiled(a), *second = row_spoiled(b);
    const char *where = !first ? "B" : second ? "A and B" : "A";
    if ((first || second) && !force)
        snprintf(row->suspect, sizeof row->suspect, "%s in %s", first ? first : second, where);
}

static bool compare_row(struct file_row *row, const struct result_row *a,
                        const struct result_row *b, const struct file_options *o, struct error *e)
{
    int most = a->samples.count > b->samples.count ? a->samples.count : b->samples.count;
    double *scratch = calloc((size_t)most, sizeof *scratch), ignored;
    row->layer_count = row_same_layers(a, b) ? a->layer_count : 0;
    row->layers = calloc((size_t)row->layer_count + 1, sizeof *row->layers);
    if (!scratch || !row->layers) {
        free(scratch);
        return error_set(e, "no memory for %d layers", row->layer_count);
    }
    struct figure absolute[] = {{a->median_ms, a->ci_low_ms, a->ci_high_ms, 0},
                                {b->median_ms, b->ci_low_ms, b->ci_high_ms, 0}};
    struct figure normalised[] = {normalised_row(a, scratch), normalised_row(b, scratch)};
    struct figure cycles[] = {product(&a->samples, a->samples.clock_ghz, scratch),
                              product(&b->samples, b->samples.clock_ghz, scratch)};
    free(scratch);
    note_suspect(row, a, b, o->force);
    judge(&row->total, absolute, normalised, o->between_runs);
    row->total.cycles = ratio_of(cycles[0], cycles[1], o->between_runs, &ignored);
    for (int i = 0; i < row->layer_count; i++)
        compare_layer(&row->layers[i], &a->layers[i], &b->layers[i],
                      o->between_runs * LAYER_BETWEEN_RUNS);
    return true;
}

static const struct result_row *find_row(const struct result *r, const struct result_row *like)
{
    for (int i = 0; i < r->row_count; i++) {
        if (row_matches(like, &r->end_to_end[i]))
            return &r->end_to_end[i];
    }
    return NULL;
}

static bool compare_result(struct file_comparison *c, struct compared_file *file,
                           const struct result *other, const struct file_options *o,
                           struct error *e)
{
    file->rows = calloc((size_t)c->base.row_count, sizeof *file->rows);
    if (!file->rows)
        return error_set(e, "no memory for %d rows", c->base.row_count);
    if (!file_differences(&file->differences, &c->base, other, e))
        return false;
    for (int i = 0; i < c->base.row_count; i++) {
        const struct result_row *base = &c->base.end_to_end[i], *found = find_row(other, base);
        if (!found)
            continue;
        struct file_row *row = &file->rows[file->row_count++];
        row->base = i;
        if (!row_differences(&file->differences, base, found, e) ||
            !compare_row(row, base, found, o, e))
            return false;
    }
    return differences_allow(&file->differences, o->force, e) &&
           (file->row_count > 0 ||
            error_set(e, "they have no ISA, algorithms, threads and batch in common"));
}

static bool compare_file(struct file_comparison *c, struct compared_file *file, const char *path,
                         const struct file_options *o, struct error *e)
{
    struct result other;
    file->path = strdup(path);
    bool ok = file->path ? result_read(&other, path, e) : error_set(e, "no memory for a name");
    if (!ok)
        return false;
    ok = compare_result(c, file, &other, o, e);
    result_free(&other);
    if (ok)
        return true;
    struct error inner = *e;
    return error_set(e, "cannot compare %.100s with %.100s: %.250s", c->base_path, path,
                     inner.text);
}

/* Calls f for every figure that is judged: of each row the whole (layer -1), then its layers. */
static size_t each_figure(struct file_comparison *c,
                          void (*f)(struct file_row *row, int layer, struct hypothesis *h),
                          struct hypothesis *h)
{
    size_t count = 0;
    for (size_t i = 0; i < c->file_count; i++) {
        for (int k = 0; k < c->files[i].row_count; k++) {
            struct file_row *row = &c->files[i].rows[k];
            for (int l = -1; l < row->layer_count; l++) {
                struct file_figure *figure = l < 0 ? &row->total : &row->layers[l];
                if (figure->outcome == OUTCOME_UNKNOWN)
                    continue;
                if (f)
                    f(row, l, &h[count]);
                count++;
            }
        }
    }
    return count;
}

static void pose(struct file_row *row, int layer, struct hypothesis *h)
{
    double p = layer < 0 ? row->total.p : row->layers[layer].p;
    *h = (struct hypothesis){.p = p, .weight = layer < 0 ? 0 : 1};
}

static void conclude(struct file_row *row, int layer, struct hypothesis *h)
{
    struct file_figure *figure = layer < 0 ? &row->total : &row->layers[layer];
    figure->p = h->adjusted;
    if (h->adjusted <= MULTIPLE_ERROR)
        figure->outcome =
            row->suspect[0] ? OUTCOME_SUSPECT : outcome_of((double)figure->normalised.ratio);
}

/* Of a layer while it is 1, and of a whole while it is 0. */
static void share_weights(struct hypothesis *h, size_t count)
{
    size_t layers = 0;
    for (size_t i = 0; i < count; i++)
        layers += h[i].weight > 0;
    for (size_t i = 0; i < count; i++)
        h[i].weight = h[i].weight > 0 ? MULTIPLE_LAYERS_PART / (double)layers
                                      : (1 - MULTIPLE_LAYERS_PART) / (double)(count - layers);
}

static bool conclude_all(struct file_comparison *c, struct error *e)
{
    c->comparisons = each_figure(c, NULL, NULL);
    struct hypothesis *h = calloc(c->comparisons + 1, sizeof *h);
    if (!h)
        return error_set(e, "no memory for %zu comparisons", c->comparisons);
    each_figure(c, pose, h);
    share_weights(h, c->comparisons);
    bool ok = multiple_holm(h, c->comparisons, e);
    if (ok)
        each_figure(c, conclude, h);
    free(h);
    return ok;
}

/* Files are read by several threads: parsing takes nearly all of the time. */
struct readers {
    struct file_comparison *comparison;
    char *const *paths;
    const struct file_options *options;
    atomic_size_t next;    /* of the files behind the base */
    atomic_size_t failed;  /* the first that could not be compared; file_count: none */
    pthread_mutex_t mutex; /* of the two below */
    size_t error_of;
    struct error error;
};

static void note_failure(struct readers *r, size_t index, const struct error *e)
{
    pthread_mutex_lock(&r->mutex);
    if (index < r->error_of) {
        r->error_of = index;
        r->error = *e;
        atomic_store(&r->failed, index);
    }
    pthread_mutex_unlock(&r->mutex);
}

/* Takes files until there is none left, or one before has failed. */
static void *read_files(void *argument)
{
    struct readers *r = argument;
    struct file_comparison *c = r->comparison;
    struct error e;
    for (size_t i; (i = atomic_fetch_add(&r->next, 1)) < c->file_count;) {
        if (i > atomic_load(&r->failed))
            break;
        if (r->options->progress)
            r->options->progress(i, c->file_count);
        if (!compare_file(c, &c->files[i], r->paths[i + 1], r->options, &e))
            note_failure(r, i, &e);
    }
    return NULL;
}

static int reader_count(size_t files)
{
    cpu_set_t cpus;
    int count = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    count = count < MAX_READERS ? count : MAX_READERS;
    return files < (size_t)count * LEAST_FOR_READER ? 1 : count;
}

/* This thread is one of them; others that cannot be started are not missed. */
static bool read_all(struct readers *r, struct error *e)
{
    pthread_t threads[MAX_READERS];
    int started = 0, count = reader_count(r->comparison->file_count);
    while (started < count - 1 && pthread_create(&threads[started], NULL, read_files, r) == 0)
        started++;
    read_files(r);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return r->error_of == r->comparison->file_count || error_set(e, "%s", r->error.text);
}

bool compare_files(struct file_comparison *c, char *const *paths, size_t count,
                   const struct file_options *options, struct error *e)
{
    *c = (struct file_comparison){.base_path = strdup(paths[0])};
    c->files = calloc(count, sizeof *c->files);
    if (!c->base_path || !c->files)
        return error_set(e, "no memory for %zu files", count);
    if (!result_read(&c->base, paths[0], e))
        return false;
    c->file_count = count - 1;
    struct readers readers = {.comparison = c,
                              .paths = paths,
                              .options = options,
                              .failed = c->file_count,
                              .mutex = PTHREAD_MUTEX_INITIALIZER,
                              .error_of = c->file_count};
    return read_all(&readers, e) && conclude_all(c, e);
}

static void free_file(struct compared_file *file)
{
    for (int i = 0; i < file->row_count; i++)
        free(file->rows[i].layers);
    free(file->rows);
    free(file->path);
    differences_free(&file->differences);
}

void file_comparison_free(struct file_comparison *c)
{
    for (size_t i = 0; i < c->file_count; i++)
        free_file(&c->files[i]);
    free(c->files);
    free(c->base_path);
    result_free(&c->base);
    *c = (struct file_comparison){0};
}
