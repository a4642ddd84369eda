#include "harness/cmd_run.h"

#include "arch/clock.h"
#include "harness/preprocess.h"
#include "harness/run.h"
#include "harness/synthetic.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NETWORK "resnet50_v2"
#define CLASSES 1000
#define SIZE 224
#define MAX_BATCH 1024

/* Measuring time of each contender. */
#define BUDGET_SECONDS 8.0

static const char help[] =
    "Usage: resmark run [OPTION]...\n"
    "\n"
    "Runs ResNet-50v2 on every kernel set that this CPU can use, and shows what each layer and "
    "the\n"
    "whole network achieve, and that all sets compute the same bits.\n"
    "\n"
    "  --image F      a JPEG or PNG file (default: a built-in picture)\n"
    "  --isa LIST     only these ISAs, such as scalar,avx2 (default: all that are usable)\n"
    "  --threads LIST thread counts to compare, such as 1,2 (default: one for each core)\n"
    "  --batch N      images at a time, 1 to 1024 (default 1)\n"
    "  --seed S       of the synthetic weights (default 1)\n"
    "  --json F       also write a result file\n"
    "  --help         this text\n"
    "\n"
    "The environment variable " ISA_ENVIRONMENT " removes the ISAs that it does not name.\n";

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *value, const char **end)
{
    if (*text < '0' || *text > '9')
        return false;
    char *stop;
    errno = 0;
    unsigned long long v = strtoull(text, &stop, 10);
    *value = v;
    *end = stop;
    return errno == 0 && v <= most;
}

static bool parse_threads(const char *text, struct run_options *o, struct error *e)
{
    const char *at = text;
    for (;;) {
        uint64_t value;
        if (!parse_number(at, TEAM_MAX_THREADS, &value, &at) || value == 0)
            return error_set(e, "--threads %s: thread counts are 1 to %d, separated by commas",
                             text, TEAM_MAX_THREADS);
        if (o->thread_counts == RUN_MAX_THREAD_COUNTS)
            return error_set(e, "--threads %s: at most %d thread counts", text,
                             RUN_MAX_THREAD_COUNTS);
        o->threads[o->thread_counts++] = (int)value;
        if (*at == '\0')
            return true;
        if (*at++ != ',')
            return error_set(e, "--threads %s: '%s' is not a thread count", text, at - 1);
    }
}

static bool parse_option(int option, struct run_options *o, struct error *e)
{
    const char *end = "";
    uint64_t value;
    switch (option) {
    case 'i':
        o->image = optarg;
        return true;
    case 'I':
        o->isa = optarg;
        return true;
    case 'j':
        o->json = optarg;
        return true;
    case 't':
        o->thread_counts = 0;
        return parse_threads(optarg, o, e);
    case 'b':
        if (!parse_number(optarg, MAX_BATCH, &value, &end) || *end || value == 0)
            return error_set(e, "--batch %s: it must be 1 to %d", optarg, MAX_BATCH);
        o->batch = (int)value;
        return true;
    default:
        if (!parse_number(optarg, UINT64_MAX, &o->seed, &end) || *end)
            return error_set(e, "--seed %s: it must be a whole number under 2^64", optarg);
        return true;
    }
}

enum parsed { PARSED_RUN, PARSED_HELP, PARSED_ERROR };

static enum parsed parse(int argc, char **argv, struct run_options *o, struct error *e)
{
    static const struct option options[] = {
        {"image", required_argument, NULL, 'i'},   {"isa", required_argument, NULL, 'I'},
        {"threads", required_argument, NULL, 't'}, {"batch", required_argument, NULL, 'b'},
        {"seed", required_argument, NULL, 's'},    {"json", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    *o = (struct run_options){.batch = 1, .seed = 1};
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == 'h')
            return PARSED_HELP;
        if (option == '?' || option == ':') {
            error_set(e, "%s: %s; see resmark run --help", argv[optind - 1],
                      option == ':' ? "an argument is missing" : "unknown option");
            return PARSED_ERROR;
        }
        if (!parse_option(option, o, e))
            return PARSED_ERROR;
    }
    if (optind < argc) {
        error_set(e, "unexpected argument '%s'; see resmark run --help", argv[optind]);
        return PARSED_ERROR;
    }
    return PARSED_RUN;
}

/* What of the request this machine cannot do; all of it is usage. */
static bool check_request(struct run *run, struct error *e)
{
    struct run_options *o = &run->options;
    if (!isa_select(&run->machine.cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), o->isa,
                    &run->isas, e))
        return false;
    if (o->thread_counts == 0)
        o->threads[o->thread_counts++] = run->machine.default_threads;
    for (int i = 0; i < o->thread_counts; i++) {
        if (o->threads[i] > run->machine.topology.allowed_pus)
            return error_set(e, "--threads %d: this process may use %d CPU%s; ask for 1 to %d",
                             o->threads[i], run->machine.topology.allowed_pus,
                             run->machine.topology.allowed_pus == 1 ? "" : "s",
                             run->machine.topology.allowed_pus);
    }
    return true;
}

static bool read_picture(struct run *run, struct image *picture, struct error *e)
{
    bool ok = run->options.image
                  ? image_read(picture, run->options.image, e)
                  : image_builtin(picture) || error_set(e, "no memory for the built-in picture");
    run->image_width = picture->width;
    run->image_height = picture->height;
    return ok;
}

