#include "harness/cmd_kernels.h"

#include "harness/kernel_bench/kernel_bench.h"
#include "harness/kernel_check.h"
#include "harness/machine.h"
#include "harness/option_values.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Generous: an emulator of another ISA runs the same check. */
#define LIMIT_SECONDS 1800

static const char help[] =
    "Usage: resmark kernels [--list] [--isa LIST] [--seed S] [--quick] [--bench]\n"
    "                       [PATTERN]\n"
    "\n"
    "Checks every kernel that this CPU can run against the scalar one, bit for bit, and counts\n"
    "those that it cannot run. PATTERN is a part of a kernel's name, or with * ? [ a pattern of\n"
    "the whole name.\n"
    "\n"
    "  --list       the kernels of all ISAs with their tiles, also those not in this build\n"
    "  --isa LIST   only these ISAs, such as scalar,avx2\n"
    "  --seed S     of the numbers and memory layouts (default 1)\n"
    "  --quick      every size, but not with all that it can be combined with: for emulators, a\n"
    "               tenth of the time\n"
    "  --bench      also how fast each is, one call on data in the caches (hot) and in none of\n"
    "               them (cold), against the FMA ceiling, or against reading or copying as much\n"
    "  --help       this text\n"
    "\n"
    "The environment variable " ISA_ENVIRONMENT " removes the ISAs that it does not name.\n";

struct request {
    bool help, list, quick, bench;
    const char *isa;
    const char *pattern; /* or NULL for all */
    uint64_t seed;
};

/* A kernel of the table that was asked for. */
struct row {
    enum isa isa;
    const struct kernel_line *line;
    const char *obstacle; /* why it cannot run, or NULL */
};

/* The rows, and how wide their names are. */
struct table {
    struct row rows[ISA_COUNT * KERNEL_OP_COUNT];
    int count;
    int width;
};

struct tally {
    int executed, skipped, failed;
};

static bool parse(int argc, char **argv, struct request *r, struct error *e)
{
    static const struct option options[] = {
        {"list", no_argument, NULL, 'l'},
        {"isa", required_argument, NULL, 'I'},
        {"seed", required_argument, NULL, 's'},
        {"quick", no_argument, NULL, 'q'},
        {"bench", no_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    *r = (struct request){.seed = 1};
    optind = 0; /* makes glibc start anew, whatever was parsed before */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == '?' || option == ':')
            return error_set(e, "%s: %s; see resmark kernels --help", argv[optind - 1],
                             option == ':' ? "an argument is missing" : "unknown option");
        if (option == 's' && !option_seed(optarg, &r->seed, e))
            return false;
        r->isa = option == 'I' ? optarg : r->isa;
        r->list = r->list || option == 'l';
        r->quick = r->quick || option == 'q';
        r->bench = r->bench || option == 'b';
        r->help = r->help || option == 'h';
    }
    if (argc - optind > 1)
        return error_set(e, "one pattern is enough, '%s' is too many", argv[optind + 1]);
    r->pattern = argv[optind];
    return true;
}

static bool matches(const char *pattern, const char *name)
{
    if (!pattern)
        return true;
    return strpbrk(pattern, "*?[") ? fnmatch(pattern, name, 0) == 0 : strstr(name, pattern) != NULL;
}

static void add_lines(struct table *table, enum isa isa, const char *pattern, const char *obstacle)
{
    int count;
    const struct kernel_line *lines = kernel_lines(isa, &count);
    for (int i = 0; i < count; i++) {
        if (!matches(pattern, lines[i].name))
            continue;
        int length = (int)strlen(lines[i].name);
        table->width = length > table->width ? length : table->width;
        table->rows[table->count++] = (struct row){isa, &lines[i], obstacle};
    }
}

