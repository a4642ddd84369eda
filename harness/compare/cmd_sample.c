#include "harness/compare/cmd_sample.h"

#include "harness/compare/sampler.h"
#include "harness/interrupt.h"
#include "harness/json_fields.h"
#include "harness/option_values.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs that one line may ask for. */
#define MAX_RUNS 1000

static const char help[] =
    "Usage: resmark sample [OPTION]...\n"
    "\n"
    "One side of resmark compare --live: reads lines from standard input, each a number of runs\n"
    "(1 to 1000), and answers each with a line for every run: nanoseconds of the whole by the\n"
    "wall clock and of CPU time, and of each layer. What it runs, it says in a line of JSON "
    "first.\n"
    "\n"
    "  --network NAME one of those that resmark networks lists (default: resnet50_v2)\n"
    "  --isa ISA      the ISA (default: the best that is usable)\n"
    "  --algo A       auto (default), or for all convolutions that it serves one of\n"
    "                 " ALGO_NAMES "\n"
    "  --plan F       the plan that run --tune=F has made, instead\n"
    "  --threads N    (default: one for each core)\n"
    "  --batch N      images at a time, 1 to 1024 (default 1)\n"
    "  --size N       pixels of the network's square input, 32 to 4096 (default: the network's)\n"
    "  --seed S       of the synthetic weights (default 1)\n"
    "  --weights F    the network and its weights from an ONNX, safetensors or Keras file instead\n"
    "  --help         this text\n";

static bool parse_option(int option, struct sampler_options *o, struct error *e)
{
    switch (option) {
    case 'n':
        o->network = optarg;
        return true;
    case 'I':
        o->isa = optarg;
        return true;
    case 'a':
        return algo_parse(optarg, &o->algo) ||
               error_set(e, "--algo %s: it is none of " ALGO_NAMES ", auto", optarg);
    case 't':
        return option_integer("threads", optarg, 1, TEAM_MAX_THREADS, &o->threads, e);
    case 'b':
        return option_integer("batch", optarg, 1, MODEL_MAX_BATCH, &o->batch, e);
    case 'S':
        return option_integer("size", optarg, MODEL_MIN_SIZE, MODEL_MAX_SIZE, &o->size, e);
    case 's':
        return option_seed(optarg, &o->seed, e);
    default:
        *(option == 'W' ? &o->weights : &o->plan) = optarg;
        return *optarg ||
               error_set(e, "--%s needs the name of a file", option == 'W' ? "weights" : "plan");
    }
}

/* A file says itself what it holds; `made` and `algo`: whether the options were given. */
static bool check_together(const struct sampler_options *o, bool made, bool algo, struct error *e)
{
    if (o->weights && made)
        return error_set(e, "--weights: the file says which network it holds; give no --network "
                            "and no --seed");
    return !(o->plan && algo) ||
           error_set(e, "--plan: the file says which algorithms are used; give no --algo");
}

/* Whether there is such a network for such images. */
static bool choose_network(struct sampler_options *o, struct error *e)
{
    struct network net;
    if (o->weights)
        return true;
    if (!o->network)
        o->network = MODEL_DEFAULT_NETWORK;
    if (o->size == 0)
        o->size = network_default_size(o->network);
    bool ok = network_build(&net, o->network, MODEL_DEFAULT_CLASSES, o->size, e);
    network_free(&net);
    return ok;
}

