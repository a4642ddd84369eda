/**
 * A network that was really trained, on images that it has not seen (scripts/train-digits): the
 * whole path from weights file and PNG to label and logits, against PyTorch's.
 */
#include "harness/classify/classifier.h"
#include "harness/classify/decoder.h"
#include "harness/input.h"
#include "harness/oracle.h"
#include "harness/top_classes.h"
#include "tests/slow_build.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHTS TESTS_DIRECTORY "/digits/digits.safetensors"

enum { CLASSES = 10, SIZE = 32, BATCH = 4 };

TestSuite(digits, .timeout = 300);

/** What PyTorch says of an image, the logits in double precision. */
struct expected {
    char path[PATH_MAX];
    int digit, label;
    double logits[CLASSES];
};

static struct expected *read_expected(int *count)
{
    json_error_t why;
    json_t *rows = json_load_file(TESTS_DIRECTORY "/digits/expected.json", 0, &why);
    cr_assert(rows, "%s", why.text);
    *count = (int)json_array_size(rows);
    struct expected *expected = calloc((size_t)*count, sizeof *expected);
    cr_assert(expected);
    for (int i = 0; i < *count; i++) {
        const json_t *row = json_array_get(rows, (size_t)i),
                     *logits = json_object_get(row, "logits");
        struct expected *x = &expected[i];
        snprintf(x->path, sizeof x->path, "%s/digits/%s", TESTS_DIRECTORY,
                 json_string_value(json_object_get(row, "file")));
        x->digit = (int)json_integer_value(json_object_get(row, "digit"));
        x->label = (int)json_integer_value(json_object_get(row, "label"));
        cr_assert_eq(json_array_size(logits), CLASSES);
        for (size_t k = 0; k < CLASSES; k++)
            x->logits[k] = json_number_value(json_array_get(logits, k));
    }
    json_decref(rows);
    return expected;
}

static void start(struct classifier *c, const char *isa, enum algo algo)
{
    const struct classifier_options options = {
        .weights = WEIGHTS, .isa = isa, .algo = algo, .threads = 1, .batch = BATCH};
    struct error e;
    cr_assert_eq(classifier_open(c, &options, &e), 0, "%s", e.text);
    cr_assert_str_eq(c->file.network.net.name, "resnet14_v2_digits");
    cr_assert(classifier_start(c, &e), "%s", e.text);
}

static void read_image(const char *path, const struct pixel_table *table, float *pixels)
{
    struct image picture;
    struct error e;
    cr_assert(image_read(&picture, path, &e), "%s", e.text);
    cr_assert(preprocess(&picture, SIZE, table, pixels, (size_t)SIZE * 3, &e), "%s", e.text);
    image_free(&picture);
}

/** The bound on a float32 engine's error; and the float64 logits must be PyTorch's. */
static void oracle_bounds(const struct classifier *c, const struct expected *x, const float *pixels,
                          const enum algo *algos, double *bounds)
{
    struct param_source source = weights_file_source(&c->file);
    const struct oracle_options options = {.threads = 1, .algos = algos};
    struct oracle_result r;
    struct error e;
    cr_assert(oracle_run(&c->model.net, &source, pixels, &options, &r, &e), "%s", e.text);
    for (int k = 0; k < CLASSES; k++) {
        cr_expect_float_eq(r.logits[k], x->logits[k], 1e-12, "%s: float64 logit %d", x->path, k);
        bounds[k] = r.bounds[k];
    }
    oracle_free(&r);
}

static enum algo *algos_of(const struct model *model)
{
    enum algo *algos = calloc((size_t)model->net.node_count, sizeof *algos);
    cr_assert(algos);
    for (int i = 0; i < model->steps.count; i++)
        algos[model->steps.step[i].node] = model->steps.step[i].algo;
    return algos;
}

static void check_image(const struct classifier *c, int i, const struct expected *x,
                        const double *bounds)
{
    int top;
    const struct tensor *t = plan_logits(&c->plan);
    const float *logits = t->data + (size_t)i * t->image_stride;
    cr_expect_eq(top_classes(classifier_output(c, i), CLASSES, 1, &top), 1);
    cr_expect_eq(top, x->label, "%s: %d on %s", x->path, top, c->set->name);
    for (int k = 0; k < CLASSES; k++) {
        double error = fabs((double)logits[k] - x->logits[k]);
        cr_expect(error <= bounds[k], "%s: logit %d on %s errs by %g of %g", x->path, k,
                  c->set->name, error, bounds[k]);
    }
}

static void find_bounds(const struct classifier *c, const struct expected *expected, int count,
                        double (*bounds)[CLASSES])
{
    struct pixel_table table;
    float pixels[SIZE * SIZE * 3];
    enum algo *algos = algos_of(&c->model);
    pixel_table_init(&table, c->model.net.pixels, NULL);
    for (int i = 0; i < count; i++) {
        read_image(expected[i].path, &table, pixels);
        oracle_bounds(c, &expected[i], pixels, algos, bounds[i]);
    }
    free(algos);
}

static void check_all(struct classifier *c, const struct expected *expected, int count,
                      double (*bounds)[CLASSES])
{
    struct pixel_table table;
    float pixels[SIZE * SIZE * 3];
    input_table(&c->model, &table);
    for (int first = 0; first + BATCH <= count; first += BATCH) {
        for (int i = 0; i < BATCH; i++) {
            read_image(expected[first + i].path, &table, pixels);
            classifier_set(c, i, pixels);
        }
        classifier_run(c);
        for (int i = 0; i < BATCH; i++)
            check_image(c, i, &expected[first + i], bounds[first + i]);
    }
}

/** With all images, or a few. */
static void check_every_isa(enum algo algo, bool all)
{
    int count;
    struct expected *expected = read_expected(&count);
    struct cpu cpu;
    struct isa_list isas;
    struct error e;
    cpu_detect(&cpu);
    cr_assert(isa_select(&cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), NULL, &isas, &e));
    cr_assert_eq(count % BATCH, 0);
    if (SLOW_BUILD || !all)
        count = 4 * BATCH;
    double(*bounds)[CLASSES] = calloc((size_t)count, sizeof *bounds);
    cr_assert(bounds);
    for (int i = 0; i < isas.count; i++) {
        struct classifier c;
        start(&c, isa_name(isas.isas[i]), algo);
        if (i == 0)
            find_bounds(&c, expected, count, bounds);
        check_all(&c, expected, count, bounds);
        classifier_free(&c);
    }
    free(bounds);
    free(expected);
}

Test(digits, direct_is_pytorch)
{
    check_every_isa(ALGO_DIRECT, true);
}

Test(digits, winograd_is_pytorch)
{
    check_every_isa(ALGO_AUTO, true);
}

/** They serve what Winograd does not: the strides, the stem and the 1x1 convolutions. */
Test(digits, others_are_pytorch)
{
    check_every_isa(ALGO_POLYPHASE2, false);
    check_every_isa(ALGO_POLYPHASE4, false);
    check_every_isa(ALGO_STRASSEN, false);
}

/** The labels could agree for no reason if the network knew nothing. */
Test(digits, nearly_all_are_right)
{
    int count, right = 0;
    struct expected *expected = read_expected(&count);
    for (int i = 0; i < count; i++)
        right += expected[i].label == expected[i].digit;
    cr_expect_eq(count, 100);
    cr_expect_geq(right, 98, "%d of %d", right, count);
    free(expected);
}
