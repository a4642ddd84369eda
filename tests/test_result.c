/** Result files: both versions read, everything else refused in one line that says where and why.
 */
#include "harness/result/result.h"
#include "tests/result_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

TestSuite(result, .timeout = 120);

static bool parse(struct result *r, const json_t *root, struct error *e)
{
    char *text = json_dumps(root, JSON_INDENT(1));
    cr_assert(text);
    bool ok = result_parse(r, text, strlen(text), e);
    free(text);
    return ok;
}

static void make(struct result *r, int version)
{
    struct error e = {""};
    json_t *root = fixture_result(&(struct fixture_options){.version = version, .scatter = 0.01});
    cr_assert(parse(r, root, &e), "version %d: %s", version, e.text);
    json_decref(root);
}

static void expect_common(const struct result *r)
{
    const struct result_row *row = &r->end_to_end[r->row_count - 1];
    cr_expect_str_eq(r->machine.cpu, "Test CPU");
    cr_expect_str_eq(r->host, "test");
    cr_expect_eq(r->machine.allowed_cores, 2);
    cr_expect_eq(r->image_size, 32);
    cr_expect_float_eq(r->image_macs, FIXTURE_MACS, 1);
    cr_expect_str_eq(row->isa, "avx2");
    cr_expect_float_eq(row->median_ms, FIXTURE_MS, 1e-9);
    cr_expect_float_eq(row->first_ms, 3 * FIXTURE_MS, 1e-9);
    cr_expect_eq(row->logits_hash, 0xaa);
    cr_assert_eq(row->samples.count, FIXTURE_REPETITIONS);
    cr_expect_float_eq(row->samples.ms[1], FIXTURE_MS * 0.995, 1e-9);
    cr_assert_eq(row->layer_count, FIXTURE_LAYERS);
    cr_expect_str_eq(row->layers[2].name, "conv2");
    cr_expect_str_eq(row->layers[2].kernel, "conv_mk_6x16");
    cr_expect_eq(row->layers[2].cout, 64);
}

Test(result, version_1)
{
    struct result r;
    make(&r, 1);
    cr_assert_eq(r.row_count, 2);
    expect_common(&r);
    cr_expect_eq(r.executable_hash, 0);
    const struct result_row *row = &r.end_to_end[0];
    cr_expect_str_eq(row->verdict, "SUSPECT");
    cr_assert_eq(row->reasons.count, 1);
    cr_expect_str_eq(row->reasons.list[0].text, "under 6 repetitions");
    cr_expect_null(row->samples.ceiling_gflops);
    cr_expect_eq(row->layers[0].ci_high_ms, 0);
    result_free(&r);
}

Test(result, version_2)
{
    struct result r;
    make(&r, 2);
    cr_assert_eq(r.row_count, 3);
    expect_common(&r);
    cr_expect_eq(r.executable_hash, 0xcc);
    cr_expect_str_eq(r.end_to_end[0].verdict, "VALID");
    cr_expect_eq(r.end_to_end[0].reasons.count, 0);
    cr_assert_eq(r.end_to_end[0].notes.count, 1);
    cr_expect_str_eq(r.end_to_end[0].notes.list[0].code, "turbo");
    cr_expect_eq(r.end_to_end[0].floor_ms, 0, "null is not measured");
    cr_expect_str_eq(r.end_to_end[1].cache, "cold");
    cr_expect_eq(r.end_to_end[1].layer_count, 0);
    const struct result_row *row = &r.end_to_end[2];
    cr_expect_eq(row->plan_hash, 0x0123456789abcdef);
    cr_expect_eq(row->samples.clock_ghz[7], 2);
    cr_expect_eq(row->samples.ceiling_gflops[7], 20);
    cr_expect_float_eq(row->layers[1].relative_ci_high, FIXTURE_MS / 3 * 20 * 1.005, 1e-9);
    cr_expect_str_eq(row->layers[1].floor_level, "L2");
    cr_assert_eq(r.ceilings.fma_count, 1);
    cr_expect_eq(r.ceilings.fma[0].gflops, 20);
    cr_assert_eq(r.ceilings.bandwidth_count, 1);
    cr_expect_str_eq(r.ceilings.bandwidth[0].level, "L1");
    result_free(&r);
}

