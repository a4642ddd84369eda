#include "harness/classify/cmd_classify.h"

#include "arch/clock.h"
#include "harness/classify/classify_options.h"
#include "harness/classify/decoder.h"
#include "harness/classify/labels.h"
#include "harness/input.h"
#include "harness/interrupt.h"
#include "harness/top_classes.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_DECODERS 4

struct classification {
    struct classify_options options;
    struct image_list list;
    struct labels labels;
    struct classifier classifier;
    struct decoder *decoder;
    struct pixel_table table;
    int *top;     /* of one image */
    int *waiting; /* the images of the batch that is being filled, by their places in the list */
    int filled;
    int done, failed; /* images */
    int width;        /* characters of the longest path, for the table */
    json_t *rows;     /* of JSON; NULL: text */
    double seconds;
    const volatile sig_atomic_t *interrupted; /* not 0: no more images */
};

static void print_classes(const struct classification *c, const char *path, const float *values,
                          int count)
{
    for (int k = 0; k < count; k++) {
        const char *name = labels_name(&c->labels, c->top[k]);
        printf("%-*s  %6.2f %%  %4d%s%s\n", c->width, k == 0 ? path : "",
               100 * (double)values[c->top[k]], c->top[k], name ? "  " : "", name ? name : "");
    }
}

/* A text from outside, which JSON can hold only as UTF-8: of another one what is not ASCII is lost.
 */
static json_t *text_json(const char *text)
{
    json_t *string = json_string(text);
    char *copy = string ? NULL : strdup(text);
    for (char *c = copy; c && *c; c++)
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    if (copy)
        string = json_string(copy);
    free(copy);
    return string;
}

static void append_classes(const struct classification *c, const char *path, const float *values,
                           int count)
{
    json_t *classes = json_array();
    for (int k = 0; k < count; k++) {
        double value = (double)values[c->top[k]];
        const char *name = labels_name(&c->labels, c->top[k]);
        json_t *class = json_pack("{s:i, s:o}", "class", c->top[k], "probability",
                                  isfinite(value) ? json_real(value) : json_null());
        if (name)
            json_object_set_new(class, "label", text_json(name));
        json_array_append_new(classes, class);
    }
    json_array_append_new(c->rows,
                          json_pack("{s:o, s:o}", "file", text_json(path), "top", classes));
}

/* Classifies the images of the batch, as many as there are. */
static void finish_batch(struct classification *c)
{
    if (c->filled > 0)
        classifier_run(&c->classifier);
    for (int i = 0; i < c->filled; i++) {
        const float *values = classifier_output(&c->classifier, i);
        const char *path = c->list.paths[c->waiting[i]];
        int count = top_classes(values, c->classifier.model.net.classes, c->options.top, c->top);
        if (c->rows)
            append_classes(c, path, values, count);
        else
            print_classes(c, path, values, count);
    }
    c->done += c->filled;
    c->filled = 0;
}

static void report_failure(struct classification *c, int image, const struct error *e)
{
    fflush(stdout);
    fprintf(stderr, "resmark classify: %s\n", e->text);
    c->failed++;
    if (c->rows)
        json_array_append_new(c->rows,
                              json_pack("{s:o, s:o}", "file", text_json(c->list.paths[image]),
                                        "error", text_json(e->text)));
}

static void show_progress(const struct classification *c, int image)
{
    if (isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO))
        fprintf(stderr, "\r%d of %d images   ", image, c->list.count);
}

static void classify_all(struct classification *c)
{
    uint64_t begin = clock_ns();
    decoder_begin(c->decoder, &c->table);
    for (int image = 0; image < c->list.count && !*c->interrupted && !ferror(stdout); image++) {
        struct error e;
        const float *pixels = decoder_next(c->decoder, &e);
        if (pixels) {
            classifier_set(&c->classifier, c->filled, pixels);
            c->waiting[c->filled++] = image;
        } else {
            report_failure(c, image, &e);
        }
        if (c->filled == c->classifier.batch) {
            finish_batch(c);
            show_progress(c, image + 1);
        }
    }
    finish_batch(c);
    c->seconds = (double)(clock_ns() - begin) * 1e-9;
    if (isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO))
        fprintf(stderr, "\r%30s\r", "");
}

