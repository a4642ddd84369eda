#include "harness/cmd_networks.h"

#include "harness/model.h"
#include "harness/network_totals.h"
#include "harness/option_values.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: resmark networks [OPTION]...\n"
    "\n"
    "Lists the networks that resmark run --network takes, and what one image costs. The figures\n"
    "are computed from the graph that runs. \"layers\" are those with weights on the longest way;\n"
    "parameters include the running statistics of batch norms.\n"
    "\n"
    "  --classes N    outputs, 1 to 100000 (default 1000)\n"
    "  --size N       pixels of the square image, 32 to 4096 (default: each network's own)\n"
    "  --json         as JSON, with weights and learnable parameters apart\n"
    "  --help         this text\n";

struct request {
    int classes, size; /* size 0: each network's own */
    bool json, help;
};

static bool parse(int argc, char **argv, struct request *r, struct error *e)
{
    static const struct option options[] = {{"classes", required_argument, NULL, 'c'},
                                            {"size", required_argument, NULL, 's'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    *r = (struct request){.classes = MODEL_DEFAULT_CLASSES};
    optind = 0; /* makes glibc start anew, whatever was parsed before */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == '?' || option == ':')
            return error_set(e, "%s: %s; see resmark networks --help", argv[optind - 1],
                             option == ':' ? "an argument is missing" : "unknown option");
        if (option == 'c' &&
            !option_integer("classes", optarg, 1, MODEL_MAX_CLASSES, &r->classes, e))
            return false;
        if (option == 's' &&
            !option_integer("size", optarg, MODEL_MIN_SIZE, MODEL_MAX_SIZE, &r->size, e))
            return false;
        r->json = r->json || option == 'j';
        r->help = r->help || option == 'h';
    }
    return optind == argc ||
           error_set(e, "unexpected argument '%s'; see resmark networks --help", argv[optind]);
}

static void print_row(const struct network *net, const struct network_totals *t)
{
    printf("%-18s %-12s %4d %6d %5d %5d %4d %14.0f %11zu\n", net->name, net->variant,
           net->nodes[0].shape.width, t->layers, t->convolutions, t->batch_norms, t->additions,
           t->macs, t->parameters);
}

static json_t *row_json(const struct network *net, const struct network_totals *t)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I}", "name",
                     net->name, "variant", net->variant, "size", net->nodes[0].shape.width,
                     "classes", net->classes, "layers", t->layers, "convolutions", t->convolutions,
                     "batch_norms", t->batch_norms, "additions", t->additions, "macs",
                     (json_int_t)t->macs, "addition_elements", (json_int_t)t->addition_floats,
                     "weights", (json_int_t)t->weights, "learnable", (json_int_t)t->learnable,
                     "parameters", (json_int_t)t->parameters);
}

/* Whether the images are too small for a network; then it is not counted. */
static bool too_small(const struct request *r, const char *name)
{
    int least = network_least_size(name);
    bool small = r->size != 0 && r->size < least;
    if (small && !r->json)
        printf("%-18s needs %d pixels\n", name, least);
    return small;
}

/* Prints a network, or with `rows` appends it to them. */
static bool show(const struct request *r, const char *name, json_t *rows, struct error *e)
{
    struct network net;
    struct network_totals totals;
    int size = r->size ? r->size : network_default_size(name);
    bool ok = network_build(&net, name, r->classes, size, e) && network_count(&net, &totals, e);
    if (ok && rows)
        json_array_append_new(rows, row_json(&net, &totals));
    else if (ok)
        print_row(&net, &totals);
    network_free(&net);
    return ok;
}

static bool print_json(json_t *rows, struct error *e)
{
    char *text = json_dumps(rows, JSON_INDENT(1));
    if (!text)
        return error_set(e, "no memory for the list of networks");
    puts(text);
    free(text);
    return true;
}

static bool show_all(const struct request *r, struct error *e)
{
    json_t *rows = r->json ? json_array() : NULL;
    bool ok = true;
    if (!r->json)
        printf("%-18s %-12s %4s %6s %5s %5s %4s %14s %11s\n", "network", "variant", "size",
               "layers", "convs", "norms", "adds", "MACs", "parameters");
    for (int i = 0; ok && network_name(i); i++)
        ok = too_small(r, network_name(i)) || show(r, network_name(i), rows, e);
    ok = ok && (!rows || print_json(rows, e));
    json_decref(rows);
    return ok;
}

static int fail(int status, const struct error *e)
{
    fprintf(stderr, "resmark networks: %s\n", e->text);
    return status;
}

int cmd_networks(int argc, char **argv)
{
    struct request request;
    struct error e;
    if (!parse(argc, argv, &request, &e))
        return fail(2, &e);
    if (request.help)
        fputs(help, stdout);
    else if (!show_all(&request, &e))
        return fail(1, &e);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    error_set(&e, "cannot write to standard output: %s", strerror(errno));
    return fail(1, &e);
}