/** No beginning of a file is a result, and none crashes or leaks. */
Test(result, truncated_at_every_byte)
{
    for (int version = 1; version <= 2; version++) {
        json_t *root = fixture_result(&(struct fixture_options){.version = version});
        char *text = json_dumps(root, JSON_INDENT(1));
        json_decref(root);
        for (size_t cut = 0; cut < strlen(text); cut++) {
            struct result r;
            struct error e = {""};
            char *part = malloc(cut + 1); /* of its own, so that reading behind it is noticed */
            memcpy(part, text, cut);
            cr_assert_not(result_parse(&r, part, cut, &e), "%zu bytes", cut);
            cr_assert(strstr(e.text, "damaged or cut off"), "%s", e.text);
            result_free(&r);
            free(part);
        }
        free(text);
    }
}

/** A value somewhere in the file, what is put there instead, and what the message must say. */
struct change {
    int version;
    const char *object; /**< keys and indices separated by dots */
    const char *key;
    const char *json; /**< NULL: taken away */
    const char *reason;
};

static json_t *descend(json_t *at, const char *path)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *rest = copy, *key; *path && (key = strsep(&rest, ".")) != NULL;)
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(key)) : json_object_get(at, key);
    cr_assert(at, "%s", path);
    return at;
}

static json_t *changed(const struct change *c)
{
    json_t *root = fixture_result(&(struct fixture_options){.version = c->version});
    json_t *object = descend(root, c->object);
    if (json_is_array(object) && c->json)
        json_array_set_new(object, (size_t)atoi(c->key),
                           json_loads(c->json, JSON_DECODE_ANY, NULL));
    else if (json_is_array(object))
        json_array_remove(object, (size_t)atoi(c->key));
    else if (c->json)
        json_object_set_new(object, c->key, json_loads(c->json, JSON_DECODE_ANY, NULL));
    else
        json_object_del(object, c->key);
    return root;
}