static bool collect_images(struct classification *c, struct error *e)
{
    const struct classify_options *o = &c->options;
    bool ok = !o->list || image_list_add_file(&c->list, o->list, e);
    for (int i = 0; ok && i < o->image_count; i++)
        ok = image_list_add(&c->list, o->images[i], e);
    for (int i = 0; i < c->list.count; i++) {
        int length = (int)strlen(c->list.paths[i]);
        c->width = length > c->width ? length : c->width;
    }
    return ok && (c->list.count > 0 || error_set(e, "%s names no image", o->list));
}

static bool make_room(struct classification *c, struct error *e)
{
    c->top = calloc((size_t)c->options.top, sizeof *c->top);
    c->waiting = calloc((size_t)c->classifier.batch, sizeof *c->waiting);
    c->rows = c->options.json ? json_array() : NULL;
    return (c->top && c->waiting && (c->rows || !c->options.json)) ||
           error_set(e, "no memory for a batch of %d images", c->classifier.batch);
}

/* The decoders start first, before the team pins this thread, whose CPUs they inherit. */
static bool prepare(struct classification *c, struct error *e)
{
    int threads = c->classifier.machine.default_threads, ahead = 2 * c->classifier.batch;
    if (c->list.count < c->classifier.batch)
        ahead = c->classifier.batch = c->list.count;
    threads = threads < MAX_DECODERS ? threads : MAX_DECODERS;
    if (!make_room(c, e))
        return false;
    c->decoder = decoder_make(&c->list, c->classifier.size, threads, ahead, e);
    if (!c->decoder || !classifier_start(&c->classifier, e))
        return false;
    input_table(&c->classifier.model, &c->table);
    return true;
}

static bool print_json(const struct classification *c, struct error *e)
{
    const struct classifier *k = &c->classifier;
    json_t *root = json_pack(
        "{s:s, s:s, s:i, s:i, s:o, s:s, s:s, s:s, s:i, s:i, s:f, s:i, s:b, s:O}", "network",
        k->model.net.name, "variant", k->model.net.variant, "classes", k->model.net.classes, "size",
        k->size, "weights", text_json(k->file.path), "sha256", k->file.sha256, "isa", k->set->name,
        "algo", algo_name(k->algo), "threads", k->threads, "batch", k->batch, "seconds", c->seconds,
        "failed", c->failed, "interrupted", *c->interrupted != 0, "images", c->rows);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    if (!text)
        return error_set(e, "no memory for the result");
    puts(text);
    free(text);
    return true;
}

static void print_summary(const struct classification *c)
{
    const struct classifier *k = &c->classifier;
    printf("%d image%s in %.2f s, %.1f a second, by %s (%s) on %s, %d thread%s", c->done,
           c->done == 1 ? "" : "s", c->seconds, c->done / c->seconds, k->model.net.name,
           k->model.net.variant, k->set->name, k->threads, k->threads == 1 ? "" : "s");
    if (c->failed > 0)
        printf("; %d could not be read", c->failed);
    printf("\n");
}

/* Returns the exit status; `e` is set unless it is 0 or the failures were reported already. */
static int classify(struct classification *c, struct error *e)
{
    int status = classifier_open(&c->classifier, &c->options.classifier, e);
    if (status != 0)
        return status;
    e->text[0] = '\0';
    if (!labels_read(&c->labels, c->options.labels, c->classifier.file.network.net.classes, e) ||
        !collect_images(c, e) || !prepare(c, e))
        return 1;
    c->interrupted = interrupt_watch();
    classify_all(c);
    if (!c->rows)
        print_summary(c);
    else if (!print_json(c, e))
        return 1;
    if (fflush(stdout) != 0 || ferror(stdout))
        return !error_set(e, "cannot write to standard output: %s", strerror(errno));
    if (*c->interrupted)
        return !error_set(e, "interrupted after %d of %d images", c->done, c->list.count);
    return c->failed > 0;
}

static void release(struct classification *c)
{
    decoder_free(c->decoder);
    classifier_free(&c->classifier);
    labels_free(&c->labels);
    image_list_free(&c->list);
    json_decref(c->rows);
    free(c->top);
    free(c->waiting);
}

int cmd_classify(int argc, char **argv)
{
    static struct classification c;
    struct error e = {{0}};
    int status = classify_options_parse(argc, argv, &c.options, &e);
    if (status == 1) {
        status = fputs(classify_options_help, stdout) < 0 || fflush(stdout) != 0;
        if (status)
            error_set(&e, "cannot write to standard output: %s", strerror(errno));
    } else if (status == 0) {
        status = classify(&c, &e);
    }
    if (*e.text)
        fprintf(stderr, "resmark classify: %s\n", e.text);
    release(&c);
    return status;
}