/* Every image of the batch is the picture. */
static bool fill_images(struct run *run, const struct image *picture, struct error *e)
{
    struct pixel_table table;
    struct channel_affine norm;
    memcpy(norm.scale, run->model.weights.image_scale, sizeof norm.scale);
    memcpy(norm.shift, run->model.weights.image_shift, sizeof norm.shift);
    pixel_table_init(&table, &norm);
    const struct tensor *t = model_image(&run->model, &run->layout);
    for (int i = 0; i < run->options.batch; i++) {
        float *out = t->data + (size_t)i * t->image_stride;
        if (!run->options.image)
            preprocess_pixels(picture, &table, out, t->row_stride);
        else if (!preprocess(picture, SIZE, &table, out, t->row_stride, e))
            return false;
    }
    return true;
}

static void show_progress(const struct contender *c, double share)
{
    fprintf(stderr, "\r%3.0f %%  %s, %d threads   ", 100 * share, c->set->name,
            team_threads(c->team));
}

static int most_threads(const struct run_options *o)
{
    int most = 0;
    for (int i = 0; i < o->thread_counts; i++)
        most = o->threads[i] > most ? o->threads[i] : most;
    return most;
}

static bool make_teams(struct run *run, struct team **teams, struct error *e)
{
    for (int i = 0; i < run->options.thread_counts; i++) {
        teams[i] = team_create(run->options.threads[i], &run->machine.topology, e);
        if (!teams[i])
            return false;
    }
    return true;
}

static bool make_model(struct run *run, struct team **teams, struct error *e)
{
    struct team *widest = teams[0];
    for (int i = 0; i < run->options.thread_counts; i++) {
        if (team_threads(teams[i]) == most_threads(&run->options))
            widest = teams[i];
    }
    uint64_t begin = clock_ns();
    struct param_source source = synthetic_source(&run->options.seed);
    bool ok = model_make(&run->model, NETWORK, CLASSES, SIZE, &source, widest, e);
    run->weights_ms = (double)(clock_ns() - begin) * 1e-6;
    return ok;
}

static bool add_contenders(struct run *run, struct team **teams, struct error *e)
{
    run->bench.model = &run->model;
    run->bench.layout = &run->layout;
    run->bench.topology = &run->machine.topology;
    run->bench.budget_s = BUDGET_SECONDS;
    run->bench.progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    run->bench.stop = &interrupted;
    for (int i = 0; i < run->isas.count; i++) {
        for (int t = 0; t < run->options.thread_counts; t++) {
            if (!bench_add(&run->bench, kernel_set_get(run->isas.isas[i]), teams[t], e))
                return false;
        }
    }
    return true;
}

static bool measure(struct run *run, struct team **teams, uint64_t start_ns, struct error *e)
{
    struct image picture = {0};
    bool ok =
        read_picture(run, &picture, e) && make_teams(run, teams, e) && make_model(run, teams, e) &&
        layout_make(&run->layout, &run->model.net, &run->model.steps, run->options.batch, e) &&
        fill_images(run, &picture, e) && add_contenders(run, teams, e);
    image_free(&picture);
    ok = ok && bench_run(&run->bench, e);
    if (run->bench.progress)
        fprintf(stderr, "\r%40s\r", "");
    run->start_ms = (double)(run->bench.first_end_ns - start_ns) * 1e-6;
    return ok;
}

static bool print_result(const struct run *run, struct error *e)
{
    run_print(run, stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_set(e, "cannot write to standard output: %s", strerror(errno));
    return !run->options.json || run_write_json(run, run->options.json, e);
}

static bool all_agree(const struct run *run, struct error *e)
{
    for (int i = 0; i < run->bench.contenders[0].plan.step_count; i++) {
        int other = bench_disagreement(&run->bench, i);
        char name[48];
        if (other >= 0)
            return error_set(e, "%s and %s compute different bits, first in layer %s",
                             run->bench.contenders[0].set->name,
                             run->bench.contenders[other].set->name, run_step_name(run, i, name));
    }
    return true;
}

static void release(struct run *run, struct team **teams)
{
    bench_free(&run->bench);
    layout_free(&run->layout);
    model_free(&run->model);
    for (int i = 0; i < run->options.thread_counts; i++)
        team_free(teams[i]);
    machine_free(&run->machine);
}

int cmd_run(int argc, char **argv)
{
    uint64_t start_ns = clock_ns();
    static struct run run;
    struct team *teams[RUN_MAX_THREAD_COUNTS] = {0};
    struct error e;
    enum parsed parsed = parse(argc, argv, &run.options, &e);
    if (parsed == PARSED_HELP)
        return fputs(help, stdout) < 0 || fflush(stdout) != 0;
    int status = parsed == PARSED_ERROR ? 2 : !machine_read(&run.machine, &e) ? 1 : 0;
    if (status == 0 && !check_request(&run, &e))
        status = 2;
    if (status == 0) {
        struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
        sigaction(SIGINT, &action, NULL);
        bool ok =
            measure(&run, teams, start_ns, &e) && print_result(&run, &e) && all_agree(&run, &e);
        status = ok ? 0 : 1;
    }
    if (status != 0)
        fprintf(stderr, "resmark run: %s\n", e.text);
    release(&run, teams);
    return status;
}
