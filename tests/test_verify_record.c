/** Verify files: what two machines computed, written, read back, refused and compared. */
#include "harness/verify/against.h"
#include "harness/verify/record_file.h"
#include "harness/whole_file.h"
#include "tests/verify_fixture.h"

#include <float.h>
#include <math.h>
#include <unistd.h>

TestSuite(verify_record, .timeout = 120);

static void fill(struct record *r)
{
    *r = (struct record){.resmark_version = "1.2.3",
                         .compiler = "gcc 99",
                         .cpu = "A CPU",
                         .architecture = "x86-64",
                         .network = "resnet18_v2",
                         .variant = "gluon",
                         .classes = 1000,
                         .size = 32,
                         .batch = 1,
                         .seed = UINT64_MAX};
}

/** A record of what is in the scene's snapshot now, with one run that agrees. */
static void make_record(struct record *r, struct scene *s)
{
    struct error e;
    fill(r);
    for (int i = 0; i < s->bits.snapshot.steps; i++) {
        struct snapshot_step *step = &s->bits.snapshot.step[i];
        step->hash = hash_outputs(&step->sum, &step->act, 1);
    }
    struct record_model *m = record_add(r, &s->subject.model, &s->bits.snapshot, &e);
    cr_assert(m, "%s", e.text);
    uint64_t *hashes = calloc((size_t)m->layer_count, sizeof *hashes);
    for (int i = 0; i < m->layer_count; i++)
        hashes[i] = m->layers[i].hash;
    cr_assert(record_add_run(m, ISA_SCALAR, 1, hashes, &e), "%s", e.text);
    free(hashes);
}

static struct against_result compare(struct scene *s, const struct record *there)
{
    struct record here;
    make_record(&here, s);
    struct against_result r = against_compare(&here.models[0], &there->models[0]);
    record_free(&here);
    return r;
}

/** Makes every value of a layer another one whose row and column are at least these. */
static void change(struct scene *s, const char *layer, int channel, int row, int column)
{
    const struct tensor *t = snapshot_output(&s->bits.snapshot.step[scene_step(s, layer)]);
    for (int c = channel < 0 ? 0 : channel; c < (channel < 0 ? t->channels : channel + 1); c++) {
        for (int y = row; y < t->height; y++) {
            for (int x = column; x < t->width; x++) {
                float *value = t->data + difference_offset(t, 0, c, y, x);
                *value = nextafterf(*value, INFINITY);
            }
        }
    }
}

Test(verify_record, survives_a_file)
{
    struct scene s;
    struct record record, back;
    struct error e;
    char path[] = "/tmp/resmark-verify-XXXXXX";
    close(mkstemp(path));
    scene_make(&s, ALGO_WINOGRAD2, 1);
    make_record(&record, &s);
    cr_assert(record_file_write(&record, path, &e), "%s", e.text);
    cr_assert(record_file_read(&back, path, &e), "%s", e.text);
    cr_expect_str_eq(back.resmark_version, record.resmark_version);
    cr_expect_str_eq(back.compiler, record.compiler);
    cr_expect_str_eq(back.cpu, record.cpu);
    cr_expect_str_eq(back.architecture, record.architecture);
    cr_expect_str_eq(back.network, record.network);
    cr_expect_eq(back.seed, record.seed);
    cr_expect_eq(back.size, 32);
    cr_expect_str_eq(back.models[0].name, "winograd2");
    cr_expect_eq(back.models[0].run_count, 1);
    for (int i = 0; i < record.models[0].layer_count; i++) {
        struct record_layer *a = &record.models[0].layers[i], *b = &back.models[0].layers[i];
        cr_expect_str_eq(a->name, b->name);
        cr_expect_arr_eq(a->bands, b->bands, record_bands(&a->shape) * sizeof *a->bands);
        cr_expect_arr_eq(a->samples, b->samples, sizeof a->samples);
    }
    struct against_result r = against_compare(&record.models[0], &back.models[0]);
    cr_expect_eq(r.kind, AGAINST_EQUAL);
    cr_expect_eq(r.equal, record.models[0].layer_count);
    record_free(&back);
    record_free(&record);
    scene_free(&s);
    unlink(path);
}

