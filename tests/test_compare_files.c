/** Comparisons of result files that are made up, so that what is true of them is known. */
#include "harness/compare/compare_files.h"
#include "harness/measure/stats.h"
#include "tests/result_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

#define MAX_FILES 4

static char directory[32];
static char names[MAX_FILES][64];
static char *paths[MAX_FILES];

static void setup(void)
{
    strcpy(directory, "/tmp/resmark-compare-XXXXXX");
    cr_assert(mkdtemp(directory));
    for (int i = 0; i < MAX_FILES; i++) {
        snprintf(names[i], sizeof names[i], "%s/%d.json", directory, i);
        paths[i] = names[i];
    }
}

static void teardown(void)
{
    for (int i = 0; i < MAX_FILES; i++)
        unlink(names[i]);
    rmdir(directory);
}

TestSuite(compare_files, .timeout = 120, .init = setup, .fini = teardown);

static void write_json(int file, json_t *root)
{
    cr_assert_eq(json_dump_file(root, names[file], 0), 0);
    json_decref(root);
}

static void make(int file, int version, double slower, double clock)
{
    write_json(file, fixture_result(&(struct fixture_options){version, slower, clock, 0.001}));
}

static const struct file_options usual = {.between_runs = 0.01};

static void compare(struct file_comparison *c, int count, const struct file_options *options)
{
    struct error e = {""};
    cr_assert(compare_files(c, paths, (size_t)count, options, &e), "%s", e.text);
    cr_assert_eq(c->file_count, (size_t)count - 1);
}

/** All rows and layers of a file have the same outcome. */
static void expect_outcome(const struct compared_file *file, enum outcome whole, enum outcome layer)
{
    for (int i = 0; i < file->row_count; i++) {
        const struct file_row *row = &file->rows[i];
        cr_expect_eq(row->total.outcome, whole, "row %d: %s, p %g", i,
                     outcome_name(row->total.outcome), row->total.p);
        for (int k = 0; k < row->layer_count; k++)
            cr_expect_eq(row->layers[k].outcome, layer, "layer %d: %s, p %g", k,
                         outcome_name(row->layers[k].outcome), row->layers[k].p);
    }
}

Test(compare_files, slower_and_faster)
{
    struct file_comparison c;
    make(0, 2, 1, 2);
    make(1, 2, 1.3, 2);
    make(2, 2, 0.7, 2);
    make(3, 2, 1, 2);
    compare(&c, 4, &usual);
    cr_expect_eq(c.files[0].row_count, 3);
    cr_expect_eq(c.files[0].rows[0].layer_count, FIXTURE_LAYERS);
    cr_expect_eq(c.files[0].rows[1].layer_count, 0, "cold caches have no layers");
    cr_expect_eq(c.comparisons, (size_t)3 * (3 + 2 * FIXTURE_LAYERS));
    expect_outcome(&c.files[0], OUTCOME_SLOWER, OUTCOME_SLOWER);
    expect_outcome(&c.files[1], OUTCOME_FASTER, OUTCOME_FASTER);
    expect_outcome(&c.files[2], OUTCOME_SAME, OUTCOME_SAME);
    const struct file_figure *f = &c.files[0].rows[0].total;
    cr_expect_float_eq(f->normalised.ratio, 1.3, 1e-4);
    cr_expect_float_eq(f->absolute.ratio, 1.3, 1e-4);
    cr_expect_float_eq(f->cycles.ratio, 1.3, 1e-4);
    cr_expect(f->normalised.low < 1.28 && f->normalised.low > 1.2);
    cr_expect_float_eq(f->ms, 1.3 * FIXTURE_MS, 1e-4);
    file_comparison_free(&c);
}

/** A clock that is a quarter lower makes all slower, and takes itself out. */
Test(compare_files, drift_is_taken_out)
{
    struct file_comparison c;
    make(0, 2, 1, 2);
    make(1, 2, 1, 1.5);
    make(2, 2, 1.3, 1.5);
    compare(&c, 3, &usual);
    expect_outcome(&c.files[0], OUTCOME_SAME, OUTCOME_SAME);
    expect_outcome(&c.files[1], OUTCOME_SLOWER, OUTCOME_SLOWER);
    cr_expect_float_eq(c.files[0].rows[0].total.absolute.ratio, 4 / 3.0, 1e-4);
    cr_expect_float_eq(c.files[0].rows[0].total.normalised.ratio, 1, 1e-4);
    cr_expect_float_eq(c.files[0].rows[0].total.cycles.ratio, 1, 1e-4);
    cr_expect_float_eq(c.files[0].rows[0].layers[1].normalised.ratio, 1, 1e-4);
    cr_expect_float_eq(c.files[1].rows[0].total.normalised.ratio, 1.3, 1e-4);
    file_comparison_free(&c);
}

