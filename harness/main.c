#include "arch/error.h"
#include "harness/classify/cmd_classify.h"
#include "harness/cmd_ceilings.h"
#include "harness/cmd_export.h"
#include "harness/cmd_info.h"
#include "harness/cmd_kernels.h"
#include "harness/cmd_networks.h"
#include "harness/cmd_plan.h"
#include "harness/cmd_run.h"
#include "harness/cmd_verify.h"
#include "harness/compare/cmd_compare.h"
#include "harness/compare/cmd_sample.h"
#include "harness/report/cmd_report.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: resmark COMMAND [OPTION]...\n"
    "\n"
    "  run      run a network on every kernel set of this CPU\n"
    "  classify say what is in pictures, by a network with real weights\n"
    "  networks list the networks and what they cost\n"
    "  report   show result files as a page for a browser, as Markdown or as CSV\n"
    "  verify   show that all kernel sets and algorithms compute the same network\n"
    "  compare  say what is faster, of result files or of two builds, and by how much\n"
    "  plan     show a plan that run --tune=FILE has made\n"
    "  kernels  check every kernel of this CPU against the scalar one\n"
    "  ceilings measure what the cores could do at most: FMA peak, bandwidths\n"
    "  export   write a network with synthetic weights for other engines\n"
    "  info     show this machine and which kernel sets it can use\n"
    "\n"
    "resmark COMMAND --help says more. resmark --version.\n";

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} commands[] = {{"run", cmd_run},           {"classify", cmd_classify}, {"verify", cmd_verify},
                {"networks", cmd_networks}, {"report", cmd_report},     {"compare", cmd_compare},
                {"plan", cmd_plan},         {"kernels", cmd_kernels},   {"ceilings", cmd_ceilings},
                {"export", cmd_export},     {"sample", cmd_sample},     {"info", cmd_info}};

static int print(const char *text)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return 0;
    perror("resmark: cannot write to standard output");
    return 1;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].main(argc - 1, argv + 1);
    }
    if (strcmp(name, "--help") == 0)
        return print(help);
    if (strcmp(name, "--version") == 0)
        return print("resmark " RESMARK_VERSION "\n");
    struct error e;
    error_set(&e, *name ? "unknown command '%s'" : "a command is missing%s", name);
    fprintf(stderr, "resmark: %s; see resmark --help\n", e.text);
    return 2;
}