/* The kernels that were asked for. With --isa, those of other ISAs were not. */
static bool select_rows(const struct request *r, const struct cpu *cpu, struct table *table,
                        struct error *e)
{
    unsigned built = machine_built_isas(), keep = 0;
    struct isa_list list;
    *table = (struct table){0};
    if (!isa_select(cpu, built, getenv(ISA_ENVIRONMENT), r->isa, &list, e))
        return false;
    for (int i = 0; i < list.count; i++)
        keep |= 1U << list.isas[i];
    for (int i = 0; i < ISA_COUNT; i++) {
        const char *obstacle = isa_obstacle(cpu, built, (enum isa)i);
        bool kept = keep >> i & 1;
        if (kept || !r->isa)
            add_lines(table, (enum isa)i, r->pattern,
                      kept       ? NULL
                      : obstacle ? obstacle
                                 : "removed by " ISA_ENVIRONMENT);
    }
    return table->count > 0 ||
           error_set(e, "no kernel is like '%s'; see resmark kernels --list", r->pattern);
}

/* The part of the variant behind its last '_': pixels x channels, or floats at a time. */
static const char *tile_of(const struct kernel_line *line)
{
    const char *last = strrchr(line->variant, '_');
    return last ? last + 1 : line->variant;
}

static void print_list(const struct table *table)
{
    printf("%-*s  %-7s tile\n", table->width, "kernel", "ISA");
    for (int i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        printf("%-*s  %-7s %s\n", table->width, row->line->name, isa_name(row->isa),
               tile_of(row->line));
    }
}

/* Prints a failure's lines under the row of its kernel. */
static void print_indented(const char *text)
{
    for (const char *line = text; *line;) {
        int length = (int)strcspn(line, "\n");
        printf("    %.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

static void bench_row(const struct row *row)
{
    struct kernel_timing t;
    if (!kernel_bench(kernel_set_get(row->isa), row->line->op, &t)) {
        printf("      no memory to measure it");
        return;
    }
    printf("      %9.0f %8.1f %6.1f %10.0f %8.1f %6.1f  %-7s  %s", t.hot.cycles, t.hot.rate,
           100 * t.hot.fraction, t.cold.cycles, t.cold.rate, 100 * t.cold.fraction, t.unit,
           t.shape);
}

static void check_row(const struct row *row, int width, const struct request *r,
                      struct tally *tally)
{
    const struct kernel_check_options options = {
        .seed = r->seed, .limit_seconds = LIMIT_SECONDS, .quick = r->quick};
    struct kernel_check_result result;
    printf("%-*s  %-7s ", width, row->line->name, isa_name(row->isa));
    fflush(stdout);
    if (row->obstacle) {
        printf("%8s  skipped: %s\n", "-", row->obstacle);
        tally->skipped++;
        return;
    }
    bool ok = kernel_check(kernel_set_get(row->isa), row->line->op, &options, &result);
    printf("%8ld  %s%s", result.cases, ok ? "ok" : "FAILED",
           result.isolated ? "" : " (in this process: there can be no other)");
    if (ok && r->bench)
        bench_row(row);
    printf("\n");
    print_indented(result.text);
    tally->executed++;
    tally->failed += !ok;
}

static struct tally check_all(const struct table *table, const struct request *r)
{
    struct tally tally = {0};
    printf("%-*s  %-7s %8s  result", table->width, "kernel", "ISA", "cases");
    if (r->bench)
        printf("  hot cycles     rate      %% cold cycles    rate      %%  %-7s  of a call",
               "unit");
    printf("\n");
    for (int i = 0; i < table->count; i++)
        check_row(&table->rows[i], table->width, r, &tally);
    printf("%d of %d kernels executed, %d skipped, %d failed\n", tally.executed, table->count,
           tally.skipped, tally.failed);
    return tally;
}

static int fail(int status, const struct error *e)
{
    fprintf(stderr, "resmark kernels: %s\n", e->text);
    return status;
}

int cmd_kernels(int argc, char **argv)
{
    static struct cpu cpu;
    struct request request;
    struct table table;
    struct tally tally = {0};
    struct error e;
    if (!parse(argc, argv, &request, &e))
        return fail(2, &e);
    cpu_detect(&cpu);
    if (!request.help && !select_rows(&request, &cpu, &table, &e))
        return fail(2, &e);
    if (request.help)
        fputs(help, stdout);
    else if (request.list)
        print_list(&table);
    else
        tally = check_all(&table, &request);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        error_set(&e, "cannot write to standard output: %s", strerror(errno));
        return fail(1, &e);
    }
    return tally.failed > 0;
}
