#include "harness/cmd_export.h"

#include "harness/formats/export.h"
#include "harness/option_values.h"
#include "harness/synthetic.h"
#include "harness/whole_file.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

/* Of the image; no exported file depends on it. */
#define ANY_SIZE 224

#define MAX_CLASSES 100000

static const char help[] =
    "Usage: resmark export --format FORMAT -o FILE [OPTION]...\n"
    "\n"
    "Writes a network with synthetic weights, so that other engines can run the same one.\n"
    "\n"
    "  --format F     onnx: the graph, from the image to the logits, with the weights in it\n"
    "                 safetensors: the weights alone, by the names of the network's publisher\n"
    "  -o, --output F the file to write\n"
    "  --network N    which network (default: resnet50_v2)\n"
    "  --classes K    of its last layer, 1 to 100000 (default 1000)\n"
    "  --seed S       of the synthetic weights (default 1)\n"
    "  --help         this text\n";

typedef bool export_format(const struct network *net, const struct param_source *source,
                           const char *origin, FILE *stream, struct error *e);

static const struct {
    const char *name;
    export_format *write;
} formats[] = {{"onnx", export_onnx}, {"safetensors", export_safetensors}};

struct request {
    const char *network, *output;
    export_format *write;
    int classes;
    uint64_t seed;
    bool helped;
};

static bool parse_format(const char *name, struct request *r, struct error *e)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(formats[i].name, name) == 0)
            r->write = formats[i].write;
    }
    return r->write || error_set(e, "--format %s: there are onnx and safetensors", name);
}

static bool parse_option(int option, struct request *r, struct error *e)
{
    switch (option) {
    case 'f':
        return parse_format(optarg, r, e);
    case 'n':
        r->network = optarg;
        return true;
    case 'o':
        r->output = optarg;
        return *optarg || error_set(e, "--output needs the name of a file");
    case 'c':
        return option_integer("classes", optarg, 1, MAX_CLASSES, &r->classes, e);
    case 'h':
        r->helped = true;
        return true;
    default:
        return option_seed(optarg, &r->seed, e);
    }
}

static bool parse(int argc, char **argv, struct request *r, struct error *e)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'},
        {"network", required_argument, NULL, 'n'},
        {"output", required_argument, NULL, 'o'},
        {"seed", required_argument, NULL, 's'},
        {"classes", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    optind = 0; /* makes glibc start anew, whatever was parsed before */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":o:", options, NULL)) != -1;) {
        if (option == '?' || option == ':')
            return error_set(e, "%s: %s; see resmark export --help", argv[optind - 1],
                             option == ':' ? "an argument is missing" : "unknown option");
        if (!parse_option(option, r, e))
            return false;
    }
    if (optind < argc)
        return error_set(e, "unexpected argument '%s'; see resmark export --help", argv[optind]);
    return r->helped || (r->write && r->output) ||
           error_set(e, "--format and -o FILE are needed; see resmark export --help");
}

static bool write_network(const struct network *net, const struct request *r, struct error *e)
{
    char origin[64];
    struct whole_file file;
    struct param_source source = synthetic_source(&r->seed);
    snprintf(origin, sizeof origin, "synthetic, seed %" PRIu64, r->seed);
    if (!whole_file_check(r->output, "network file", e) ||
        !whole_file_begin(&file, r->output, "network file", e))
        return false;
    return whole_file_end(&file, r->write(net, &source, origin, file.stream, e), e);
}

/* Returns the exit status, with `e` set unless it is 0. */
static int run_request(const struct request *r, struct error *e)
{
    struct network net;
    if (r->helped)
        return (fputs(help, stdout) >= 0 && fflush(stdout) == 0) ||
                       error_set(e, "cannot write to standard output: %s", strerror(errno))
                   ? 0
                   : 1;
    if (!network_build(&net, r->network, r->classes, ANY_SIZE, e))
        return 2;
    bool ok = write_network(&net, r, e);
    network_free(&net);
    return ok ? 0 : 1;
}

int cmd_export(int argc, char **argv)
{
    struct request request = {.network = "resnet50_v2", .classes = 1000, .seed = 1};
    struct error e;
    int status = parse(argc, argv, &request, &e) ? run_request(&request, &e) : 2;
    if (status != 0)
        fprintf(stderr, "resmark export: %s\n", e.text);
    return status;
}
