#include "harness/cmd_info.h"

#include "arch/clock.h"
#include "harness/machine.h"
#include "harness/machine_json.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: resmark info [--json]\n"
    "\n"
    "Shows the CPU, its topology, caches, limits and clocks, and which kernel sets can run here.\n"
    "\n"
    "  --json   one JSON object instead of text\n"
    "  --help   this text\n"
    "\n"
    "The environment variable " ISA_ENVIRONMENT " (such as scalar,avx2) removes the ISAs that it\n"
    "does not name.\n";

/** Everything that is shown, gathered before anything is printed. */
struct report {
    struct machine machine;
    double core_hz, tick_hz;
    struct {
        const struct kernel_set *kernels; /**< NULL when not usable */
        const char *obstacle;             /**< why not */
    } isas[ISA_COUNT];
};

static bool choose_isas(struct report *r, struct error *e)
{
    unsigned built = machine_built_isas();
    struct isa_list list;
    if (!isa_select(&r->machine.cpu, built, getenv(ISA_ENVIRONMENT), NULL, &list, e))
        return false;
    for (int i = 0; i < ISA_COUNT; i++) {
        const char *obstacle = isa_obstacle(&r->machine.cpu, built, (enum isa)i);
        r->isas[i].obstacle = obstacle ? obstacle : "removed by " ISA_ENVIRONMENT;
    }
    for (int i = 0; i < list.count; i++) {
        r->isas[list.isas[i]].obstacle = NULL;
        r->isas[list.isas[i]].kernels = kernel_set_get(list.isas[i]);
    }
    return true;
}

static void print_cpu(FILE *out, const struct cpu *cpu)
{
    fprintf(out, "resmark     %s, built with %s\n", RESMARK_VERSION, MACHINE_COMPILER);
    fprintf(out, "CPU         %s\n", cpu->brand);
    fprintf(out, "            %s, %s, family %d, model %d, stepping %d\n",
            architecture_name(cpu->architecture), cpu->vendor, cpu->family, cpu->model,
            cpu->stepping);
    fprintf(out, "features   ");
    int column = 11;
    for (int i = 0; i < CPU_FEATURE_COUNT; i++) {
        const char *name = cpu_feature_name((enum cpu_feature)i);
        if (!cpu->features[i])
            continue;
        if (column + 1 + strlen(name) > 80)
            column = fprintf(out, "\n           ") - 1;
        column += fprintf(out, " %s", name);
    }
    fprintf(out, "\n");
}

static void print_isas(FILE *out, const struct report *r)
{
    for (int i = 0; i < ISA_COUNT; i++) {
        const struct kernel_set *kernels = r->isas[i].kernels;
        fprintf(out, "%-12s%-8s", i ? "" : "ISAs", isa_name((enum isa)i));
        if (kernels)
            fprintf(out, "usable, register tile %d x %d (pixels x channels)\n",
                    kernels->tile_pixels, kernels->tile_blocks * BLOCK);
        else
            fprintf(out, "not usable: %s\n", r->isas[i].obstacle);
    }
}

/** The pin order as runs of neighbours: 0-3,8. */
static void print_pin_order(FILE *out, const struct topology *t)
{
    fprintf(out, "            threads are pinned in the order ");
    for (int i = 0, end; i < t->allowed_pus; i = end) {
        for (end = i + 1; end < t->allowed_pus; end++) {
            if (t->pin_order[end] != t->pin_order[end - 1] + 1)
                break;
        }
        fprintf(out, "%s%d", i ? "," : "", t->pin_order[i]);
        if (end - i > 1)
            fprintf(out, "-%d", t->pin_order[end - 1]);
    }
    fprintf(out, "\n");
}

static void print_count(FILE *out, int count, const char *what)
{
    if (count > 0)
        fprintf(out, "%d %s%s", count, what, count == 1 ? "" : "s");
    else
        fprintf(out, "unknown %ss", what);
}

static void print_topology(FILE *out, const struct topology *t)
{
    const struct {
        int count;
        const char *what;
    } counts[] = {
        {t->packages, "package"}, {t->numa_nodes, "NUMA node"}, {t->cores, "core"}, {t->pus, "PU"}};
    fprintf(out, "topology    ");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        fprintf(out, "%s", i ? ", " : "");
        print_count(out, counts[i].count, counts[i].what);
    }
    if (t->core_kinds > 1)
        fprintf(out, ", %d kinds of cores", t->core_kinds);
    fprintf(out, "\n            allowed here: ");
    print_count(out, t->allowed_cores, "core");
    fprintf(out, ", ");
    print_count(out, t->allowed_pus, "PU");
    fprintf(out, "\n");
    print_pin_order(out, t);
}

static void print_caches(FILE *out, const struct topology *t)
{
    bool any = false;
    for (int i = 0; i < CACHE_LEVELS; i++) {
        const struct cache *cache = &t->caches[i];
        if (cache->bytes == 0)
            continue;
        bool mebi = cache->bytes >= 1 << 20;
        fprintf(out, "%-12sL%d%s %6.4g %s", any ? "" : "caches", i + 1, i ? " " : "d",
                (double)cache->bytes / (mebi ? 1 << 20 : 1 << 10), mebi ? "MiB" : "KiB");
        if (cache->line_bytes)
            fprintf(out, ", lines of %zu bytes", cache->line_bytes);
        fprintf(out, ", for ");
        print_count(out, cache->sharing_pus, "PU");
        fprintf(out, "\n");
        any = true;
    }
    if (!any)
        fprintf(out, "caches      unknown\n");
}