/** Version 1 has no intervals of layers, so that nothing can be said of them. */
Test(compare_files, version_1)
{
    struct file_comparison c;
    make(0, 1, 1, 2);
    make(1, 1, 1.3, 1.5);
    make(2, 2, 1.3, 1.5);
    compare(&c, 3, &usual);
    expect_outcome(&c.files[0], OUTCOME_SLOWER, OUTCOME_UNKNOWN);
    expect_outcome(&c.files[1], OUTCOME_SLOWER, OUTCOME_UNKNOWN);
    cr_expect_float_eq(c.files[0].rows[0].total.normalised.ratio, 1.3, 1e-4);
    cr_expect_eq(c.files[0].rows[0].layers[0].normalised.ratio, 0);
    file_comparison_free(&c);
}

/** What two runs of one thing differ by is no difference. */
Test(compare_files, between_runs)
{
    struct file_comparison c;
    make(0, 2, 1, 2);
    make(1, 2, 1.05, 2);
    compare(&c, 2, &usual);
    cr_expect_eq(c.files[0].rows[0].total.outcome, OUTCOME_SLOWER);
    cr_expect_eq(c.files[0].rows[0].layers[0].outcome, OUTCOME_SAME);
    file_comparison_free(&c);
    compare(&c, 2, &(struct file_options){.between_runs = 0.05});
    cr_expect_eq(c.files[0].rows[0].total.outcome, OUTCOME_SAME);
    file_comparison_free(&c);
}

/** Where in the file, what it becomes there, and what then differs. */
static const struct change {
    const char *object, *key, *json;
    bool refused;
    const char *what;
} changes[] = {
    {"machine", "cpu", "\"Other CPU\"", true, "CPU (Test CPU, Other CPU)"},
    {"machine", "allowed_cores", "1", true, "allowed cores (2, 1)"},
    {"machine", "huge_pages", "\"never\"", false, "huge pages"},
    {"network", "size", "64", true, "size of the image (32, 64)"},
    {"build", "executable_hash", "\"00000000000000dd\"", false, "build"},
    {"", "compiler", "\"clang\"", false, "compiler"},
    {"", "resmark_version", "\"0.2.0\"", false, "version"},
    {"end_to_end.0", "variant", "\"keras\"", true, "network variant (gluon, keras)"},
    {"end_to_end.0", "precision", "\"bf16\"", true, "precision (fp32, bf16)"},
    {"end_to_end.0", "plan_hash", "\"00000000000000ee\"", false, "plan"},
    {"end_to_end.0", "logits_hash", "\"00000000000000ee\"", false, "bits of the logits"},
    {"layers.1", "kernel", "\"other\"", false, "plan, first in conv1"},
};

static json_t *descend(json_t *at, const char *path)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *rest = copy, *key; *path && (key = strsep(&rest, ".")) != NULL;)
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(key)) : json_object_get(at, key);
    return at;
}

static void make_changed(int file, const struct change *change)
{
    json_t *root = fixture_result(&(struct fixture_options){.version = 2, .scatter = 0.001});
    json_t *object = descend(json_object_get(root, "resmark"), change->object);
    cr_assert(object, "%s", change->object);
    json_object_set_new(object, change->key, json_loads(change->json, JSON_DECODE_ANY, NULL));
    write_json(file, root);
}

Test(compare_files, differences)
{
    make(0, 2, 1, 2);
    for (int i = 0; i < COUNT(changes); i++) {
        struct file_comparison c;
        struct error e = {""};
        make_changed(1, &changes[i]);
        bool ok = compare_files(&c, paths, 2, &usual, &e);
        cr_expect_neq(ok, changes[i].refused, "%s", changes[i].what);
        cr_expect(ok || strstr(e.text, changes[i].what), "%s: %s", changes[i].what, e.text);
        file_comparison_free(&c);
        compare(&c, 2, &(struct file_options){.force = true, .between_runs = 0.01});
        cr_assert_geq(c.files[0].differences.count, 1, "%s", changes[i].what);
        const char *what = c.files[0].differences.list[0].what;
        cr_expect_eq(strncmp(changes[i].what, what, strlen(what)), 0, "%s", what);
        file_comparison_free(&c);
    }
}

