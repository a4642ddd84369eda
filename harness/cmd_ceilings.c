#include "harness/cmd_ceilings.h"

#include "harness/machine.h"
#include "harness/measure/ceilings_json.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: resmark ceilings [--json]\n"
    "\n"
    "Measures what the cores could do at most, one core alone and all together: operations a\n"
    "second from chains of fused multiply-adds with each ISA's registers, and bytes a second from\n"
    "each level of cache and from DRAM (of a copy, those read and those written). Takes a few\n"
    "seconds; what else runs meanwhile lowers the figures.\n"
    "\n"
    "  --json   one JSON object instead of text\n"
    "  --help   this text\n"
    "\n"
    "The environment variable " ISA_ENVIRONMENT " removes the ISAs that it does not name.\n";

/* One core alone, and all. */
#define MAX_TEAMS 2

static const volatile sig_atomic_t never;

struct work {
    struct machine machine;
    struct isa_list isas;
    int team_count;
    struct team *teams[MAX_TEAMS];
    struct ceilings ceilings;
};

static bool make_teams(struct work *w, struct error *e)
{
    const int threads[MAX_TEAMS] = {1, w->machine.default_threads};
    for (int i = 0; i < (threads[1] > 1 ? 2 : 1); i++) {
        w->teams[i] = team_create(threads[i], &w->machine.topology, e);
        if (!w->teams[i])
            return false;
        w->team_count++;
    }
    return true;
}

static bool measure(struct work *w, struct error *e)
{
    enum isa best = w->isas.isas[w->isas.count - 1];
    for (int t = 0; t < w->team_count; t++) {
        for (int i = 0; i < w->isas.count; i++)
            ceilings_add_fma(&w->ceilings, kernel_set_get(w->isas.isas[i]), w->teams[t]);
        if (!ceilings_add_bandwidths(&w->ceilings, best, w->teams[t], &w->machine.topology,
                                     SIZE_MAX, &never, e))
            return false;
    }
    return true;
}

static void print_fma(FILE *out, const struct work *w)
{
    fprintf(out, "%-26s %8s %10s %12s %7s\n", "FMA chains", "threads", "GFLOP/s", "FLOP/cycle",
            "GHz");
    for (int i = 0; i < w->ceilings.fma_count; i++) {
        const struct fma_ceiling *f = &w->ceilings.fma[i];
        fprintf(out, "%-26s %8d %10.1f %12.1f %7.2f\n", isa_name(f->isa), f->threads, f->gflops,
                f->gflops * 1e9 / f->clock_hz / f->threads, f->clock_hz * 1e-9);
    }
}

static void print_bandwidth(FILE *out, const struct work *w, int level, int threads)
{
    const struct bandwidth *read = ceilings_bandwidth(&w->ceilings, level, BANDWIDTH_READ, threads);
    const struct bandwidth *copy = ceilings_bandwidth(&w->ceilings, level, BANDWIDTH_COPY, threads);
    char buffer[32];
    if (!read || !copy)
        return;
    snprintf(buffer, sizeof buffer, "%zu KiB each", read->buffer_bytes >> 10);
    fprintf(out, "%-5s %20s %8d %10.1f %12.1f\n", ceilings_level_name(level), buffer, threads,
            read->gb_per_s, copy->gb_per_s);
}

static void print_text(FILE *out, const struct work *w)
{
    fprintf(out, "%s, resmark %s\n\n", w->machine.cpu.brand, RESMARK_VERSION);
    print_fma(out, w);
    fprintf(out, "\n%-5s %20s %8s %10s %12s\n", "bytes", "buffer", "threads", "read GB/s",
            "copy GB/s");
    for (int level = 1; level <= CEILINGS_DRAM; level++) {
        for (int t = 0; t < w->team_count; t++)
            print_bandwidth(out, w, level, team_threads(w->teams[t]));
    }
}

static bool print_json(FILE *out, const struct work *w)
{
    json_t *root = json_pack("{s:s, s:s, s:s, s:o}", "resmark_version", RESMARK_VERSION, "compiler",
                             MACHINE_COMPILER, "cpu", w->machine.cpu.brand, "ceilings",
                             ceilings_json(&w->ceilings));
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(7)) : NULL;
    bool ok = text && fprintf(out, "%s\n", text) > 0;
    json_decref(root);
    free(text);
    return ok;
}

static bool show(const struct work *w, bool json, struct error *e)
{
    errno = ENOMEM;
    bool ok = true;
    if (json)
        ok = print_json(stdout, w);
    else
        print_text(stdout, w);
    return (ok && fflush(stdout) == 0 && !ferror(stdout)) ||
           error_set(e, "cannot write to standard output: %s", strerror(errno));
}

enum request { REQUEST_TEXT, REQUEST_JSON, REQUEST_HELP, REQUEST_ERROR };

static enum request parse_options(int argc, char **argv, struct error *e)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    enum request request = REQUEST_TEXT;
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == 'h')
            return REQUEST_HELP;
        if (option != 'j') {
            error_set(e, "%s: unknown option; see resmark ceilings --help", argv[optind - 1]);
            return REQUEST_ERROR;
        }
        request = REQUEST_JSON;
    }
    if (optind < argc) {
        error_set(e, "unexpected argument '%s'; see resmark ceilings --help", argv[optind]);
        return REQUEST_ERROR;
    }
    return request;
}

/* Returns the exit status, with `e` set unless it is 0. */
static int run_request(struct work *w, bool json, struct error *e)
{
    if (!machine_read(&w->machine, e))
        return 1;
    if (!isa_select(&w->machine.cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), NULL, &w->isas,
                    e))
        return 2;
    return make_teams(w, e) && measure(w, e) && show(w, json, e) ? 0 : 1;
}

int cmd_ceilings(int argc, char **argv)
{
    static struct work work;
    struct error e;
    enum request request = parse_options(argc, argv, &e);
    if (request == REQUEST_HELP && fputs(help, stdout) >= 0 && fflush(stdout) == 0)
        return 0;
    int status = 2;
    if (request == REQUEST_HELP)
        status = !error_set(&e, "cannot write to standard output: %s", strerror(errno));
    else if (request != REQUEST_ERROR)
        status = run_request(&work, request == REQUEST_JSON, &e);
    if (status != 0)
        fprintf(stderr, "resmark ceilings: %s\n", e.text);
    for (int i = 0; i < work.team_count; i++)
        team_free(work.teams[i]);
    machine_free(&work.machine);
    return status;
}
