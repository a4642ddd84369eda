#include "harness/cmd_run.h"

#include "arch/clock.h"
#include "harness/interrupt.h"
#include "harness/run_errors.h"
#include "harness/run_logits.h"
#include "harness/run_options.h"
#include "harness/run_resume.h"
#include "harness/run_setup.h"
#include "harness/run_tune.h"

#include <errno.h>
#include <string.h>

static bool measure(struct run *run, const struct run_resume *resume, struct error *e)
{
    struct bench *bench = &run->bench;
    const volatile sig_atomic_t *interrupted = interrupt_watch();
    bool ok = run_setup(run, interrupted, e) &&
              (!resume->path || run_resume_apply(resume, run, e)) && bench_measure(bench, e);
    run->interrupted = *interrupted != 0;
    ok = ok && run_errors_measure(run, e);
    if (bench->progress)
        fprintf(stderr, "\r%70s\r", "");
    run->start_ms = (double)(bench->first_end_ns - bench->start_ns) * 1e-6 - run->tune_ms;
    return ok;
}

static bool write_files(const struct run *run, struct error *e)
{
    return (!run->options.logits || run_logits_write(run, run->options.logits, e)) &&
           (!run->options.json || run_write_json(run, run->options.json, e));
}

/* The files first: a terminal that was closed takes no text any more. */
static bool give_result(const struct run *run, struct error *e)
{
    bool written = write_files(run, e);
    run_print(run, stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_set(e, "cannot write to standard output: %s", strerror(errno));
    return written;
}

static bool all_agree(const struct run *run, struct error *e)
{
    const struct bench *bench = &run->bench;
    for (int m = 0; m < run->model_count; m++) {
        for (int i = 0; i < bench->contenders[0].plan->step_count; i++) {
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

static void release(struct run *run)
{
    run_errors_free(run);
    run_setup_free(run);
    weights_file_close(&run->weights_file);
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
static int run_request(struct run *run, const struct run_resume *resume, struct error *e)
{
    if (!machine_read(&run->machine, e))
        return 1;
    if (!run_setup_options(run, e))
        return 2;
    if (run->options.json && !run_check_json(run->options.json, e))
        return 1;
    if (run->options.logits && !run_logits_check(run->options.logits, e))
        return 1;
    if (run->options.weights && !open_weights(run, e))
        return 1;
    struct model_options options = run_setup_model_options(run);
    if (!run_tune_check(run, &options, e))
        return 1;
    return measure(run, resume, e) && give_result(run, e) && all_agree(run, e) &&
                   run_errors_check(run, e)
               ? 0
               : 1;
}

/* Takes the options from the file of an interrupted run, and leaves the result there. */
static enum run_parsed resume_options(struct run *run, struct run_resume *resume, struct error *e)
{
    const char *path = run->options.resume;
    if (!run_resume_open(resume, path, e) ||
        run_options_parse(resume->argc, resume->argv, &run->options, e) != RUN_PARSED_RUN)
        return RUN_PARSED_ERROR;
    run->argument_count = resume->argc - 1;
    run->arguments = resume->argv + 1;
    run->options.json = path;
    return RUN_PARSED_RUN;
}

int cmd_run(int argc, char **argv)
{
    static struct run run;
    struct run_resume resume = {0};
    struct error e;
    run.bench.start_ns = clock_ns();
    run.bench.order_seed = run.bench.start_ns;
    run.argument_count = argc - 1;
    run.arguments = argv + 1;
    int status = 2;
    enum run_parsed parsed = run_options_parse(argc, argv, &run.options, &e);
    if (parsed == RUN_PARSED_RUN && run.options.resume) {
        status = 1;
        parsed = resume_options(&run, &resume, &e);
    }
    if (parsed != RUN_PARSED_ERROR)
        status = parsed == RUN_PARSED_HELP ? !print_help(&e) : run_request(&run, &resume, &e);
    if (status != 0)
        fprintf(stderr, "resmark run: %s\n", e.text);
    release(&run);
    run_resume_close(&resume);
    return status;
}
