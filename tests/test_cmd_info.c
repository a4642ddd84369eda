/** `resmark info` as its users meet it: exit status, stdout and stderr. */
#include "arch/cpu.h"
#include "harness/cmd_info.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

struct outcome {
    int status;
    char out[16384], err[1024];
};

/** Lets a stream of this process go to `fd` and returns where it went before. */
static int redirect(FILE *stream, int fd)
{
    fflush(stream);
    int saved = dup(fileno(stream));
    cr_assert(saved >= 0 && dup2(fd, fileno(stream)) >= 0);
    return saved;
}

static void restore(FILE *stream, int saved)
{
    fflush(stream);
    clearerr(stream);
    dup2(saved, fileno(stream));
    close(saved);
}

static void read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/** Runs the command with one argument or none; stdout goes to `out_path` if that is not NULL. */
static struct outcome run(const char *argument, const char *out_path)
{
    static char command[] = "info";
    char copy[64] = "";
    char *argv[] = {command, NULL, NULL};
    if (argument)
        argv[1] = strcpy(copy, argument);

    struct outcome outcome;
    FILE *out = out_path ? fopen(out_path, "w+") : tmpfile();
    FILE *err = tmpfile();
    cr_assert(out && err);
    int saved_out = redirect(stdout, fileno(out));
    int saved_err = redirect(stderr, fileno(err));
    outcome.status = cmd_info(argument ? 2 : 1, argv);
    restore(stdout, saved_out);
    restore(stderr, saved_err);
    read_back(out, outcome.out, sizeof outcome.out);
    read_back(err, outcome.err, sizeof outcome.err);
    return outcome;
}

static void check_one_line(const char *text, const char *expected)
{
    cr_expect_str_eq(text, expected, "'%s'", text);
    cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1, "'%s' is not one line", text);
}

TestSuite(cmd_info, .timeout = 60);

Test(cmd_info, text)
{
    unsetenv(ISA_ENVIRONMENT);
    struct cpu cpu;
    cpu_detect(&cpu);
    struct outcome o = run(NULL, NULL);
    cr_expect_eq(o.status, 0);
    cr_expect_str_eq(o.err, "");
    cr_expect(strstr(o.out, cpu.brand), "%s", o.out);
    cr_expect(strstr(o.out, "ISAs        scalar  usable"), "%s", o.out);
    cr_expect(strstr(o.out, "another architecture"), "%s", o.out);
}

/** Every ISA is either usable or has a reason. */
static void check_isas(const json_t *isas, const char *only)
{
    cr_assert_eq(json_array_size(isas), ISA_COUNT);
    for (size_t i = 0; i < ISA_COUNT; i++) {
        const json_t *isa = json_array_get(isas, i);
        const char *name = json_string_value(json_object_get(isa, "name"));
        const json_t *reason = json_object_get(isa, "reason");
        bool usable = json_is_true(json_object_get(isa, "usable"));
        cr_expect_str_eq(name, isa_name((enum isa)i));
        cr_expect_eq(json_is_null(reason), usable, "%s", name);
        cr_expect_eq(json_is_integer(json_object_get(isa, "tile_channels")), usable, "%s", name);
        if (only)
            cr_expect_eq(usable, strcmp(name, only) == 0, "%s", name);
    }
}

static json_t *run_json(void)
{
    struct outcome o = run("--json", NULL);
    cr_assert_eq(o.status, 0, "%s", o.err);
    cr_expect_str_eq(o.err, "");
    json_error_t where;
    json_t *root = json_loads(o.out, 0, &where);
    cr_assert(root, "%s in line %d", where.text, where.line);
    return root;
}

Test(cmd_info, json)
{
    unsetenv(ISA_ENVIRONMENT);
    json_t *root = run_json();
    const char *brand, *version;
    int threads, allowed_cores;
    double core_hz, tick_hz;
    json_t *isas, *caches, *order;
    cr_assert_eq(json_unpack(root, "{s:s, s:{s:s}, s:i, s:F, s:F, s:o, s:{s:i, s:o, s:o}}",
                             "version", &version, "cpu", "brand", &brand, "default_threads",
                             &threads, "core_hz", &core_hz, "tick_hz", &tick_hz, "isas", &isas,
                             "topology", "allowed_cores", &allowed_cores, "caches", &caches,
                             "pin_order", &order),
                 0);
    cr_expect(threads >= 1 && threads <= allowed_cores);
    cr_expect(core_hz > 1e8 && tick_hz > 1e6);
    cr_expect_geq(json_array_size(order), (size_t)allowed_cores);
    cr_expect(json_is_array(caches));
    check_isas(isas, NULL);
    json_decref(root);
}

Test(cmd_info, environment_removes)
{
    setenv(ISA_ENVIRONMENT, "scalar", 1);
    json_t *root = run_json();
    check_isas(json_object_get(root, "isas"), "scalar");
    json_decref(root);
}

Test(cmd_info, environment_is_wrong)
{
    setenv(ISA_ENVIRONMENT, "sse", 1);
    struct outcome o = run(NULL, NULL);
    cr_expect_eq(o.status, 2);
    cr_expect_str_eq(o.out, "");
    check_one_line(o.err, "resmark info: RESMARK_ISA: unknown ISA 'sse': there are scalar, avx2, "
                          "avx512, neon\n");
}

Test(cmd_info, help)
{
    static const char *const spellings[] = {"--help", "-h"};
    for (int i = 0; i < COUNT(spellings); i++) {
        struct outcome o = run(spellings[i], NULL);
        cr_expect_eq(o.status, 0);
        cr_expect_eq(strncmp(o.out, "Usage: resmark info [--json]\n", 29), 0, "%s", o.out);
        cr_expect_str_eq(o.err, "");
    }
}

Test(cmd_info, usage_errors)
{
    static const struct {
        const char *argument, *message;
    } rows[] = {
        {"--nope", "resmark info: cannot use --nope (see resmark info --help)\n"},
        {"--json=1", "resmark info: cannot use --json=1 (see resmark info --help)\n"},
        {"-x", "resmark info: unknown option -x (see resmark info --help)\n"},
        {"more", "resmark info: takes no argument, but got 'more'\n"},
        {"--\x1b[31m", "resmark info: cannot use --?[31m (see resmark info --help)\n"},
    };
    for (int i = 0; i < COUNT(rows); i++) {
        struct outcome o = run(rows[i].argument, NULL);
        cr_expect_eq(o.status, 2, "%s", rows[i].argument);
        cr_expect_str_eq(o.out, "");
        check_one_line(o.err, rows[i].message);
    }
}

Test(cmd_info, full_disk)
{
    static const char *const arguments[] = {NULL, "--json", "--help"};
    unsetenv(ISA_ENVIRONMENT);
    for (int i = 0; i < COUNT(arguments); i++) {
        struct outcome o = run(arguments[i], "/dev/full");
        cr_expect_eq(o.status, 1);
        check_one_line(o.err, "resmark info: cannot write to stdout: No space left on device\n");
    }
}
