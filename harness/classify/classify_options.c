#include "harness/classify/classify_options.h"

#include "harness/option_values.h"

#include <getopt.h>
#include <string.h>

/* Images that are computed together unless something else is asked for. */
#define DEFAULT_BATCH 8

#define DEFAULT_TOP 5
#define MAX_TOP 1000

const char classify_options_help[] =
    "Usage: resmark classify IMAGE... --weights F [OPTION]...\n"
    "\n"
    "Says what is in pictures: for each, the likeliest classes with their probabilities. An IMAGE\n"
    "is a JPEG or PNG file, or a directory with such files. One that cannot be read is reported\n"
    "and left out; the exit status is then 1.\n"
    "\n"
    "  --weights F    the network and its weights, an ONNX, safetensors or Keras file\n"
    "  --list F       also the images that the lines of this file name\n"
    "  --labels F     names of the classes, one a line (default: ImageNet's for 1000 classes, as\n"
    "                 torchvision has them, BSD 3-Clause; else numbers)\n"
    "  --top K        classes to show, 1 to 1000 (default 5)\n"
    "  --json         as JSON\n"
    "  --isa ISA      (default: the best that is usable)\n"
    "  --algo A       auto (default), or for all convolutions that it serves one of\n"
    "                 " ALGO_NAMES "\n"
    "  --threads N    (default: one for each core)\n"
    "  --batch N      images at a time, 1 to 1024 (default 8)\n"
    "  --size N       pixels of the network's square input (default: the network's)\n"
    "  --help         this text\n";

static bool parse_option(int option, struct classify_options *o, struct error *e)
{
    struct classifier_options *c = &o->classifier;
    switch (option) {
    case 'w':
        c->weights = optarg;
        return true;
    case 'l':
        o->labels = optarg;
        return true;
    case 'f':
        o->list = optarg;
        return true;
    case 'j':
        o->json = true;
        return true;
    case 'I':
        c->isa = optarg;
        return true;
    case 'a':
        return algo_parse(optarg, &c->algo) ||
               error_set(e, "--algo %s: it is none of " ALGO_NAMES ", auto", optarg);
    case 'k':
        return option_integer("top", optarg, 1, MAX_TOP, &o->top, e);
    case 't':
        return option_integer("threads", optarg, 1, TEAM_MAX_THREADS, &c->threads, e);
    case 'b':
        return option_integer("batch", optarg, 1, MODEL_MAX_BATCH, &c->batch, e);
    default:
        return option_integer("size", optarg, MODEL_MIN_SIZE, MODEL_MAX_SIZE, &c->size, e);
    }
}

static bool check(const struct classify_options *o, struct error *e)
{
    if (!o->classifier.weights)
        return error_set(e, "--weights is missing: the file with the network; see resmark classify "
                            "--help");
    return o->image_count > 0 || o->list ||
           error_set(e, "an image is missing; see resmark classify --help");
}

int classify_options_parse(int argc, char **argv, struct classify_options *o, struct error *e)
{
    static const struct option options[] = {
        {"weights", required_argument, NULL, 'w'}, {"labels", required_argument, NULL, 'l'},
        {"list", required_argument, NULL, 'f'},    {"top", required_argument, NULL, 'k'},
        {"json", no_argument, NULL, 'j'},          {"isa", required_argument, NULL, 'I'},
        {"algo", required_argument, NULL, 'a'},    {"threads", required_argument, NULL, 't'},
        {"batch", required_argument, NULL, 'b'},   {"size", required_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'},          {0}};
    *o = (struct classify_options){.classifier = {.algo = ALGO_AUTO, .batch = DEFAULT_BATCH},
                                   .top = DEFAULT_TOP};
    optind = 0; /* makes glibc start anew, whatever was parsed before */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == 'h')
            return 1;
        if (option == '?' || option == ':')
            error_set(e, "%s: %s; see resmark classify --help", argv[optind - 1],
                      option == ':' ? "an argument is missing" : "unknown option");
        if (option == '?' || option == ':' || !parse_option(option, o, e))
            return 2;
    }
    o->images = argv + optind;
    o->image_count = argc - optind;
    return check(o, e) ? 0 : 2;
}
