/** Exported networks in memory, and files that are opened as weights; a failure ends the test. */
#ifndef RESMARK_TESTS_EXPORTED_FIXTURE_H
#define RESMARK_TESTS_EXPORTED_FIXTURE_H

#include "harness/formats/export.h"
#include "harness/formats/weights_file.h"
#include "harness/synthetic.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static const uint64_t exported_seed = 5;

/** A file's bytes; freed by the caller. */
struct exported {
    char *bytes;
    size_t size;
};

typedef bool export_function(const struct network *net, const struct param_source *source,
                             const char *origin, FILE *stream, struct error *e);

static inline struct exported make_exported(export_function *write, const char *network,
                                            int classes)
{
    struct network net;
    struct error e;
    struct exported file;
    struct param_source source = synthetic_source(&exported_seed);
    cr_assert(network_build(&net, network, classes, 64, &e), "%s", e.text);
    FILE *stream = open_memstream(&file.bytes, &file.size);
    cr_assert(stream);
    cr_assert(write(&net, &source, "a test", stream, &e), "%s", e.text);
    cr_assert_eq(fclose(stream), 0);
    network_free(&net);
    return file;
}

/** What a file must be refused with: one line with the file's name and both texts. */
static inline void refuses(const struct exported *file, const char *text, const char *expected)
{
    struct weights_file opened;
    struct error e = {""};
    bool ok =
        weights_file_parse(&opened, (const unsigned char *)file->bytes, file->size, "a file", &e);
    cr_assert(!ok, "a file that should be refused with '%s' was accepted", text);
    cr_expect(strncmp(e.text, "a file: ", 8) == 0, "%s", e.text);
    cr_expect(strstr(e.text, text) && strstr(e.text, expected), "'%s' and '%s' in: %s", text,
              expected, e.text);
    cr_expect(strlen(e.text) < sizeof e.text - 1, "%s", e.text);
}

/** Every parameter must be the exported one, whole and in pieces. */
static inline void check_same_numbers(const struct weights_file *file, const char *network,
                                      int classes)
{
    const struct network *net = &file->network.net;
    struct param_source from = weights_file_source(file), to = synthetic_source(&exported_seed);
    cr_assert_str_eq(net->name, network);
    cr_assert_eq(net->classes, classes);
    for (int node = 0; node < net->node_count; node++) {
        for (enum param param = 0; param < PARAM_COUNT; param++) {
            size_t count = network_param_count(net, node, param), part = count / 3;
            float *got = calloc(count + 1, sizeof *got),
                  *wanted = calloc(count + 1, sizeof *wanted);
            if (count > 0) {
                from.read(from.context, net, node, param, 0, part, got);
                from.read(from.context, net, node, param, part, count - part, got + part);
                to.read(to.context, net, node, param, 0, count, wanted);
            }
            cr_expect_arr_eq(got, wanted, count * sizeof *got, "%s: parameter %d",
                             net->nodes[node].name, (int)param);
            free(got);
            free(wanted);
        }
    }
}

static inline void reads_back(export_function *write, const char *network, int classes)
{
    struct exported file = make_exported(write, network, classes);
    struct weights_file opened;
    struct error e;
    cr_assert(
        weights_file_parse(&opened, (const unsigned char *)file.bytes, file.size, "a file", &e),
        "%s", e.text);
    check_same_numbers(&opened, network, classes);
    weights_file_close(&opened);
    free(file.bytes);
}

/** The first network of each variant. */
static inline void reads_back_each_variant(export_function *write)
{
    const char *seen[32] = {0};
    int variants = 0;
    for (int n = 0; network_name(n); n++) {
        const char *name = network_name(n);
        struct network net;
        struct error e;
        bool known = false;
        cr_assert(network_build(&net, name, 10, 64, &e), "%s", e.text);
        for (int i = 0; i < variants; i++)
            known = known || strcmp(seen[i], net.variant) == 0;
        cr_assert(known || variants < 32);
        if (!known)
            seen[variants++] = net.variant;
        network_free(&net);
        if (!known)
            reads_back(write, name, 10);
    }
}

#endif