Test(verify_record, says_how_values_differ)
{
    struct scene s;
    struct record there;
    scene_make(&s, ALGO_DIRECT, 1);
    make_record(&there, &s);
    change(&s, "stage4_conv2", 500, 0, 0);
    struct against_result r = compare(&s, &there);
    cr_expect_eq(r.kind, AGAINST_OTHER_VALUES);
    cr_expect_eq(r.layer, scene_step(&s, "stage4_conv2"));
    cr_expect_eq(r.equal, there.models[0].layer_count - 1);
    cr_expect_str_eq(r.how, "one value: channel 500, the only row, the only column");
    change(&s, "stage1_conv1", -1, 0, 7);
    r = compare(&s, &there);
    cr_expect_eq(r.layer, scene_step(&s, "stage1_conv1"));
    cr_expect(strstr(r.how, "a tile's edge: all channels, all rows, column 7 of 8"), "%s", r.how);
    change(&s, "stage1_conv0", -1, 0, 0);
    r = compare(&s, &there);
    cr_expect_eq(r.layer, scene_step(&s, "stage1_conv0"));
    cr_expect(strstr(r.how, "everything: all channels, all rows, all columns; channel "), "%s",
              r.how);
    record_free(&there);
    scene_free(&s);
}

Test(verify_record, tells_causes_apart)
{
    struct scene s;
    struct record there;
    scene_make(&s, ALGO_DIRECT, 1);
    make_record(&there, &s);
    struct record_model *m = &there.models[0];
    int step = scene_step(&s, "stage2_conv1");
    m->layers[step].weights++;
    cr_expect_eq(compare(&s, &there).kind, AGAINST_OTHER_WEIGHTS);
    snprintf(m->layers[step].algo, sizeof m->layers[step].algo, "winograd4");
    struct against_result r = compare(&s, &there);
    cr_expect_eq(r.kind, AGAINST_OTHER_PLAN);
    cr_expect_str_eq(r.how, "another plan: it is computed by direct here and by winograd4 there");
    cr_expect_eq(r.layer, step);
    m->layers[step].shape.height++;
    cr_expect_eq(compare(&s, &there).kind, AGAINST_OTHER_LAYERS);
    m->layer_count--;
    cr_expect_eq(compare(&s, &there).kind, AGAINST_OTHER_LAYERS);
    m->layer_count++;
    record_free(&there);
    make_record(&there, &s);
    uint64_t *hashes = calloc((size_t)m->layer_count, sizeof *hashes);
    m->runs[0].hashes = hashes;
    r = compare(&s, &there);
    cr_expect_eq(r.kind, AGAINST_OTHER_RUN);
    cr_expect_str_eq(r.how, "scalar on 1 computed other bits there than scalar did");
    record_free(&there);
    scene_free(&s);
}

Test(verify_record, reports_a_model_that_is_not_there)
{
    struct scene s;
    struct error e;
    struct record here, there;
    scene_make(&s, ALGO_DIRECT, 1);
    make_record(&here, &s);
    make_record(&there, &s);
    cr_expect(against_report(&here, &there, NULL, &e));
    snprintf(there.models[0].name, sizeof there.models[0].name, "other");
    cr_expect_not(against_report(&here, &there, NULL, &e));
    cr_expect_str_eq(e.text, "other: it was not computed here");
    record_free(&here);
    record_free(&there);
    scene_free(&s);
}

#define LAYER(bands, samples)                                                                      \
    "{\"name\":\"l\",\"algo\":\"-\",\"channels\":1,\"height\":1,\"width\":1,"                      \
    "\"weights\":\"0000000000000000\",\"output\":\"0123456789abcdef\",\"bands\":\"" bands          \
    "\",\"samples\":\"" samples "\"}"
#define EIGHT(x) x x x x x x x x
#define GOOD_LAYER LAYER("0123456789abcdef", EIGHT("3f800000"))
#define RUN "{\"isa\":\"neon\",\"threads\":2}"
#define MODEL(runs, layers) "{\"name\":\"direct\",\"runs\":[" runs "],\"layers\":[" layers "]}"
#define FILE_OF(version, size, models)                                                             \
    "{\"format\":\"resmark verify file\",\"version\":" version ",\"resmark_version\":\"1\","       \
    "\"compiler\":\"c\",\"cpu\":\"p\",\"architecture\":\"a\",\"network\":{\"name\":\"n\","         \
    "\"variant\":\"v\",\"classes\":10,\"size\":" size ",\"batch\":1,"                              \
    "\"seed\":\"0000000000000001\"},\"models\":[" models "]}"

static void refuse(const char *text, size_t size, const char *why)
{
    struct record r;
    struct error e = {""};
    cr_expect_not(record_decode(&r, text, size, "f", &e));
    cr_expect(strstr(e.text, "cannot use the verify file f: ") == e.text && strstr(e.text, why),
              "%s: %s", why, e.text);
}

