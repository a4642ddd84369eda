#include "harness/run_options.h"

#include "harness/option_values.h"
#include "harness/tune.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Seconds. */
#define DEFAULT_MAX_TIME 8
#define LONGEST_TIME 3600

/* Per cent. */
#define DEFAULT_PRECISION 1

const char run_options_help[] =
    "Usage: resmark run [OPTION]...\n"
    "\n"
    "Runs a network on every kernel set that this CPU can use, and shows what each layer and the\n"
    "whole network achieve, and that all sets compute the same bits.\n"
    "\n"
    "  --network NAME one of those that resmark networks lists (default: resnet50_v2)\n"
    "  --classes N    outputs of the network, 1 to 100000 (default 1000)\n"
    "  --no-softmax   end with the logits\n"
    "  --image F      a JPEG or PNG file (default: a built-in picture)\n"
    "  --isa LIST     only these ISAs, such as scalar,avx2 (default: all that are usable)\n"
    "  --algo LIST    algorithms of the convolutions to compare: " ALGO_NAMES ",\n"
    "                 each where it serves; or auto, the best of them by a fixed rule (default)\n"
    "  --threads LIST thread counts to compare, such as 1,2 (default: one for each core)\n"
    "  --batch LIST   images at a time, 1 to 1024 each (default 1)\n"
    "  --size N       pixels of the network's square input, 32 to 4096 (default: the network's)\n"
    "  --seed S       of the synthetic weights (default 1)\n"
    "  --weights F    the network and its weights from an ONNX, safetensors or Keras file instead\n"
    "  --scenario S   what to compare: latency (one image at a time, the default); throughput "
    "(batches\n"
    "                 of 16); instances (one engine a core, each with one thread); sweep (thread "
    "counts x\n"
    "                 batches x instances, and which is best). All but latency use the best ISA "
    "alone,\n"
    "                 unless --isa is given; --threads, --batch and --instances replace the "
    "defaults\n"
    "  --instances LIST  independent engines that run at the same time on cores of their own, in a "
    "NUMA\n"
    "                 node as far as they fit, and share the weights (default 1)\n"
    "  --precision P  stop when the 95 % interval of the median is narrower than P per cent of it "
    "(default 1)\n"
    "  --max-time S   seconds to measure each row, if that does not come first (default 8)\n"
    "  --tune[=F]     measure which algorithm and which blocking of each convolution is fastest "
    "here,\n"
    "                 and add that as \"tuned\"; the plan goes to the file F\n"
    "  --tune-time S  seconds of that for each ISA on each thread count (default 20)\n"
    "  --plan F       add as \"tuned\" the plan in the file F, if it fits this network and "
    "machine\n"
    "  --retune       with --plan: make the plan anew, and the file, if it does not\n"
    "  --errors       also measure every layer against float64, and show its derived bound\n"
    "  --logits F     also write the network's input, its logits, and those of float64 with the "
    "bound\n"
    "                 on a float32 engine's error, as JSON, to compare other engines with\n"
    "  --json F       also write a result file\n"
    "  --resume F     go on with a run whose result file F says that it was interrupted (Ctrl-C), "
    "with its\n"
    "                 options; takes no other\n"
    "  --help         this text\n"
    "\n"
    "The environment variable " ISA_ENVIRONMENT " removes the ISAs that it does not name.\n";

static bool parse_seconds(const char *name, const char *text, double *seconds, struct error *e)
{
    char *end = NULL;
    double value = strchr("0123456789.", *text) ? strtod(text, &end) : 0;
    if (!(value > 0 && value <= LONGEST_TIME) || *end)
        return error_set(e, "--%s %s: it must be over 0 and at most %d seconds", name, text,
                         LONGEST_TIME);
    *seconds = value;
    return true;
}

static bool parse_precision(const char *text, double *precision, struct error *e)
{
    char *end = NULL;
    double value = strchr("0123456789.", *text) ? strtod(text, &end) : 0;
    if (!(value > 0 && value <= 100) || (*end && strcmp(end, "%") != 0))
        return error_set(e, "--precision %s: it must be over 0 and at most 100 per cent", text);
    *precision = value / 100;
    return true;
}

static bool parse_scenario(const char *text, enum scenario *scenario, struct error *e)
{
    for (int i = 0; i < SCENARIO_COUNT; i++) {
        *scenario = (enum scenario)i;
        if (strcmp(text, scenario_name(*scenario)) == 0)
            return true;
    }
    return error_set(e, "--scenario %s: it must be latency, throughput, instances or sweep", text);
}

static bool parse_tuning(int option, struct run_options *o, struct error *e)
{
    if (option == 'U')
        return parse_seconds("tune-time", optarg, &o->tune_time, e);
    o->tune = o->tune || option == 'T';
    o->retune = o->retune || option == 'r';
    if (option == 'T' && optarg)
        o->tune_file = optarg;
    if (option == 'p')
        o->plan_file = optarg;
    return !optarg || *optarg ||
           error_set(e, "--%s needs the name of a file", option == 'p' ? "plan" : "tune");
}