/* Returns 0 to run, 1 for --help, 2 with `e` set. */
static int parse(int argc, char **argv, struct sampler_options *o, struct error *e)
{
    static const struct option options[] = {{"network", required_argument, NULL, 'n'},
                                            {"isa", required_argument, NULL, 'I'},
                                            {"algo", required_argument, NULL, 'a'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"batch", required_argument, NULL, 'b'},
                                            {"size", required_argument, NULL, 'S'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"weights", required_argument, NULL, 'W'},
                                            {"plan", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    *o = (struct sampler_options){.batch = 1, .algo = ALGO_AUTO, .seed = 1};
    bool made = false, algo = false;
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == 'h')
            return 1;
        if (option == '?' || option == ':')
            error_set(e, "%s: %s; see resmark sample --help", argv[optind - 1],
                      option == ':' ? "an argument is missing" : "unknown option");
        if (option == '?' || option == ':' || !parse_option(option, o, e))
            return 2;
        made = made || option == 'n' || option == 's';
        algo = algo || option == 'a';
    }
    if (optind == argc)
        return check_together(o, made, algo, e) && choose_network(o, e) ? 0 : 2;
    error_set(e, "unexpected argument '%s'; see resmark sample --help", argv[optind]);
    return 2;
}

static json_t *layers_json(const struct sampler *s)
{
    json_t *layers = json_array();
    for (int i = 0; i < s->plan.step_count; i++) {
        char name[48];
        const struct plan_step *step = &s->plan.steps[i];
        json_array_append_new(
            layers, json_pack("{s:s, s:s, s:s}", "name",
                              node_short_name(&s->model.net.nodes[step->node], name), "algo",
                              algo_name(step->algo), "kernel", step->kernel_name));
    }
    return layers;
}

/* What it runs, for the other side to compare. */
static bool print_head(const struct sampler *s, struct error *e)
{
    const struct network *net = &s->model.net;
    json_t *root = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:i, s:o, s:o}", "format",
        "resmark sample", "version", 1, "resmark_version", RESMARK_VERSION, "compiler",
        MACHINE_COMPILER, "network", net->name, "variant", net->variant, "size", s->size, "isa",
        s->plan.set->name, "algo", model_algo_name(&s->model), "threads", s->plan.threads, "batch",
        s->plan.batch, "logits_hash", json_hash(s->logits_hash), "layers", layers_json(s));
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    bool ok = text && puts(text) >= 0 && fflush(stdout) == 0;
    json_decref(root);
    free(text);
    return ok || error_set(e, "cannot write to standard output: %s", strerror(errno));
}

static bool answer(struct sampler *s, int runs, struct error *e)
{
    for (int i = 0; i < runs; i++) {
        struct sampler_time time = sampler_run(s);
        printf("%" PRIu64 " %" PRIu64, time.wall_ns, time.cpu_ns);
        for (int k = 0; k < s->plan.step_count; k++)
            printf(" %" PRIu64, s->step_ns[k]);
        putchar('\n');
    }
    return (fflush(stdout) == 0 && !ferror(stdout)) ||
           error_set(e, "cannot write to standard output: %s", strerror(errno));
}

static bool serve(struct sampler *s, struct error *e)
{
    char line[32];
    while (fgets(line, sizeof line, stdin)) {
        uint64_t runs;
        const char *end;
        if (!option_digits(line, MAX_RUNS, &runs, &end) || *end != '\n' || runs == 0)
            return error_set(e, "standard input: a line is no number of runs from 1 to %d",
                             MAX_RUNS);
        if (!answer(s, (int)runs, e))
            return false;
    }
    return true;
}

static bool print_help(struct error *e)
{
    return (fputs(help, stdout) >= 0 && fflush(stdout) == 0) ||
           error_set(e, "cannot write to standard output: %s", strerror(errno));
}

int cmd_sample(int argc, char **argv)
{
    static struct sampler sampler;
    struct sampler_options options;
    struct error e;
    int parsed = parse(argc, argv, &options, &e), status = parsed;
    if (parsed == 1) {
        status = print_help(&e) ? 0 : 1;
    } else if (parsed == 0) {
        /* Who stops a comparison wants its verdict from the other side, which ends this one. */
        interrupt_ignore();
        status = sampler_make(&sampler, &options, &e);
        if (status == 0 && (!print_head(&sampler, &e) || !serve(&sampler, &e)))
            status = 1;
        sampler_free(&sampler);
    }
    if (status != 0)
        fprintf(stderr, "resmark sample: %s\n", e.text);
    return status;
}