static const struct change damages[] = {
    {1, "", "resmark", NULL, "it is no result file: it has no \"resmark\" object"},
    {1, "", "resmark", "[]", "it is no result file"},
    {1, "resmark", "version", "3",
     "it is of format version 3, and this resmark reads up to 2: use"},
    {1, "resmark", "version", "0", "\"version\" is missing or no version"},
    {1, "resmark", "version", "\"1\"", "\"version\" is missing or no version"},
    {1, "resmark", "compiler", "7", "resmark: \"compiler\" is missing or no text"},
    {1, "resmark", "machine", NULL, "resmark: machine: \"cpu\" is missing or no text"},
    {1, "resmark.machine", "cpu", "\"\\u001b[31m\"",
     "machine: \"cpu\" has characters that are not"},
    {1, "resmark.machine", "cores", "0", "machine: \"cores\" is 0, not 1 to"},
    {1, "context", "host_name", "[]", "context: \"host_name\" is missing or no text"},
    {1, "resmark", "end_to_end", "[]", "resmark: \"end_to_end\" has 0 entries, not 1 to"},
    {1, "resmark", "end_to_end", NULL, "resmark: \"end_to_end\" is missing or no list"},
    {1, "resmark.end_to_end", "1", "null", "resmark.end_to_end[1]: \"network\" is missing"},
    {1, "resmark.end_to_end.1", "median_ms", NULL, "end_to_end[1]: \"median_ms\" is missing or no"},
    {1, "resmark.end_to_end.1", "median_ms", "\"3\"", "\"median_ms\" is missing or no number"},
    {1, "resmark.end_to_end.1", "median_ms", "0", "\"median_ms\" is 0, not at least 1e-09"},
    {1, "resmark.end_to_end.1", "median_ms", "-1.5", "\"median_ms\" is -1.5, not at least 1e-09"},
    {1, "resmark.end_to_end.0", "ci_low_ms", "4", "the median 3.5 is outside of its interval, 4"},
    {1, "resmark.end_to_end.0", "ci_high_ms", "3", "outside of its interval"},
    {1, "resmark.end_to_end.0", "threads", "1.5", "\"threads\" is missing or no whole number"},
    {1, "resmark.end_to_end.0", "batch", "1e300", "\"batch\" is missing or no whole number"},
    {1, "resmark.end_to_end.0", "batch", "9223372036854775807", "\"batch\" is 9223372036854775807"},
    {1, "resmark.end_to_end.0", "verdict", "\"GOOD: yes\"",
     "none of VALID, SUSPECT, INVALID: GOOD"},
    {1, "resmark.end_to_end.0", "logits_hash", "\"12\"", "\"logits_hash\" is not of 16"},
    {1, "resmark.end_to_end.0", "repetitions", "7", "benchmarks[7]: it is repetition 7 of"},
    {1, "resmark.end_to_end.1", "repetitions", "9", "repetitions of resnet50_v2/avx2/auto"},
    {1, "resmark.end_to_end.1", "repetitions", "7", "there are more entries than repetitions"},
    {1, "resmark.end_to_end.1", "repetitions", "2147483647", "are missing"},
    {1, "", "benchmarks", NULL, "\"benchmarks\" is missing or no list"},
    {1, "benchmarks", "3", NULL, "benchmarks[3]: it is repetition 4 of"},
    {1, "benchmarks.3", "real_time", "true",
     "benchmarks[3]: \"real_time\" is missing or no number"},
    {1, "benchmarks.9", "run_name", "\"x\"", "benchmarks[9]: it is repetition 1 of x, where 1 of"},
    {1, "resmark", "layers", NULL, "resmark: \"layers\" is missing or no list"},
    {1, "resmark", "layers", "[]", "resmark: \"layers\" has 0 entries"},
    {1, "resmark.layers", "1", NULL, "are missing"},
    {1, "resmark.layers", "5", NULL, "are missing"},
    {1, "resmark.layers.4", "name", "\"conv0\"", "resmark.layers[4]: there are two layers conv0"},
    {1, "resmark.layers.4", "name", "\"convX\"", "layers[4]: it is convX, where the first row has"},
    {1, "resmark.layers.4", "isa", "\"scalar\"", "layers[4]: it is of resnet50_v2 on scalar"},
    {1, "resmark.layers.4", "macs", "1", "network 6000000: some are missing"},
    {1, "resmark.layers.4", "kernel", NULL, "layers[4]: \"kernel\" is missing or no text"},
    {2, "resmark", "status", "\"half\"", "\"status\" is neither complete nor interrupted: half"},
    {2, "resmark", "build", NULL, "resmark: build: \"type\" is missing or no text"},
    {2, "resmark.build", "executable_hash", "null", NULL},
    {2, "resmark.network", "macs", NULL, "resmark: network: \"macs\" is missing or no number"},
    {2, "resmark", "ceilings", NULL, "resmark.ceilings: \"fma\" is missing or no list"},
    {2, "resmark.ceilings.fma.0", "gflops", "null", "ceilings: fma[0]: \"gflops\" is missing"},
    {2, "resmark.ceilings.bandwidth.0", "level", "1", "bandwidth[0]: \"level\" is missing or no"},
    {2, "resmark.end_to_end.2", "verdict", "\"VALID: yes\"", "none of VALID, SUSPECT, INVALID"},
    {2, "resmark.end_to_end.2", "cache", NULL, "end_to_end[2]: \"cache\" is missing or no text"},
    {2, "resmark.end_to_end.2", "ceiling_gflops", "null", NULL},
    {2, "resmark.end_to_end.2", "first_ms", "null", NULL},
    {2, "resmark.end_to_end.2", "reasons", "{}", "\"reasons\" is missing or no list"},
    {2, "resmark.end_to_end.2", "reasons", "[{}]", "reasons[0]: \"code\" is missing or no text"},
    {2, "resmark.end_to_end.2", "samples", NULL, "end_to_end[2]: samples: \"ms\" is missing"},
    {2, "resmark.end_to_end.2.samples", "ms", "[]", "\"ms\" has 0 entries, not 1 to 8"},
    {2, "resmark.end_to_end.2.samples.ms", "3", "null", "ms[3] is no number of at least 0"},
    {2, "resmark.end_to_end.2.samples.ms", "3", "-1", "ms[3] is no number of at least 0"},
    {2, "resmark.end_to_end.2.samples.ms", "3", NULL, "\"ceiling_gflops\" has 8 entries, not 7"},
    {2, "resmark.end_to_end.2.samples.clock_ghz", "3", "null", NULL},
    {2, "resmark.end_to_end.2.samples.clock_ghz", "3", "\"2\"", "clock_ghz[3] is no number"},
    {2, "resmark.layers", "4", NULL, "row 2 has 2 and row 0 has 3: some are missing"},
    {2, "resmark.layers.5", "row", "1", "row 2 has 2 and row 0 has 3: some are missing"},
    {2, "resmark.layers.5", "row", "9", "row 2 has 2 and row 0 has 3: some are missing"},
    {2, "resmark.layers.5", "ci_low_ms", NULL, "layers[5]: \"ci_low_ms\" is missing"},
    {2, "resmark.layers.5", "relative_ci_low", "1e9", "outside of its interval"},
    {2, "resmark.layers.5", "floor_level", "null", NULL},
};

