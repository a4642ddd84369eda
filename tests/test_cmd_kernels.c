/** `resmark kernels` as its users meet it: exit status, stdout and stderr. */
#include "arch/cpu.h"
#include "harness/cmd_kernels.h"
#include "kernels/table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ARGUMENTS 6

struct outcome {
    int status;
    char out[16384], err[1024];
};

static void read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void restore(FILE *stream, int saved)
{
    fflush(stream);
    clearerr(stream);
    dup2(saved, fileno(stream));
    close(saved);
}

/** Runs the command with arguments that are separated by spaces; stdout goes to `out`. */
static struct outcome run_into(FILE *out, const char *arguments)
{
    struct outcome outcome;
    char copy[128] = "";
    static char command[] = "kernels";
    char *argv[MAX_ARGUMENTS + 1] = {command, NULL};
    int argc = 1;
    strncat(copy, arguments, sizeof copy - 1);
    for (char *at = strtok(copy, " "); at && argc < MAX_ARGUMENTS; at = strtok(NULL, " "))
        argv[argc++] = at;
    FILE *err = tmpfile();
    cr_assert(out && err);
    fflush(stdout);
    fflush(stderr);
    int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);
    cr_assert(dup2(fileno(out), STDOUT_FILENO) >= 0 && dup2(fileno(err), STDERR_FILENO) >= 0);
    outcome.status = cmd_kernels(argc, argv);
    restore(stdout, saved_out);
    restore(stderr, saved_err);
    read_back(out, outcome.out, sizeof outcome.out);
    read_back(err, outcome.err, sizeof outcome.err);
    return outcome;
}

static struct outcome run(const char *arguments)
{
    return run_into(tmpfile(), arguments);
}

TestSuite(cmd_kernels, .timeout = 600);

Test(cmd_kernels, checks)
{
    unsetenv(ISA_ENVIRONMENT);
    struct outcome o = run("--isa scalar --seed 5 add_");
    cr_expect_eq(o.status, 0);
    cr_expect_str_eq(o.err, "");
    cr_expect_str_eq(o.out, "kernel                  ISA        cases  result\n"
                            "add_x1__scalar          scalar      1176  ok\n"
                            "add_bn_relu_x1__scalar  scalar       960  ok\n"
                            "2 of 2 kernels executed, 0 skipped, 0 failed\n");
}

/** A quick check has fewer cases where there are many, and all where there are few. */
Test(cmd_kernels, quick)
{
    unsetenv(ISA_ENVIRONMENT);
    struct outcome o = run("--isa scalar --quick *d_x1__scalar");
    cr_expect_eq(o.status, 0);
    cr_expect_str_eq(o.out, "kernel          ISA        cases  result\n"
                            "add_x1__scalar  scalar      1176  ok\n"
                            "1 of 1 kernels executed, 0 skipped, 0 failed\n");
    o = run("--isa scalar --quick max_pool");
    cr_expect_eq(o.status, 0);
    cr_expect(strstr(o.out, "  scalar      3780  ok\n"), "%s", o.out);
}

Test(cmd_kernels, counts_what_it_skips)
{
    setenv(ISA_ENVIRONMENT, "scalar", 1);
    struct outcome o = run("peak*");
    int total = 0, skipped = 0;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        int count;
        kernel_lines((enum isa)isa, &count);
        total += count > 0;
        skipped += count > 0 && isa != ISA_SCALAR;
    }
    char last[96];
    snprintf(last, sizeof last, "\n1 of %d kernels executed, %d skipped, 0 failed\n", total,
             skipped);
    cr_expect_eq(o.status, 0);
    cr_expect(strstr(o.out, last), "%s", o.out);
    cr_expect(!skipped || strstr(o.out, "  skipped: "), "%s", o.out);
}

/** Also of an ISA that cannot be used. */
Test(cmd_kernels, list)
{
    setenv(ISA_ENVIRONMENT, "scalar", 1);
    struct outcome o = run("--list conv_*__avx2");
    cr_expect_eq(o.status, 0);
    cr_expect_str_eq(o.out, "kernel              ISA     tile\n"
                            "conv_mk_3x32__avx2  avx2    3x32\n");
    o = run("--list peak_x16__");
    cr_expect_str_eq(o.out, "kernel            ISA     tile\n"
                            "peak_x16__scalar  scalar  x16\n");
}

Test(cmd_kernels, help)
{
    struct outcome o = run("--help");
    cr_expect_eq(o.status, 0);
    cr_expect_eq(strncmp(o.out, "Usage: resmark kernels ", 23), 0, "%s", o.out);
}

Test(cmd_kernels, usage_errors)
{
    static const struct {
        const char *arguments, *message;
    } rows[] = {
        {"--nope", "resmark kernels: --nope: unknown option; see resmark kernels --help\n"},
        {"--isa", "resmark kernels: --isa: an argument is missing; see resmark kernels --help\n"},
        {"--isa sse", "resmark kernels: --isa: unknown ISA 'sse': there are scalar, avx2, avx512, "
                      "neon\n"},
        {"--seed -1", "resmark kernels: --seed -1: it must be a whole number under 2^64\n"},
        {"--seed 18446744073709551616", "resmark kernels: --seed 18446744073709551616: it must be "
                                        "a whole number under 2^64\n"},
        {"conv fc", "resmark kernels: one pattern is enough, 'fc' is too many\n"},
        {"gemm", "resmark kernels: no kernel is like 'gemm'; see resmark kernels --list\n"},
    };
    unsetenv(ISA_ENVIRONMENT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome o = run(rows[i].arguments);
        cr_expect_eq(o.status, 2, "%s", rows[i].arguments);
        cr_expect_str_eq(o.out, "");
        cr_expect_str_eq(o.err, rows[i].message, "%s", o.err);
    }
}

Test(cmd_kernels, full_disk)
{
    static const char *const arguments[] = {"peak", "--list", "--help"};
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        struct outcome o = run_into(fopen("/dev/full", "w+"), arguments[i]);
        cr_expect_eq(o.status, 1);
        cr_expect_str_eq(
            o.err, "resmark kernels: cannot write to standard output: No space left on device\n");
    }
}
