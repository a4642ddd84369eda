#include "harness/verify/options.h"

#include "harness/option_values.h"

#include <getopt.h>

/* All outputs of all layers are kept, so there is no use for a large one. */
#define MAX_BATCH 16

const char verify_options_help[] =
    "Usage: resmark verify [OPTION]...\n"
    "\n"
    "Shows that all kernel sets, thread counts and algorithms compute the same network: equal\n"
    "bits in every layer for the same algorithms; errors within their derived bounds for others\n"
    "and against float64. A failure names the first layer and its worst value, and the command\n"
    "that shows it alone.\n"
    "\n"
    "  --write F      keep what was computed in a small file, for another machine\n"
    "  --against F    compare with such a file, whose network, size, batch, seed and algorithms\n"
    "                 it then is; of weights from a file, give that with --weights\n"
    "  --isa LIST     only these ISAs, such as scalar,avx2 (default: all that are usable); the\n"
    "                 scalar kernels on one thread are what they are compared with\n"
    "  --algo LIST    " ALGO_NAMES ",\n"
    "                 auto (default: all of them)\n"
    "  --plan F       also the plan that run --tune=F has made\n"
    "  --threads LIST such as 1,2 (default: 1, and one for each core)\n"
    "  --network NAME one of those that resmark networks lists (default resnet50_v2)\n"
    "  --size N       pixels of its square input, 32 to 4096 (default: its own)\n"
    "  --batch N      images at a time, 1 to 16 (default 1)\n"
    "  --seed S       of the synthetic weights (default 1)\n"
    "  --weights F    the network and its weights from an ONNX, safetensors or Keras file instead\n"
    "  --layer NAME   compare this layer alone\n"
    "  --bits         leave float64 out, for emulators\n"
    "  --json         all of it as JSON\n"
    "  --help         this text\n"
    "\n"
    "The environment variable " ISA_ENVIRONMENT " removes the ISAs that it does not name.\n";

static const struct option options[] = {
    {"write", required_argument, NULL, 'w'},   {"against", required_argument, NULL, 'A'},
    {"isa", required_argument, NULL, 'I'},     {"algo", required_argument, NULL, 'a'},
    {"plan", required_argument, NULL, 'p'},    {"threads", required_argument, NULL, 't'},
    {"size", required_argument, NULL, 'S'},    {"batch", required_argument, NULL, 'b'},
    {"seed", required_argument, NULL, 's'},    {"network", required_argument, NULL, 'n'},
    {"weights", required_argument, NULL, 'W'}, {"layer", required_argument, NULL, 'L'},
    {"bits", no_argument, NULL, 'B'},          {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},          {0},
};

static bool parse_option(int option, struct verify_options *o, struct error *e)
{
    switch (option) {
    case 'a':
        return option_algos(optarg, o->algos, &o->algo_count, e);
    case 't':
        return option_threads(optarg, o->threads, VERIFY_MAX_THREAD_COUNTS, &o->thread_counts, e);
    case 'S':
        return option_integer("size", optarg, MODEL_MIN_SIZE, MODEL_MAX_SIZE, &o->size, e);
    case 'n':
        o->network = optarg;
        return network_default_size(optarg) > 0 ||
               error_set(e, "--network %s: it is unknown; resmark networks lists them", optarg);
    case 'b':
        return option_integer("batch", optarg, 1, MAX_BATCH, &o->batch, e);
    case 's':
        return option_seed(optarg, &o->seed, e);
    case 'B':
        o->bits_only = true;
        return true;
    case 'j':
        o->json = true;
        return true;
    case 'I':
        o->isa = optarg;
        return true;
    case 'L':
        o->layer = optarg;
        return true;
    default:
        *(option == 'w'   ? &o->write
          : option == 'A' ? &o->against
          : option == 'W' ? &o->weights
                          : &o->plan) = optarg;
        return *optarg || error_set(e, "--%s needs the name of a file",
                                    option == 'w'   ? "write"
                                    : option == 'A' ? "against"
                                    : option == 'W' ? "weights"
                                                    : "plan");
    }
}

static bool is_of_the_file(int option)
{
    return option == 'n' || option == 'S' || option == 'b' || option == 's' || option == 'a';
}

static bool check_together(const struct verify_options *o, bool shaped, bool made, struct error *e)
{
    if (o->weights && made)
        return error_set(e, "--weights: the file says which network it holds; give no --network "
                            "and no --seed");
    if (o->against && shaped)
        return error_set(e,
                         "--against takes network, size, batch, seed and algorithms from the file: "
                         "leave those options out");
    if (o->plan && (o->write || o->against))
        return error_set(e, "--plan is for one machine, and a file for several: leave one of them "
                            "out");
    return !(o->layer && (o->write || o->against)) ||
           error_set(e, "--layer compares one layer, and a file holds all: leave one of them out");
}

static void add_all_algos(struct verify_options *o)
{
    for (int i = 0; i < ALGO_COUNT; i++)
        o->algos[o->algo_count++] = (enum algo)i;
}

enum verify_parsed verify_options_parse(int argc, char **argv, struct verify_options *o,
                                        struct error *e)
{
    bool shaped = false, made = false;
    *o = (struct verify_options){.network = MODEL_DEFAULT_NETWORK, .batch = 1, .seed = 1};
    optind = 0; /* makes glibc start anew, whatever was parsed before */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == 'h')
            return VERIFY_PARSED_HELP;
        if (option == '?' || option == ':') {
            error_set(e, "%s: %s; see resmark verify --help", argv[optind - 1],
                      option == ':' ? "an argument is missing" : "unknown option");
            return VERIFY_PARSED_ERROR;
        }
        if (!parse_option(option, o, e))
            return VERIFY_PARSED_ERROR;
        shaped = shaped || is_of_the_file(option);
        made = made || option == 'n' || option == 's';
    }
    if (o->algo_count == 0)
        add_all_algos(o);
    if (o->size == 0 && !o->weights)
        o->size = network_default_size(o->network);
    if (optind < argc) {
        error_set(e, "unexpected argument '%s'; see resmark verify --help", argv[optind]);
        return VERIFY_PARSED_ERROR;
    }
    return check_together(o, shaped, made, e) ? VERIFY_PARSED_RUN : VERIFY_PARSED_ERROR;
}