Test(result, damaged_values)
{
    for (int i = 0; i < COUNT(damages); i++) {
        const struct change *c = &damages[i];
        struct result r;
        struct error e = {""};
        json_t *root = changed(c);
        bool ok = parse(&r, root, &e);
        cr_expect_eq(ok, c->reason == NULL, "%s.%s = %s: %s", c->object, c->key,
                     c->json ? c->json : "(none)", e.text);
        cr_expect(ok || strstr(e.text, c->reason), "%s.%s: %s", c->object, c->key, e.text);
        result_free(&r);
        json_decref(root);
    }
}

/** More layers than rows tell, behind the last row's. */
Test(result, layer_of_no_row)
{
    struct result r;
    struct error e = {""};
    json_t *root = fixture_result(&(struct fixture_options){.version = 2});
    json_t *layers = descend(root, "resmark.layers"), *more = json_copy(json_array_get(layers, 0));
    json_array_append_new(layers, more);
    cr_expect_not(parse(&r, root, &e));
    cr_expect(strstr(e.text, "resmark.layers[6]: it is of no row"), "%s", e.text);
    result_free(&r);
    json_decref(root);
}

static void expect_refused(const char *path, const char *reason)
{
    struct result r;
    struct error e = {""};
    cr_expect_not(result_read(&r, path, &e), "%s", path);
    cr_expect(strstr(e.text, reason), "%s", e.text);
    cr_expect(strstr(e.text, path), "%s", e.text);
    result_free(&r);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

Test(result, hostile_files)
{
    char directory[] = "/tmp/resmark-result-XXXXXX", path[64];
    cr_assert(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/result.json", directory);
    expect_refused(path, "No such file or directory");
    expect_refused(directory, "is no regular file");
    expect_refused("/dev/zero", "is no regular file");
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_refused(path, "is no regular file");
    unlink(path);
    write_text(path, "");
    expect_refused(path, "damaged or cut off");
    write_text(path, "[]");
    expect_refused(path, "it is no result file");
    write_text(path, "{\"resmark\": 1, \"resmark\": 2}");
    expect_refused(path, "duplicate");
    write_text(path, "{\"resmark\": {\"version\": NaN}}");
    expect_refused(path, "damaged or cut off in line 1: lexical error: invalid char in json text. "
                         "near '{\"resmark\": {\"version\": NaN");
    write_text(path, "{\"resmark\": {\"version\": 1e999}}");
    expect_refused(path, "line 1: a number is too large for a double");
    cr_assert_eq(truncate(path, (off_t)1 << 33), 0);
    expect_refused(path, "is larger than 16384 KiB");
    unlink(path);
    rmdir(directory);
}
