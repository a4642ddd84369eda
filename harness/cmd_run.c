#include "harness/cmd_run.h"

#include "arch/clock.h"
#include "harness/input.h"
#include "harness/run_errors.h"
#include "harness/run_options.h"
#include "harness/run_tune.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
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
    bool ok = input_read(picture, run->options.image, e);
    run->image_width = picture->width;
    run->image_height = picture->height;
    return ok;
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

static struct team *widest_of(const struct run *run, struct team **teams)
{
    struct team *widest = teams[0];
    for (int i = 0; i < run->options.thread_counts; i++) {
        if (team_threads(teams[i]) == most_threads(&run->options))
            widest = teams[i];
    }
    return widest;
}

static struct model_options model_options_of(const struct run *run)
{
    const struct run_options *o = &run->options;
    const struct network *file = run->weights_file.path ? &run->weights_file.network.net : NULL;
    return (struct model_options){.network = file ? file->name : o->network,
                                  .classes = file ? file->classes : o->classes,
                                  .size = o->size,
                                  .batch = o->batch,
                                  .request = ALGO_AUTO,
                                  .no_softmax = o->no_softmax};
}

static bool make_models(struct run *run, struct team **teams, struct error *e)
{
    struct team *widest = widest_of(run, teams);
    uint64_t begin = clock_ns();
    struct param_source source = run_source(run);
    struct model_options options = model_options_of(run);
    for (int i = 0; i < run->options.algo_count; i++) {
        options.request = run->options.algos[i];
        if (!model_make(&run->models[run->model_count++], &options, &source, widest, e))
            return false;
    }
    run->weights_ms = (double)(clock_ns() - begin) * 1e-6;
    return true;
}

static bool add_contenders(struct run *run, struct team **teams, struct error *e)
{
    run->bench.layout = &run->layout;
    run->bench.topology = &run->machine.topology;
    run->bench.budget_s = run->options.max_time;
    run->bench.progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    run->bench.stop = &interrupted;
    const struct run_options *o = &run->options;
    for (int i = 0; i < run->isas.count * run->model_count * o->thread_counts; i++) {
        struct team *team = teams[i % o->thread_counts];
        const struct model *model = &run->models[i / o->thread_counts % run->model_count];
        enum isa isa = run->isas.isas[i / o->thread_counts / run->model_count];
        if (!bench_add(&run->bench, model, kernel_set_get(isa), team,
                       run_tune_blockings(run, model, isa, team_threads(team)), e))
            return false;
    }
    return true;
}

static bool measure(struct run *run, struct team **teams, uint64_t start_ns, struct error *e)
{
    struct image picture = {0};
    struct model_options options = model_options_of(run);
    bool ok = read_picture(run, &picture, e) && make_teams(run, teams, e) &&
              make_models(run, teams, e) &&
              layout_make(&run->layout, &run->models[0].net, &run->models[0].steps,
                          run->options.batch, e) &&
              input_fill(&run->models[0], &run->layout, &picture, !run->options.image, e) &&
              run_tune(run, &options, teams, widest_of(run, teams), &interrupted, e) &&
              add_contenders(run, teams, e);
    image_free(&picture);
    ok = ok && bench_run(&run->bench, e) && run_errors_measure(run, e);
    if (run->bench.progress)
        fprintf(stderr, "\r%40s\r", "");
    run->start_ms = (double)(run->bench.first_end_ns - start_ns) * 1e-6 - run->tune_ms;
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
    const struct bench *bench = &run->bench;
    for (int m = 0; m < run->model_count; m++) {
        for (int i = 0; i < bench->contenders[0].plan.step_count; i++) {
            char name[48];
            int with, other = bench_disagreement(bench, &run->models[m], i, &with);
            if (other >= 0)
                return error_set(e, "%s and %s compute different bits, first in layer %s",
                                 bench->contenders[with].set->name,
                                 bench->contenders[other].set->name, run_step_name(run, i, name));
        }
    }
    return true;
}

static void release(struct run *run, struct team **teams)
{
    run_errors_free(run);
    bench_free(&run->bench);
    layout_free(&run->layout);
    tuned_plan_free(&run->tuned);
    for (int i = 0; i < run->model_count; i++)
        model_free(&run->models[i]);
    weights_file_close(&run->weights_file);
    for (int i = 0; i < run->options.thread_counts; i++)
        team_free(teams[i]);
    machine_free(&run->machine);
}

static bool print_help(struct error *e)
{
    return (fputs(run_options_help, stdout) >= 0 && fflush(stdout) == 0) ||
           error_set(e, "cannot write to standard output: %s", strerror(errno));
}

static bool open_weights(struct run *run, struct error *e)
{
    uint64_t begin = clock_ns();
    bool ok = weights_file_open(&run->weights_file, run->options.weights, e);
    run->weights_check_ms = (double)(clock_ns() - begin) * 1e-6;
    if (ok && run->options.size == 0)
        run->options.size = network_default_size(run->weights_file.network.net.name);
    return ok;
}

/* Returns the exit status, with `e` set unless it is 0. */
static int run_request(struct run *run, struct team **teams, uint64_t start_ns, struct error *e)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
    if (!machine_read(&run->machine, e))
        return 1;
    if (!check_request(run, e))
        return 2;
    if (run->options.json && !run_check_json(run->options.json, e))
        return 1;
    if (run->options.weights && !open_weights(run, e))
        return 1;
    struct model_options options = model_options_of(run);
    if (!run_tune_check(run, &options, e))
        return 1;
    sigaction(SIGINT, &action, NULL);
    return measure(run, teams, start_ns, e) && print_result(run, e) && all_agree(run, e) &&
                   run_errors_check(run, e)
               ? 0
               : 1;
}

int cmd_run(int argc, char **argv)
{
    uint64_t start_ns = clock_ns();
    static struct run run;
    struct team *teams[RUN_MAX_THREAD_COUNTS] = {0};
    struct error e;
    enum run_parsed parsed = run_options_parse(argc, argv, &run.options, &e);
    int status = parsed == RUN_PARSED_ERROR  ? 2
                 : parsed == RUN_PARSED_HELP ? !print_help(&e)
                                             : run_request(&run, teams, start_ns, &e);
    if (status != 0)
        fprintf(stderr, "resmark run: %s\n", e.text);
    release(&run, teams);
    return status;
}