/** A run that others disturbed is not called slower, unless one insists. */
Test(compare_files, suspect)
{
    struct file_comparison c;
    json_t *root = fixture_result(&(struct fixture_options){2, 1.3, 2, 0.001});
    json_t *row = descend(root, "resmark.end_to_end.0");
    json_object_set_new(row, "reasons",
                        json_loads("[{\"code\": \"clock_drift\", \"text\": \"x\"}, "
                                   "{\"code\": \"steal\", \"text\": \"y\"}]",
                                   0, NULL));
    make(0, 2, 1, 2);
    write_json(1, root);
    compare(&c, 2, &usual);
    cr_expect_str_eq(c.files[0].rows[0].suspect, "steal in B");
    cr_expect_eq(c.files[0].rows[0].total.outcome, OUTCOME_SUSPECT);
    cr_expect_eq(c.files[0].rows[0].layers[0].outcome, OUTCOME_SUSPECT);
    cr_expect_eq(c.files[0].rows[2].total.outcome, OUTCOME_SLOWER);
    file_comparison_free(&c);
    compare(&c, 2, &(struct file_options){.force = true, .between_runs = 0.01});
    cr_expect_eq(c.files[0].rows[0].total.outcome, OUTCOME_SLOWER);
    file_comparison_free(&c);
}

Test(compare_files, nothing_in_common)
{
    struct file_comparison c;
    struct error e = {""};
    json_t *root = fixture_result(&(struct fixture_options){.version = 2});
    json_t *rows = descend(root, "resmark.end_to_end"), *layers = descend(root, "resmark.layers"),
           *entry;
    size_t i;
    json_array_foreach(rows, i, entry) json_object_set_new(entry, "threads", json_integer(7));
    json_array_foreach(layers, i, entry) json_object_set_new(entry, "threads", json_integer(7));
    make(0, 2, 1, 2);
    write_json(1, root);
    cr_expect_not(compare_files(&c, paths, 2, &usual, &e));
    cr_expect(strstr(e.text, "no ISA, algorithms, threads and batch in common"), "%s", e.text);
    cr_expect(strstr(e.text, names[1]), "%s", e.text);
    file_comparison_free(&c);
}

/** What the repetitions of a made-up run were like. */
struct weather {
    double ms;       /**< of the fastest */
    double clean;    /**< the share of them that nothing slows; the others take up to twice that */
    double uneven;   /**< the share by which the clean ones scatter */
    double ceiling;  /**< GFLOP/s at 2 GHz */
    const char *why; /**< the code of a reason, or NULL */
};

/** 400 repetitions in the first row, slowed ones first and last. */
static json_t *weathered(const struct weather *w)
{
    json_t *root = fixture_result(&(struct fixture_options){.version = 2, .scatter = 0.001});
    json_t *row = descend(root, "resmark.end_to_end.0"), *lists[4];
    static const char *const keys[] = {"ms", "ceiling_gflops", "clock_ghz", "at_s"};
    double ms[400];
    for (int i = 0; i < 400; i++) {
        int place = (i * 37 + 200) % 400;
        bool clean = place < 400 * w->clean;
        ms[i] = w->ms * (clean ? 1 + w->uneven * place / 400 : 1.2 + 0.8 * place / 400);
    }
    for (int k = 0; k < 4; k++)
        lists[k] = json_array();
    for (int i = 0; i < 400; i++) {
        const double values[] = {ms[i], w->ceiling, 2, i};
        for (int k = 0; k < 4; k++)
            json_array_append_new(lists[k], json_real(values[k]));
    }
    for (int k = 0; k < 4; k++)
        json_object_set_new(json_object_get(row, "samples"), keys[k], lists[k]);
    double median = summarize(ms, 400).median;
    json_object_set_new(row, "median_ms", json_real(median));
    json_object_set_new(row, "ci_low_ms", json_real(median * 0.999));
    json_object_set_new(row, "ci_high_ms", json_real(median * 1.001));
    json_object_set_new(row, "ceiling_gflops", json_real(w->ceiling));
    json_object_set_new(row, "repetitions", json_integer(400));
    if (w->why)
        json_object_set_new(row, "reasons",
                            json_pack("[{s:s, s:s}]", "code", w->why, "text", "text"));
    return root;
}

static void compare_weather(struct file_comparison *c, const struct weather *a,
                            const struct weather *b)
{
    write_json(0, weathered(a));
    write_json(1, weathered(b));
    compare(c, 2, &usual);
}