static void print_text(FILE *out, const struct report *r)
{
    const struct machine *m = &r->machine;
    print_cpu(out, &m->cpu);
    print_isas(out, r);
    print_topology(out, &m->topology);
    print_caches(out, &m->topology);
    if (m->quota > 0)
        fprintf(out, "CPU quota   %.4g cores\n", m->quota);
    else
        fprintf(out, "CPU quota   none\n");
    fprintf(out, "threads     %d by default\n", m->default_threads);
    fprintf(out, "clocks      core %.3f GHz just now, counter %.6f GHz\n", r->core_hz / 1e9,
            r->tick_hz / 1e9);
    fprintf(out, "huge pages  %s\n", *m->huge_pages ? m->huge_pages : "unknown");
}

static json_t *isas_json(const struct report *r)
{
    json_t *isas = json_array();
    for (int i = 0; i < ISA_COUNT; i++) {
        const struct kernel_set *kernels = r->isas[i].kernels;
        json_t *isa = json_pack("{s:s, s:b, s:s?}", "name", isa_name((enum isa)i), "usable",
                                kernels != NULL, "reason", r->isas[i].obstacle);
        if (kernels)
            json_object_update_new(isa, json_pack("{s:i, s:i}", "tile_pixels", kernels->tile_pixels,
                                                  "tile_channels", kernels->tile_blocks * BLOCK));
        json_array_append_new(isas, isa);
    }
    return isas;
}

/** False when memory runs out. */
static bool print_json(FILE *out, const struct report *r)
{
    const struct machine *m = &r->machine;
    json_t *root =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:i, s:f, s:f, s:s?}", "version", RESMARK_VERSION,
                  "compiler", MACHINE_COMPILER, "cpu", machine_cpu_json(&m->cpu), "isas",
                  isas_json(r), "topology", machine_topology_json(&m->topology), "quota_cores",
                  m->quota > 0 ? json_real(m->quota) : json_null(), "default_threads",
                  m->default_threads, "core_hz", r->core_hz, "tick_hz", r->tick_hz,
                  "transparent_huge_pages", *m->huge_pages ? m->huge_pages : NULL);
    bool written = root && json_dumpf(root, out, JSON_INDENT(2)) == 0;
    json_decref(root);
    fprintf(out, "\n");
    return written;
}

static bool write_text(const char *text, struct error *e)
{
    if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
        return error_set(e, "cannot write to stdout: %s", strerror(errno));
    return true;
}

/** Formats everything in memory first, so that a full disk is met at one place only. */
static bool show(const struct report *r, bool json, struct error *e)
{
    char *text = NULL;
    size_t length;
    bool formatted = true;
    FILE *out = open_memstream(&text, &length);
    if (out && json)
        formatted = print_json(out, r);
    else if (out)
        print_text(out, r);
    if (!out || fclose(out) != 0)
        formatted = false;
    bool shown = formatted ? write_text(text, e) : error_set(e, "out of memory for the report");
    free(text);
    return shown;
}

enum request { REQUEST_TEXT, REQUEST_JSON, REQUEST_HELP };

static bool parse_options(int argc, char **argv, enum request *request, struct error *e)
{
    enum { OPTION_JSON = 256, OPTION_HELP }; /* beyond char: optopt tells long from short */
    static const struct option options[] = {
        {"json", no_argument, NULL, OPTION_JSON},
        {"help", no_argument, NULL, OPTION_HELP},
        {0},
    };
    *request = REQUEST_TEXT;
    optind = 0; /* makes glibc start anew, whatever was parsed before */
    opterr = 0;
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == OPTION_HELP || option == 'h')
            *request = REQUEST_HELP;
        else if (option == OPTION_JSON && *request != REQUEST_HELP)
            *request = REQUEST_JSON;
        else if (option == '?' && optopt > 0 && optopt < 256)
            return error_set(e, "unknown option -%c (see resmark info --help)", optopt);
        else if (option == '?')
            return error_set(e, "cannot use %s (see resmark info --help)", argv[optind - 1]);
    }
    if (optind < argc)
        return error_set(e, "takes no argument, but got '%s'", argv[optind]);
    return true;
}

static int fail(int status, const struct error *e)
{
    fprintf(stderr, "resmark info: %s\n", e->text);
    return status;
}

int cmd_info(int argc, char **argv)
{
    enum request request;
    struct error e;
    if (!parse_options(argc, argv, &request, &e))
        return fail(2, &e);
    if (request == REQUEST_HELP)
        return write_text(help, &e) ? 0 : fail(1, &e);

    struct report report = {0};
    if (!machine_read(&report.machine, &e))
        return fail(1, &e);
    int status = 0;
    if (!choose_isas(&report, &e)) {
        status = fail(2, &e);
    } else {
        report.tick_hz = clock_tick_hz(); /* its spinning also warms the core up for the next */
        report.core_hz = clock_core_hz();
        status = show(&report, request == REQUEST_JSON, &e) ? 0 : fail(1, &e);
    }
    machine_free(&report.machine);
    return status;
}