Test(verify_record, refuses_bad_files)
{
    static const char good[] = FILE_OF("1", "32", MODEL(RUN, GOOD_LAYER));
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"[]", "it is no verify file"},
        {FILE_OF("2", "32", MODEL(RUN, GOOD_LAYER)), "format version 2"},
        {FILE_OF("1", "31", MODEL(RUN, GOOD_LAYER)), "\"size\" is 31, not 32 to 4096"},
        {FILE_OF("1", "32", ""), "\"models\" has 0 entries"},
        {FILE_OF("1", "32", MODEL(RUN, "")), "direct: \"layers\" has 0 entries"},
        {FILE_OF("1", "32", MODEL("", GOOD_LAYER)), "direct: \"runs\" has 0 entries"},
        {FILE_OF("1", "32", MODEL(RUN, LAYER("0123", EIGHT("3f800000")))), "l: \"bands\""},
        {FILE_OF("1", "32", MODEL(RUN, LAYER("0123456789abcdeg", EIGHT("3f800000")))),
         "\"bands\" is missing or not of 16 hexadecimal digits"},
        {FILE_OF("1", "32", MODEL(RUN, LAYER("0123456789abcdef", ""))), "\"samples\""},
        {FILE_OF("1", "32", MODEL("{\"isa\":\"mmx\",\"threads\":2}", GOOD_LAYER)), "'mmx'"},
        {FILE_OF("1", "32",
                 MODEL("{\"isa\":\"neon\",\"threads\":2,\"hashes\":[\"12\"]}", GOOD_LAYER)),
         "runs: \"hashes\" has an entry"},
        {FILE_OF("1", "32", MODEL("{\"isa\":\"neon\",\"threads\":2,\"hashes\":[]}", GOOD_LAYER)),
         "\"hashes\" has 0 entries, not 1 to 1"},
    };
    struct record r;
    struct error e;
    cr_assert(record_decode(&r, good, strlen(good), "f", &e), "%s", e.text);
    cr_expect_eq(r.models[0].runs[0].isa, ISA_NEON);
    record_free(&r);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(bad[i].text, strlen(bad[i].text), bad[i].why);
    for (size_t length = 0; length < sizeof good - 1; length++)
        refuse(good, length, "it is damaged or cut off in line ");
}

static void expect_pattern(const int first[PATTERN_AXES], const int end[PATTERN_AXES],
                           const char *text)
{
    char got[192];
    static struct pattern p;
    struct tensor t = tensor_blocked(64, 56, 28, 0);
    pattern_clear(&p, &t);
    for (int axis = 0; axis < PATTERN_AXES; axis++) {
        for (int i = first[axis]; i < end[axis]; i++)
            p.marked[axis][i] = true;
    }
    pattern_describe(&p, got, sizeof got);
    cr_expect_str_eq(got, text);
}

Test(verify_record, patterns)
{
    expect_pattern((int[]){0, 0, 0, 0}, (int[]){0, 0, 0, 0}, "nothing");
    expect_pattern((int[]){3, 2, 5, 7}, (int[]){4, 3, 6, 8},
                   "one value: channel 35, row 5 of 56, column 7 of 28");
    expect_pattern((int[]){0, 0, 0, 0}, (int[]){16, 4, 56, 28},
                   "everything: all channels, all rows, all columns");
    expect_pattern((int[]){0, 0, 54, 0}, (int[]){16, 4, 56, 28},
                   "a tile's edge: all channels, rows 54 to 55 of 56, all columns");
    expect_pattern((int[]){0, 3, 0, 0}, (int[]){16, 4, 56, 28},
                   "a tile's edge: channels 48 to 63 of 64, all rows, all columns");
    expect_pattern((int[]){0, 1, 10, 0}, (int[]){2, 3, 20, 28},
                   "channels 16 to 47 of 64 (2 of each 16), rows 10 to 19 of 56, all columns");
}

Test(verify_record, differences)
{
    float a[2 * BLOCK] = {0}, b[2 * BLOCK] = {0};
    struct tensor x = tensor_blocked(2, 1, 2, 0), y = x;
    x.data = a;
    y.data = b;
    a[0] = NAN;
    b[0] = -NAN;
    b[BLOCK + 7] = 1; /* fills a block */
    struct difference d = difference_measure(&x, &y, 1, NULL);
    cr_expect(d.values == 4 && d.differing == 0 && d.max == 0);
    b[1] = -0.0F;
    d = difference_measure(&x, &y, 1, NULL);
    cr_expect(d.differing == 1 && d.max == 0 && d.max_ulps == 0 && d.worst.channel == 1);
    a[BLOCK] = 3;
    b[BLOCK] = nextafterf(nextafterf(3, 4), 4);
    d = difference_measure(&x, &y, 1, NULL);
    cr_expect(d.differing == 2 && d.max_ulps == 2 && d.worst.column == 1);
    cr_expect_float_eq(d.rms, d.max / 2, 1e-12);
    b[BLOCK + 1] = INFINITY;
    d = difference_measure(&x, &y, 1, NULL);
    cr_expect(isinf(d.max) && isinf(d.max_ulps) && isinf(d.rms));
    cr_expect_eq(difference_ulps(FLT_TRUE_MIN, -FLT_TRUE_MIN), 2);
}