static bool parse_option(int option, struct run_options *o, struct error *e)
{
    switch (option) {
    case 'i':
        o->image = optarg;
        return true;
    case 'I':
        o->isa = optarg;
        return true;
    case 'j':
        o->json = optarg;
        return *optarg || error_set(e, "--json needs the name of a file");
    case 'L':
        o->logits = optarg;
        return *optarg || error_set(e, "--logits needs the name of a file");
    case 'R':
        o->resume = optarg;
        return *optarg || error_set(e, "--resume needs the name of a file");
    case 'w':
        o->weights = optarg;
        return true;
    case 't':
        return option_threads(optarg, o->threads, RUN_MAX_THREAD_COUNTS, &o->thread_counts, e);
    case 'a':
        return option_algos(optarg, o->algos, &o->algo_count, e);
    case 'b':
        return option_integers("batch", optarg, 1, MODEL_MAX_BATCH, o->batches, RUN_MAX_BATCHES,
                               &o->batch_count, e);
    case 'k':
        return option_integers("instances", optarg, 1, INSTANCES_MAX, o->instances,
                               RUN_MAX_INSTANCE_COUNTS, &o->instance_counts, e);
    case 'C':
        return parse_scenario(optarg, &o->scenario, e);
    case 'P':
        return parse_precision(optarg, &o->precision, e);
    case 'S':
        return option_integer("size", optarg, MODEL_MIN_SIZE, MODEL_MAX_SIZE, &o->size, e);
    case 'n':
        o->network = optarg;
        return true;
    case 'c':
        return option_integer("classes", optarg, 1, MODEL_MAX_CLASSES, &o->classes, e);
    case 'l':
        o->no_softmax = true;
        return true;
    case 'e':
        o->errors = true;
        return true;
    case 'm':
        return parse_seconds("max-time", optarg, &o->max_time, e);
    case 'T':
    case 'U':
    case 'p':
    case 'r':
        return parse_tuning(option, o, e);
    default:
        return option_seed(optarg, &o->seed, e);
    }
}

/* Whether there is such a network for such images; a weights file says itself what it holds. */
static bool choose_network(struct run_options *o, struct error *e)
{
    struct network net;
    if (o->weights)
        return (!o->network && o->classes == 0) ||
               error_set(e, "--weights: the file says which network it holds; give no --%s",
                         o->network ? "network" : "classes");
    if (!o->network)
        o->network = MODEL_DEFAULT_NETWORK;
    if (o->classes == 0)
        o->classes = MODEL_DEFAULT_CLASSES;
    if (o->size == 0)
        o->size = network_default_size(o->network);
    bool ok = network_build(&net, o->network, o->classes, o->size, e);
    network_free(&net);
    return ok;
}

static bool check_together(const struct run_options *o, struct error *e)
{
    if (o->resume && o->given > 1)
        return error_set(e, "--resume takes all options from its file: give no other");
    if (o->tune && o->plan_file)
        return error_set(e, "--tune makes a plan and --plan uses one: give only one of them, or "
                            "--plan with --retune");
    return !o->retune || o->plan_file ||
           error_set(e, "--retune needs --plan, the file to make anew when it does not fit");
}

enum run_parsed run_options_parse(int argc, char **argv, struct run_options *o, struct error *e)
{
    static const struct option options[] = {
        {"image", required_argument, NULL, 'i'},
        {"isa", required_argument, NULL, 'I'},
        {"algo", required_argument, NULL, 'a'},
        {"threads", required_argument, NULL, 't'},
        {"batch", required_argument, NULL, 'b'},
        {"seed", required_argument, NULL, 's'},
        {"json", required_argument, NULL, 'j'},
        {"max-time", required_argument, NULL, 'm'},
        {"tune", optional_argument, NULL, 'T'},
        {"tune-time", required_argument, NULL, 'U'},
        {"plan", required_argument, NULL, 'p'},
        {"retune", no_argument, NULL, 'r'},
        {"errors", no_argument, NULL, 'e'},
        {"size", required_argument, NULL, 'S'},
        {"weights", required_argument, NULL, 'w'},
        {"network", required_argument, NULL, 'n'},
        {"classes", required_argument, NULL, 'c'},
        {"no-softmax", no_argument, NULL, 'l'},
        {"scenario", required_argument, NULL, 'C'},
        {"instances", required_argument, NULL, 'k'},
        {"precision", required_argument, NULL, 'P'},
        {"resume", required_argument, NULL, 'R'},
        {"logits", required_argument, NULL, 'L'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    *o = (struct run_options){.seed = 1,
                              .max_time = DEFAULT_MAX_TIME,
                              .precision = DEFAULT_PRECISION / 100.0,
                              .tune_time = TUNE_SECONDS};
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == 'h')
            return RUN_PARSED_HELP;
        if (option == '?' || option == ':') {
            error_set(e, "%s: %s; see resmark run --help", argv[optind - 1],
                      option == ':' ? "an argument is missing" : "unknown option");
            return RUN_PARSED_ERROR;
        }
        o->given++;
        if (!parse_option(option, o, e))
            return RUN_PARSED_ERROR;
    }
    if (o->algo_count == 0)
        o->algos[o->algo_count++] = ALGO_AUTO;
    if (optind < argc) {
        error_set(e, "unexpected argument '%s'; see resmark run --help", argv[optind]);
        return RUN_PARSED_ERROR;
    }
    return choose_network(o, e) && check_together(o, e) ? RUN_PARSED_RUN : RUN_PARSED_ERROR;
}
