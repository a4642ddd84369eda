/** Reports: which row speaks for a result, the order of many, and that text stays text. */
#include "harness/report/report.h"
#include "tests/result_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(report, .timeout = 120);

#define HOSTILE "</script><b>|`x`,\"=1+1"

static char directory[] = "/tmp/test_report.XXXXXX";

/* Writes a made-up result of one speed into a file, with its machine's name when that is given. */
static char *write_result(const char *name, double slower, const char *cpu)
{
    static char paths[REPORT_DETAILED + 8][64];
    static int used;
    char *path = paths[used++];
    json_t *root =
        fixture_result(&(struct fixture_options){.version = 2, .scatter = 0.01, .slower = slower});
    if (cpu)
        json_object_set_new(json_object_get(json_object_get(root, "resmark"), "machine"), "cpu",
                            json_string(cpu));
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    cr_assert_eq(json_dump_file(root, path, 0), 0);
    json_decref(root);
    return path;
}

static void setup(void)
{
    cr_assert(mkdtemp(directory));
}

static void teardown(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", directory);
    cr_assert_eq(system(command), 0);
}

static struct result_row row(const char *verdict, const char *cache, double rate)
{
    struct result_row made = {.images_per_s = rate};
    strcpy(made.verdict, verdict);
    strcpy(made.cache, cache);
    return made;
}

Test(report, best_row)
{
    struct result_row rows[] = {row("INVALID", "hot", 90), row("SUSPECT", "hot", 80),
                                row("VALID", "cold", 70),  row("VALID", "hot", 10),
                                row("VALID", "hot", 20),   row("VALID", "hot", 15)};
    struct result r = {.row_count = 6, .end_to_end = rows};
    cr_expect_eq(report_best_row(&r), 4, "valid, hot, fastest");
    r.row_count = 3;
    cr_expect_eq(report_best_row(&r), 1, "a suspect row before an invalid and a cold one");
    r.row_count = 1;
    cr_expect_eq(report_best_row(&r), 0);
}

Test(report, order_and_details, .init = setup, .fini = teardown)
{
    struct error e = {""};
    struct report report;
    char *paths[REPORT_DETAILED + 2];
    for (int i = 0; i < REPORT_DETAILED + 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "%02d.json", i);
        paths[i] = write_result(name, i % 2 ? 1 + i : 100 - i, NULL);
    }
    cr_assert(report_read(&report, paths, REPORT_DETAILED + 2, &e), "%s", e.text);
    cr_assert_eq(report.count, REPORT_DETAILED + 2);
    cr_expect_str_eq(report.entries[0].path, paths[1]);
    for (int i = 0; i < report.count; i++) {
        const struct report_entry *entry = &report.entries[i];
        const struct result_row *best = &entry->result.end_to_end[entry->best];
        cr_expect_eq(entry->result.row_count, i < REPORT_DETAILED ? 3 : 1);
        cr_expect_eq(best->layer_count, i < REPORT_DETAILED ? FIXTURE_LAYERS : 0);
        cr_expect_str_eq(best->cache, "hot");
        if (i > 0)
            cr_expect_gt(report.entries[i - 1].result.end_to_end[0].images_per_s,
                         best->images_per_s);
    }
    report_free(&report);
}

Test(report, first_bad_file_is_named, .init = setup, .fini = teardown)
{
    struct error e = {""};
    struct report report;
    char *paths[] = {write_result("good.json", 1, NULL), "/nosuch/result.json"};
    cr_expect_not(report_read(&report, paths, 2, &e));
    cr_expect(strstr(e.text, "/nosuch/result.json"), "%s", e.text);
    report_free(&report);
    cr_expect_null(report_csv(paths, 2, false, &e));
}

static char *make(char *(*form)(const struct report *, struct error *), char *path)
{
    struct error e = {""};
    struct report report;
    cr_assert(report_read(&report, &path, 1, &e), "%s", e.text);
    char *text = form(&report, &e);
    cr_assert(text, "%s", e.text);
    report_free(&report);
    return text;
}

Test(report, html_keeps_text_text, .init = setup, .fini = teardown)
{
    char *text = make(report_html, write_result("\xff.json", 1, HOSTILE));
    char *data = strstr(text, "{\"version\":");
    cr_assert(data);
    *strchr(data, '\n') = '\0';
    cr_expect_not(strchr(data, '<'), "an element can end the data");
    json_t *root = json_loads(data, 0, NULL);
    const json_t *result = json_array_get(json_object_get(root, "results"), 0);
    cr_expect_str_eq(json_string_value(json_object_get(result, "name")), HOSTILE);
    cr_expect(strstr(json_string_value(json_object_get(result, "file")), "/?.json"), "no UTF-8");
    json_decref(root);
    free(text);
}

Test(report, markdown_keeps_text_text, .init = setup, .fini = teardown)
{
    char *text = make(report_markdown, write_result("a|b.json", 1, HOSTILE));
    cr_expect(strstr(text, "## \\</script>\\<b>\\|\\`x\\`,\"=1+1\n"));
    cr_expect(strstr(text, "a\\|b.json"));
    cr_expect(strstr(text, "| avx2 | auto | 1 | 2 | 1 | hot |"));
    cr_expect(strstr(text, "| conv0 | 3x32x32 -> 64 3x3/1 | direct | conv_mk_6x16 | 1.167 | 0.5833 "
                           "| arithmetic | 50.0 % |"));
    free(text);
}

Test(report, csv_keeps_text_text, .init = setup, .fini = teardown)
{
    struct error e = {""};
    char *paths[] = {write_result("a,b.json", 1, HOSTILE), write_result("c.json", 1, "=cmd()")};
    char *text = report_csv(paths, 2, false, &e);
    cr_assert(text, "%s", e.text);
    cr_expect(strstr(text, "/a,b.json\",\"</script><b>|`x`,\"\"=1+1\",test,2026-01-02"));
    cr_expect(strstr(text, "/c.json,\"'=cmd()\",test,"), "a formula for a spreadsheet");
    cr_expect(strstr(text, ",auto,latency,cold,1,2,1,fp32,"));
    free(text);
}
