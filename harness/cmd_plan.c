#include "harness/cmd_plan.h"

#include "harness/plan_file.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: resmark plan FILE [--json]\n"
    "\n"
    "Shows a plan file that resmark run --tune=FILE has made: for which network and machine it\n"
    "is, and for each convolution its algorithm, how its loops are cut, and what it took by the\n"
    "fixed rules and by the plan.\n"
    "\n"
    "  --json         as JSON, checked and complete\n"
    "  --help         this text\n";

static void print_subject(const struct tuned_plan *plan)
{
    const struct tuned_network *n = &plan->network;
    const struct tuned_machine *m = &plan->machine;
    printf("network  %s (%s), %d classes, %dx%d, batch %d\n", n->name, n->variant, n->classes,
           n->size, n->size, n->batch);
    printf("machine  %s, family %d model %d stepping %d, %d core%s allowed", m->cpu, m->family,
           m->model, m->stepping, m->allowed_cores, m->allowed_cores == 1 ? "" : "s");
    for (int i = 0; i < CACHE_LEVELS; i++) {
        if (m->caches[i])
            printf(", L%d %zu KiB", i + 1, m->caches[i] >> 10);
    }
    printf("\nmade by  resmark %s\n", plan->resmark_version);
}

static void print_times(const struct tuned_time *time)
{
    double gain = time->rule_us > 0 ? 100 * (1 - time->tuned_us / time->rule_us) : 0;
    printf(" %9.1f %9.1f", time->rule_us, time->tuned_us);
    if (time->tuned_us < time->rule_us)
        printf(" %6.1f %%", gain);
}

static void print_row(const char *name, enum algo algo, const struct step_blocking *b,
                      const struct tuned_time *time)
{
    printf("%-24s %-10s ", name, algo_name(algo));
    if (algo == ALGO_DIRECT)
        printf("%5d %5d %5d  %-8s", b->conv.strip, b->conv.group, b->conv.chunk, "-");
    else
        printf("%5s %5s %5d  %-8s", "-", "-", b->bilinear.chunk,
               b->bilinear.by_channels ? "channels" : "tiles");
    print_times(time);
    printf("\n");
}

static void print_cut(const struct tuned_plan *plan, const struct tuned_cut *cut)
{
    struct tuned_time sum = {0};
    printf("\n%s on %d thread%s\n", isa_name(cut->isa), cut->threads, cut->threads == 1 ? "" : "s");
    printf("%-24s %-10s %5s %5s %5s  %-8s %9s %9s %8s\n", "layer", "algo", "strip", "group",
           "chunk", "split by", "rule us", "tuned us", "gain");
    for (int i = 0; i < plan->conv_count; i++) {
        print_row(plan->names[i], plan->algos[i], &cut->blockings[i], &cut->times[i]);
        sum.rule_us += cut->times[i].rule_us;
        sum.tuned_us += cut->times[i].tuned_us;
    }
    printf("%-24s %-10s %5s %5s %5s  %-8s", "all convolutions", "", "", "", "", "");
    print_times(&sum);
    printf("\n");
}

static bool print_json(const struct tuned_plan *plan, struct error *e)
{
    json_t *root = tuned_plan_json(plan);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(root);
    if (!text)
        return error_set(e, "no memory for the plan");
    puts(text);
    free(text);
    return true;
}

static bool show(const char *path, bool json, struct error *e)
{
    struct tuned_plan plan;
    bool ok = plan_file_read(&plan, path, e);
    if (ok && json) {
        ok = print_json(&plan, e);
    } else if (ok) {
        print_subject(&plan);
        for (int i = 0; i < plan.cut_count; i++)
            print_cut(&plan, &plan.cuts[i]);
    }
    tuned_plan_free(&plan);
    return ok;
}

static int fail(int status, const struct error *e)
{
    fprintf(stderr, "resmark plan: %s\n", e->text);
    return status;
}

int cmd_plan(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false, helped = false;
    struct error e;
    optind = 0; /* makes glibc start anew, whatever was parsed before */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == '?') {
            error_set(&e, "%s: unknown option; see resmark plan --help", argv[optind - 1]);
            return fail(2, &e);
        }
        json = json || option == 'j';
        helped = helped || option == 'h';
    }
    if (!helped && argc - optind != 1) {
        error_set(&e, "it takes the name of one plan file; see resmark plan --help");
        return fail(2, &e);
    }
    if (helped)
        fputs(help, stdout);
    else if (!show(argv[optind], json, &e))
        return fail(1, &e);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    error_set(&e, "cannot write to standard output: %s", strerror(errno));
    return fail(1, &e);
}
