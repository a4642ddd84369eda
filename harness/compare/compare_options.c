#include "harness/compare/compare_options.h"

#include "harness/compare/paired.h"
#include "harness/option_values.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Of 110 comparisons of a build with itself by scripts/compare-trust on a shared virtual machine,
 * the logarithms of the ratios had a standard deviation of 1.14 %, which is sqrt(2) times that of a
 * run, 0.81 %; the tails are heavier than normal ones: with that, 6 are called different, with
 * this 4. */
#define DEFAULT_BETWEEN_RUNS 0.009

const char compare_options_help[] =
    "Usage: resmark compare BASE RESULT... [OPTION]...\n"
    "       resmark compare --live BIN_A BIN_B [OPTION]... [-- ARGUMENT...]\n"
    "\n"
    "Compares result files of resmark run --json with the first of them, or with several a whole\n"
    "directory of them: what takes part in both, as a whole and layer by layer, with drift "
    "between\n"
    "the runs taken out by the FMA ceiling that each measured beside its repetitions. The whole "
    "is\n"
    "judged by its fastest repetitions, which others on the cores leave alone; where these were\n"
    "disturbed, too, the comparison is suspect: repeat the run that it names, or compare --live.\n"
    "\n"
    "  --between-runs P  by how many percent (standard deviation) a run differs from others of "
    "the same\n"
    "                 when that is taken out (default 0.9, which scripts/compare-trust measured; "
    "of\n"
    "                 networks of under 0.2 ms up to 1.7)\n"
    "\n"
    "With --live, runs two builds of resmark in turn on the same cores, an image each, who goes "
    "first decided\n"
    "by chance, until it is clear whether B is faster or slower than A. The arguments behind --\n"
    "are those of resmark sample, which both get.\n"
    "\n"
    "  --max-time S   seconds after which it ends (default 60)\n"
    "  --pairs N      pairs of runs after which it ends, 16 to 2000 (default 1000)\n"
    "  --margin P     a difference that is certainly under P percent is none (default 1)\n"
    "  --restarts N   how often both processes are started anew, 1 to 100 (default 7)\n"
    "  --clock C      wall, cpu, or auto: CPU time on one thread, else the wall clock (default)\n"
    "  --force        compare what differs in machine, network or image size, too\n"
    "  --json         for programs\n"
    "  --help         this text\n"
    "\n"
    "Live, a verdict is of a difference of more than 0.3 % of the whole, 25 % of a layer. The "
    "whole\n"
    "is judged by how much the starts differ: processes of one build do, by which pages their "
    "memory\n"
    "got. The more starts, the smaller a difference is found.\n"
    "\n"
    "With a probability of 95 % no verdict calls equal things different; the layers share a fifth\n"
    "of the remaining 5 % by Holm's procedure, and the looks that are taken on the way the rest.\n";

static bool parse_real(const char *name, const char *text, double most, double *value,
                       struct error *e)
{
    char *end = NULL;
    *value = strchr("0123456789.", *text) ? strtod(text, &end) : 0;
    return (end && !*end && *value > 0 && *value <= most) ||
           error_set(e, "--%s %s: it must be over 0 and at most %g", name, text, most);
}

static bool parse_percent(const char *name, const char *text, double *share, struct error *e)
{
    bool ok = parse_real(name, text, 100, share, e);
    *share /= 100;
    return ok;
}

static bool parse_clock(const char *text, enum live_clock *clock, struct error *e)
{
    static const char *const names[] = {"auto", "wall", "cpu"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *clock = (enum live_clock)i;
            return true;
        }
    }
    return error_set(e, "--clock %s: it is none of wall, cpu, auto", text);
}

static bool parse_option(int option, struct compare_options *o, struct error *e)
{
    switch (option) {
    case 'l':
        return o->is_live = true;
    case 'j':
        return o->json = true;
    case 'h':
        return o->help = true;
    case 'f':
        return o->files.force = o->live.force = true;
    case 'm':
        return parse_real("max-time", optarg, 86400, &o->live.max_time, e);
    case 'n':
        return option_integer("pairs", optarg, PAIRED_MIN, PAIRED_MAX, &o->live.max_pairs, e);
    case 'r':
        return option_integer("restarts", optarg, 1, LIVE_MAX_RESTARTS, &o->live.restarts, e);
    case 'c':
        return parse_clock(optarg, &o->live.clock, e);
    case 'b':
        return parse_percent("between-runs", optarg, &o->files.between_runs, e);
    default:
        return parse_percent("margin", optarg, &o->live.margin, e);
    }
}

/* Where the arguments of the programs begin. */
static int find_end(int argc, char **argv)
{
    int end = 1;
    while (end < argc && strcmp(argv[end], "--") != 0)
        end++;
    return end;
}

static int take_programs(int count, char **argv, struct compare_options *o, struct error *e)
{
    o->live.programs[0] = argv[0];
    o->live.programs[1] = argv[1];
    if (count == 2)
        return 0;
    error_set(e, "--live compares two programs, and %d are given; see resmark compare --help",
              count);
    return 2;
}

static int take_files(int count, char **argv, struct compare_options *o, struct error *e)
{
    for (int i = 0; i < count; i++) {
        if (!result_list_add(&o->paths, argv[i], e))
            return 1;
    }
    if (o->paths.count >= 2)
        return 0;
    error_set(e, "it takes two result files or more, the first of which is the base; see resmark "
                 "compare --help");
    return 2;
}

int compare_options_parse(int argc, char **argv, struct compare_options *o, struct error *e)
{
    static const struct option options[] = {{"live", no_argument, NULL, 'l'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"force", no_argument, NULL, 'f'},
                                            {"max-time", required_argument, NULL, 'm'},
                                            {"pairs", required_argument, NULL, 'n'},
                                            {"restarts", required_argument, NULL, 'r'},
                                            {"margin", required_argument, NULL, 'M'},
                                            {"between-runs", required_argument, NULL, 'b'},
                                            {"clock", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    *o = (struct compare_options){
        .live = {.max_time = 60, .max_pairs = 1000, .margin = 0.01, .restarts = 7},
        .files = {.between_runs = DEFAULT_BETWEEN_RUNS}};
    int end = find_end(argc, argv);
    o->live.arguments = argv + (end < argc ? end + 1 : end);
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(end, argv, ":", options, NULL)) != -1;) {
        if (option == '?' || option == ':')
            error_set(e, "%s: %s; see resmark compare --help", argv[optind - 1],
                      option == ':' ? "an argument is missing" : "unknown option");
        if (option == '?' || option == ':' || !parse_option(option, o, e))
            return 2;
    }
    if (o->help)
        return 0;
    return o->is_live ? take_programs(end - optind, argv + optind, o, e)
                      : take_files(end - optind, argv + optind, o, e);
}