static const struct weather fine = {0.5, 1, 0.001, 20, NULL};

/** Disturbances move the median by half, and leave the fastest repetitions alone. */
Test(compare_files, the_fastest_are_judged)
{
    struct file_comparison c;
    struct weather same = {0.5, 0.1, 0.001, 20, "others_on_cores"}, slower = same, faster = same;
    slower.ms *= 1.05;
    faster.ms /= 1.05;
    compare_weather(&c, &fine, &same);
    const struct file_figure *f = &c.files[0].rows[0].total;
    cr_expect_eq(f->outcome, OUTCOME_SAME);
    cr_expect_float_eq(f->normalised.ratio, 1, 0.001);
    cr_expect_float_eq(f->cycles.ratio, 1, 0.001);
    cr_expect(f->absolute.ratio > 1.4f, "%g", (double)f->absolute.ratio);
    cr_expect_str_empty(c.files[0].rows[0].suspect);
    file_comparison_free(&c);
    compare_weather(&c, &same, &slower);
    cr_expect_eq(c.files[0].rows[0].total.outcome, OUTCOME_SLOWER);
    file_comparison_free(&c);
    compare_weather(&c, &fine, &faster);
    cr_expect_eq(c.files[0].rows[0].total.outcome, OUTCOME_FASTER);
    file_comparison_free(&c);
}

/** Where even the fastest were disturbed, there is no verdict. */
Test(compare_files, disturbed_throughout)
{
    static const struct {
        struct weather weather;
        const char *suspect;
    } cases[] = {
        {{0.6, 1, 1, 20, NULL}, "not_settled in B"},
        {{0.6, 0.01, 0.001, 20, NULL}, "not_settled in B"},
        {{0.6, 1, 0.001, 19.8, NULL}, "core_shared in A or B"},
        {{0.6, 1, 0.001, 20.2, NULL}, "core_shared in A or B"},
        {{0.6, 1, 0.001, 20, "migrations"}, "migrations in B"},
        {{0.6, 1, 0.001, 20, "above_ceiling"}, "above_ceiling in B"},
        {{4, 1, 0.001, 20, "others_on_cores"}, "others_on_cores in B"},
        {{4, 1, 0.001, 20, "steal"}, "steal in B"},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        struct file_comparison c;
        compare_weather(&c, &fine, &cases[i].weather);
        cr_expect_str_eq(c.files[0].rows[0].suspect, cases[i].suspect, "%d: %s", i,
                         c.files[0].rows[0].suspect);
        cr_expect_eq(c.files[0].rows[0].total.outcome, OUTCOME_SUSPECT, "%d", i);
        file_comparison_free(&c);
    }
    struct file_comparison c;
    compare_weather(&c, &cases[0].weather, &cases[1].weather);
    cr_expect_str_eq(c.files[0].rows[0].suspect, "not_settled in A and B");
    file_comparison_free(&c);
    compare_weather(&c, &fine, &(struct weather){4, 1, 1, 20, NULL});
    cr_expect_str_empty(c.files[0].rows[0].suspect, "long repetitions need not agree");
    file_comparison_free(&c);
}

/** A layer of a fifth more is slower where nothing disturbed its row; and a short one is not. */
Test(compare_files, layers_and_disturbance)
{
    static const struct {
        double clean, ms;
        enum outcome outcome;
    } cases[] = {{1, 2, OUTCOME_SLOWER}, {1, 0.01, OUTCOME_SAME}, {0.1, 2, OUTCOME_SAME}};
    for (int i = 0; i < COUNT(cases); i++) {
        struct file_comparison c;
        struct weather weather = fine;
        weather.clean = cases[i].clean;
        for (int side = 0; side < 2; side++) {
            json_t *root = weathered(&weather), *layer = descend(root, "resmark.layers.0");
            double ms = cases[i].ms * (side ? 1.25 : 1);
            const char *const keys[] = {"ci_low_ms",       "median_ms",       "ci_high_ms",
                                        "relative_ci_low", "relative_median", "relative_ci_high"};
            for (int k = 0; k < 6; k++)
                json_object_set_new(layer, keys[k], json_real(ms * (k < 3 ? 1 : 20)));
            write_json(side, root);
        }
        compare(&c, 2, &usual);
        cr_expect_eq(c.files[0].rows[0].layers[0].outcome, cases[i].outcome, "%d: p %g", i,
                     c.files[0].rows[0].layers[0].p);
        file_comparison_free(&c);
    }
}
