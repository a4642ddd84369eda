/** Plan files: written, read back, and refused with the reason. */
#include "harness/plan_file.h"
#include "harness/whole_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

#define SIZE 32

/** A small network on this machine, with a plan for it that nobody measured. */
struct fixture {
    struct machine machine;
    struct network net;
    struct steps steps;
    struct tuned_plan plan;
    char directory[32], path[64];
};

static void fill_cut(struct tuned_plan *plan, enum isa isa, int threads)
{
    struct error e;
    struct tuned_cut *cut = tuned_plan_add(plan, isa, threads, &e);
    cr_assert(cut, "%s", e.text);
    for (int i = 0; i < plan->conv_count; i++) {
        cut->times[i] = (struct tuned_time){100.5 + i, 90.25};
        if (plan->algos[i] == ALGO_DIRECT)
            cut->blockings[i].conv = (struct conv_blocking){48 + i, 2 + i % 3, 1 + i % 5};
        else
            cut->blockings[i].bilinear = (struct bilinear_blocking){6 + i, i % 2 == 0};
    }
}

/** Of the algorithms that serve a node, the one of the fewest before. */
static enum algo least_used(const struct fixture *f, int node, int used[ALGO_AUTO])
{
    enum algo least = ALGO_DIRECT;
    for (enum algo a = ALGO_WINOGRAD2; a < ALGO_AUTO; a++) {
        if (algo_serves(a, &f->net, node) && used[a] <= used[least])
            least = a;
    }
    used[least]++;
    return least;
}

/** Every algorithm is that of some convolution. */
static void make_plan(struct fixture *f, struct tuned_plan *plan)
{
    struct error e;
    int used[ALGO_AUTO] = {0};
    cr_assert(tuned_plan_make(plan, &f->net, &f->steps, 2, &f->machine, &e), "%s", e.text);
    for (int i = 0, conv = 0; i < f->steps.count; i++) {
        if (f->steps.step[i].kind == NODE_CONV)
            plan->algos[conv++] = least_used(f, f->steps.step[i].node, used);
    }
    fill_cut(plan, ISA_SCALAR, 1);
    fill_cut(plan, ISA_AVX2, 2);
}

