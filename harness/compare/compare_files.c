#include "harness/compare/compare_files.h"

#include "harness/compare/file_differences.h"
#include "harness/compare/multiple.h"
#include "harness/compare/paired.h"
#include "harness/compare/row_figures.h"

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

/* By how much more the layers of two runs differ than the networks as a whole, by which pages their
 * memory got: of long layers, and as a time for which that grows by the square root of two. With
 * scripts/compare-trust's networks, layers of 1 to 10 us had standard deviations of 1 to 14 %, of
 * 10 to 30 us up to 5, longer ones up to 2. */
#define LAYER_BETWEEN_RUNS 4
#define LAYER_SHORT_MS 0.1

/* The ceiling's operations a cycle are a constant of the core. Where two runs differ in them by
 * more than this share, at least one had none of its core to itself: what runs on the other thread
 * of a core (which a hypervisor need not show) slows the ceiling by 1 to 3 %, and a network by 20
 * to 45.
 */
#define PER_CYCLE 0.005

static struct figure normalised_layer(const struct result_layer *l)
{
    return (struct figure){l->relative_median, l->relative_ci_low, l->relative_ci_high};
}

/* The variance of the logarithm of a figure. */
static double variance(struct figure f)
{
    double deviation = log(f.high / f.low) / (2 * CRITICAL_95);
    return deviation * deviation;
}

/* The ratio, and the probability that there is no difference; 1 where nothing is known. `more` is
 * the variance beside those of the figures. */
static struct file_ratio ratio_of(struct figure base, struct figure other, double more, double *p)
{
    *p = 1;
    if (!(base.low > 0 && other.low > 0))
        return base.value > 0 && other.value > 0
                   ? (struct file_ratio){.ratio = (float)(other.value / base.value)}
                   : (struct file_ratio){0};
    double log_ratio = log(other.value / base.value);
    double deviation = sqrt(variance(base) + variance(other) + more);
    double reach = CRITICAL_95 * deviation;
    *p = deviation > 0 ? normal_two_sided(log_ratio / deviation) : log_ratio == 0;
    return (struct file_ratio){(float)exp(log_ratio), (float)exp(log_ratio - reach),
                               (float)exp(log_ratio + reach)};
}

static void judge(struct file_figure *f, const struct figure absolute[2],
                  const struct figure normalised[2], double more)
{
    double ignored;
    f->ms = (float)absolute[1].value;
    f->absolute = ratio_of(absolute[0], absolute[1], more, &ignored);
    f->normalised = ratio_of(normalised[0], normalised[1], more, &f->p);
    f->outcome = f->normalised.low > 0 ? OUTCOME_SAME : OUTCOME_UNKNOWN;
}

/* `disturbance` is the sum of the squares of those of both rows. */
static void compare_layer(struct file_figure *f, const struct result_layer *a,
                          const struct result_layer *b, double between, double disturbance)
{
    double shorter = a->median_ms < b->median_ms ? a->median_ms : b->median_ms;
    double layer = LAYER_BETWEEN_RUNS * between * sqrt(1 + LAYER_SHORT_MS / shorter);
    struct figure absolute[] = {{a->median_ms, a->ci_low_ms, a->ci_high_ms},
                                {b->median_ms, b->ci_low_ms, b->ci_high_ms}};
    struct figure normalised[] = {normalised_layer(a), normalised_layer(b)};
    judge(f, absolute, normalised, 2 * layer * layer + disturbance);
}

static void note_suspect(struct file_row *row, const struct row_figures *a,
                         const struct row_figures *b)
{
    const char *where = !a->spoiled ? "B" : b->spoiled ? "A and B" : "A";
    bool known = a->per_cycle > 0 && b->per_cycle > 0;
    if (a->spoiled || b->spoiled)
        snprintf(row->suspect, sizeof row->suspect, "%s in %s",
                 a->spoiled ? a->spoiled : b->spoiled, where);
    else if (known && fabs(log(b->per_cycle / a->per_cycle)) > PER_CYCLE)
        snprintf(row->suspect, sizeof row->suspect, "core_shared in A or B");
}

static void compare_figures(struct file_row *row, const struct row_figures *a,
                            const struct row_figures *b, double between)
{
    struct figure absolute[] = {a->absolute, b->absolute};
    struct figure normalised[] = {a->normalised, b->normalised};
    double ignored, more = 2 * between * between;
    judge(&row->total, absolute, normalised, more);
    row->total.cycles = ratio_of(a->cycles, b->cycles, more, &ignored);
}

static bool compare_row(struct file_row *row, const struct result_row *a,
                        const struct result_row *b, const struct file_options *o, struct error *e)
{
    struct row_figures x, y;
    bool beside = row_figures_beside(a) && row_figures_beside(b);
    if (!row_figures_make(&x, a, beside, e) || !row_figures_make(&y, b, beside, e))
        return false;
    row->layer_count = row_same_layers(a, b) ? a->layer_count : 0;
    row->layers = calloc((size_t)row->layer_count + 1, sizeof *row->layers);
    if (!row->layers)
        return error_set(e, "no memory for %d layers", row->layer_count);
    if (!o->force)
        note_suspect(row, &x, &y);
    compare_figures(row, &x, &y, o->between_runs);
    double disturbance = x.disturbance * x.disturbance + y.disturbance * y.disturbance;
    for (int i = 0; i < row->layer_count; i++)
        compare_layer(&row->layers[i], &a->layers[i], &b->layers[i], o->between_runs, disturbance);
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
        row->cold = strcmp(base->cache, "cold") == 0;
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
    *h = (struct hypothesis){.p = p, .weight = layer < 0 && !row->cold ? 0 : 1};
}

static void conclude(struct file_row *row, int layer, struct hypothesis *h)
{
    struct file_figure *figure = layer < 0 ? &row->total : &row->layers[layer];
    figure->p = h->adjusted;
    if (h->adjusted <= MULTIPLE_ERROR)
        figure->outcome =
            row->suspect[0] ? OUTCOME_SUSPECT : outcome_of((double)figure->normalised.ratio);
}

/* Of a layer or a cold row while it is 1, and of a hot row while it is 0. */
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