static void setup(struct fixture *f)
{
    struct error e;
    memset(f, 0, sizeof *f);
    strcpy(f->directory, "/tmp/resmark-plan-XXXXXX");
    cr_assert(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/plan.json", f->directory);
    cr_assert(machine_read(&f->machine, &e), "%s", e.text);
    cr_assert(network_build(&f->net, "resnet18_v2", 10, SIZE, &e), "%s", e.text);
    cr_assert(steps_fuse(&f->steps, &f->net, &e), "%s", e.text);
    make_plan(f, &f->plan);
}

static void teardown(struct fixture *f)
{
    tuned_plan_free(&f->plan);
    steps_free(&f->steps);
    network_free(&f->net);
    machine_free(&f->machine);
    unlink(f->path);
    rmdir(f->directory);
}

static bool fits(const struct fixture *f, const struct tuned_plan *plan, struct error *e)
{
    return tuned_plan_fits(plan, &f->net, &f->steps, 2, &f->machine, e);
}

static void write_bytes(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    cr_assert(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

TestSuite(plan_file, .timeout = 120);

static void expect_all_algorithms(const struct tuned_plan *plan)
{
    unsigned seen = 0;
    for (int i = 0; i < plan->conv_count; i++)
        seen |= 1U << plan->algos[i];
    cr_expect_eq(seen, (1U << ALGO_AUTO) - 1, "%x", seen);
}

Test(plan_file, round_trip)
{
    struct fixture f;
    struct tuned_plan back;
    struct error e;
    setup(&f);
    cr_assert(plan_file_write(&f.plan, f.path, &e), "%s", e.text);
    cr_assert(plan_file_read(&back, f.path, &e), "%s", e.text);
    cr_expect(fits(&f, &back, &e), "%s", e.text);
    expect_all_algorithms(&back);
    json_t *before = tuned_plan_json(&f.plan), *after = tuned_plan_json(&back);
    cr_expect(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    const struct tuned_cut *cut = tuned_plan_find(&back, ISA_AVX2, 2);
    cr_assert(cut);
    cr_expect_eq(memcmp(cut->blockings, f.plan.cuts[1].blockings,
                        (size_t)back.conv_count * sizeof *cut->blockings),
                 0);
    cr_expect_null(tuned_plan_find(&back, ISA_AVX2, 1));
    cr_expect_null(tuned_plan_find(&back, ISA_AVX512, 2));
    tuned_plan_free(&back);
    teardown(&f);
}

/** No beginning of a file is a plan, and none crashes or leaks. */
Test(plan_file, truncated_at_every_byte)
{
    struct fixture f;
    struct tuned_plan back;
    struct error e;
    setup(&f);
    cr_assert(plan_file_write(&f.plan, f.path, &e), "%s", e.text);
    size_t size;
    char *bytes = whole_file_read(f.path, "plan file", 1 << 20, &size, &e);
    cr_assert(bytes, "%s", e.text);
    cr_assert_eq(bytes[size - 1], '\n');
    for (size_t cut = 0; cut + 1 < size; cut++) {
        cr_assert_eq(truncate(f.path, 0), 0);
        write_bytes(f.path, bytes, cut);
        cr_assert_not(plan_file_read(&back, f.path, &e), "%zu of %zu bytes", cut, size);
        cr_assert(strstr(e.text, "damaged or cut off"), "%s", e.text);
        cr_assert(strstr(e.text, f.path), "%s", e.text);
    }
    free(bytes);
    teardown(&f);
}

/** A value somewhere in the file, what is put there instead, and what the message must say. */
struct change {
    const char *object; /**< "", or keys and indices separated by dots */
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
    cr_assert(json_is_object(at), "%s", path);
    return at;
}

static json_t *changed(const struct fixture *f, const struct change *c)
{
    json_t *root = tuned_plan_json(&f->plan), *object = descend(root, c->object);
    if (c->json)
        json_object_set_new(object, c->key, json_loads(c->json, JSON_DECODE_ANY, NULL));
    else
        json_object_del(object, c->key);
    return root;
}

/** Takes a plan through its text, and releases the JSON. */
static bool decode(struct tuned_plan *plan, json_t *root, struct error *e)
{
    char *text = json_dumps(root, 0);
    bool ok = plan_file_decode(plan, text, strlen(text), e);
    free(text);
    json_decref(root);
    return ok;
}

static const struct change damages[] = {
    {"", "format", "\"resmark result\"", "it is no plan"},
    {"", "format", NULL, "it is no plan"},
    {"", "version", "2", "it is of format version 2, and this resmark reads up to 1"},
    {"", "version", "0", "\"version\" is missing or no version"},
    {"", "version", "\"1\"", "\"version\" is missing or no version"},
    {"", "resmark_version", "\"\"", "\"resmark_version\" has 0 characters"},
    {"", "network", "[]", "network: \"name\" is missing or no text"},
    {"", "machine", NULL, "machine: \"cpu\" is missing or no text"},
    {"", "convolutions", "{}", "\"convolutions\" is missing or no list"},
    {"", "convolutions", "[]", "\"convolutions\" has 0 entries, not 1 to 1024"},
    {"", "cuts", "[]", "\"cuts\" has 0 entries, not 1 to 64"},
    {"network", "name", "\"resnet\\u001b[31m\"", "not ASCII"},
    {"network", "name", "\"resnet\\u00e9\"", "not ASCII"},
    {"network", "size", "0", "network: \"size\" is 0, not 1 to 4096"},
    {"network", "batch", "1.5", "\"batch\" is missing or no whole number"},
    {"network", "classes", "99999999999", "\"classes\" is 99999999999, not"},
    {"network", "graph_hash", "\"12\"", "16 hexadecimal digits"},
    {"network", "graph_hash", "\"0x34567890123456\"", "16 hexadecimal digits"},
    {"machine", "cache_bytes", "[1, 2]", "\"cache_bytes\" has 2 entries, not 4 to 4"},
    {"machine", "cache_bytes", "[1, -2, 3, 4]", "negative"},
    {"machine", "allowed_cores", "0", "\"allowed_cores\" is 0"},
    {"convolutions.3", "algo", "\"auto\"",
     "none of direct, winograd2, winograd4, winograd6, polyphase2, polyphase4, strassen: auto"},
    {"convolutions.3", "algo", "\"fft\"",
     "none of direct, winograd2, winograd4, winograd6, polyphase2, polyphase4, strassen: fft"},
    {"convolutions.3", "name", "7", "convolutions: \"name\" is missing or no text"},
    {"cuts.0", "isa", "\"sse\"", "unknown ISA 'sse'"},
    {"cuts.0", "threads", "0", "\"threads\" is 0, not 1 to 1024"},
    {"cuts.0", "blockings", "[]", "\"blockings\" has 0 entries"},
    {"cuts.0.blockings.4", "strip", "0", "\"strip\" is 0, not 1 to 512"},
    {"cuts.0.blockings.4", "strip", "513", "\"strip\" is 513, not 1 to 512"},
    {"cuts.0.blockings.4", "strip", "-9223372036854775808", "\"strip\" is -9223372036854775808"},
    {"cuts.0.blockings.4", "group", "0", "\"group\" is 0, not 1 to 4096"},
    {"cuts.0.blockings.4", "group", "2147483647", "\"group\" is 2147483647"},
    {"cuts.0.blockings.4", "chunk", "0", "\"chunk\" is 0, not 1 to 4096"},
    {"cuts.0.blockings.4", "chunk", "true", "\"chunk\" is missing or no whole number"},
    {"cuts.0.blockings.4", "rule_us", "-1", "\"rule_us\" is -1, not at least 0"},
    {"cuts.0.blockings.1", "chunk", "257", "\"chunk\" is 257, not 1 to 256"},
    {"cuts.0.blockings.1", "by_channels", "1", "\"by_channels\" is missing or neither"},
    {"cuts.1", "isa", "\"scalar\"", NULL},
};

Test(plan_file, damaged_values)
{
    struct fixture f;
    struct tuned_plan plan;
    struct error e;
    setup(&f);
    cr_assert_neq(f.plan.algos[1], ALGO_DIRECT);
    cr_assert_eq(f.plan.algos[4], ALGO_DIRECT);
    for (int i = 0; i < COUNT(damages); i++) {
        json_t *root = changed(&f, &damages[i]);
        bool ok = decode(&plan, root, &e);
        cr_expect_eq(ok, damages[i].reason == NULL, "%s.%s", damages[i].object, damages[i].key);
        cr_expect(ok || strstr(e.text, damages[i].reason), "%s.%s: %s", damages[i].object,
                  damages[i].key, e.text);
        cr_expect(ok || plan.conv_count == 0);
        tuned_plan_free(&plan);
    }
    json_t *root = tuned_plan_json(&f.plan);
    json_array_append(json_object_get(root, "cuts"),
                      json_array_get(json_object_get(root, "cuts"), 1));
    cr_expect_not(decode(&plan, root, &e));
    cr_expect(strstr(e.text, "there are two for avx2 on 2 threads"), "%s", e.text);
    teardown(&f);
}

/** Well-formed, but for another network or machine. */
static const struct change strangers[] = {
    {"network", "name", "\"resnet34_v2\"",
     "for another network: resnet34_v2 (gluon), not resnet18"},
    {"network", "variant", "\"other\"", "for another network: resnet18_v2 (other)"},
    {"network", "classes", "1000", "it is for 1000 classes, not 10"},
    {"network", "size", "224", "it is for images of 224x224, not 32x32"},
    {"network", "batch", "1", "it is for batch 1, not 2"},
    {"network", "steps", "5", "it is for 5 steps, but resnet18_v2 has"},
    {"network", "graph_hash", "\"0123456789abcdef\"",
     "it is for another graph of resnet18_v2: 0123"},
    {"machine", "cpu", "\"Pentium\"", "it is from another machine: Pentium, and this is"},
    {"machine", "family", "3", "it is from another CPU: family 3"},
    {"machine", "model", "12345", "model 12345"},
    {"machine", "stepping", "12345", "stepping 12345"},
    {"machine", "cache_bytes", "[1024, 0, 0, 0]", "a machine with 1 KiB of L1 cache, and this has"},
    {"machine", "allowed_cores", "12345", "it is from a run allowed on 12345 cores"},
    {"convolutions.2", "name", "\"convX\"", "it has convX"},
    {"convolutions.0", "algo", "\"winograd4\"", "winograd4 cannot compute the convolution conv0"},
    {"convolutions.1", "algo", "\"polyphase2\"", "polyphase2 cannot compute the convolution "},
    {"convolutions.1", "algo", "\"strassen\"", "strassen cannot compute the convolution "},
};

Test(plan_file, of_another_network_or_machine)
{
    struct fixture f;
    setup(&f);
    for (int i = 0; i < COUNT(strangers); i++) {
        struct tuned_plan plan;
        struct error e = {""};
        json_t *root = changed(&f, &strangers[i]);
        cr_assert(decode(&plan, root, &e), "%s: %s", strangers[i].key, e.text);
        cr_expect_not(fits(&f, &plan, &e), "%s", strangers[i].key);
        cr_expect(strstr(e.text, strangers[i].reason), "%s: %s", strangers[i].key, e.text);
        tuned_plan_free(&plan);
    }
    teardown(&f);
}

static void expect_refused(const char *path, const char *reason)
{
    struct tuned_plan plan;
    struct error e = {""};
    cr_expect_not(plan_file_read(&plan, path, &e), "%s", path);
    cr_expect(strstr(e.text, reason), "%s", e.text);
}

Test(plan_file, hostile_files)
{
    struct fixture f;
    char *deep = malloc(1 << 20);
    setup(&f);
    cr_assert(deep);
    expect_refused(f.path, "No such file or directory");
    expect_refused(f.directory, "is no regular file");
    expect_refused("/dev/zero", "is no regular file");
    cr_assert_eq(mkfifo(f.path, 0600), 0);
    expect_refused(f.path, "is no regular file");
    unlink(f.path);
    memset(deep, '[', 1 << 20);
    write_bytes(f.path, deep, 1 << 20);
    expect_refused(f.path, "damaged or cut off");
    memset(deep, 0, 1 << 20);
    write_bytes(f.path, deep, 1 << 20);
    expect_refused(f.path, "damaged or cut off");
    write_bytes(f.path, "[]", 2);
    expect_refused(f.path, "it is no plan");
    write_bytes(f.path, "{\"format\": 1, \"format\": 2}", 26);
    expect_refused(f.path, "duplicate");
    cr_assert_eq(truncate(f.path, (off_t)1 << 33), 0);
    expect_refused(f.path, "is larger than 4096 KiB");
    free(deep);
    teardown(&f);
}

Test(plan_file, cannot_be_written)
{
    struct fixture f;
    struct error e;
    char path[96];
    setup(&f);
    snprintf(path, sizeof path, "%s/missing/plan.json", f.directory);
    cr_expect_not(plan_file_write(&f.plan, path, &e));
    cr_expect(strstr(e.text, "cannot create the plan file"), "%s", e.text);
    cr_expect_not(whole_file_check(path, "plan file", &e));
    cr_expect_not(whole_file_check("/dev/full", "plan file", &e));
    cr_expect(strstr(e.text, "is there already and is no regular file"), "%s", e.text);
    cr_expect_not(whole_file_check(f.directory, "plan file", &e));
    cr_expect(whole_file_check(f.path, "plan file", &e), "%s", e.text);
    cr_expect_eq(access(f.path, F_OK), -1, "the check left a file");
    teardown(&f);
}
