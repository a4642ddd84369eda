#include "harness/compare/cmd_compare.h"

#include "harness/compare/compare_options.h"
#include "harness/compare/files_output.h"
#include "harness/compare/live_output.h"
#include "harness/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void show_progress(int pairs, double seconds)
{
    fprintf(stderr, "\r%d pairs, %.0f s ", pairs, seconds);
}

static bool compare_live(struct compare_options *o, struct error *e)
{
    struct live_result result;
    /* A child that has ended is found out by what it last said, not by a signal. */
    signal(SIGPIPE, SIG_IGN);
    o->live.stop = interrupt_watch();
    o->live.progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    bool ok = live_compare(&result, &o->live, e);
    if (o->live.progress)
        fprintf(stderr, "\r%40s\r", "");
    if (ok && o->json)
        ok = live_print_json(&result, &o->live, stdout, e);
    else if (ok)
        live_print(&result, &o->live, stdout);
    live_free(&result);
    return ok;
}

static void show_files(size_t done, size_t count)
{
    if (done % 100 == 0)
        fprintf(stderr, "\r%zu of %zu files ", done, count);
}

static bool compare_result_files(struct compare_options *o, struct error *e)
{
    struct file_comparison comparison;
    bool show = isatty(STDERR_FILENO) && o->paths.count > 100;
    o->files.progress = show ? show_files : NULL;
    bool ok = compare_files(&comparison, o->paths.paths, o->paths.count, &o->files, e);
    if (show)
        fprintf(stderr, "\r%40s\r", "");
    if (ok && o->json)
        ok = files_print_json(&comparison, &o->files, stdout, e);
    else if (ok)
        files_print(&comparison, &o->files, stdout);
    file_comparison_free(&comparison);
    return ok;
}

int cmd_compare(int argc, char **argv)
{
    struct compare_options options;
    struct error e;
    int status = compare_options_parse(argc, argv, &options, &e);
    if (status == 0) {
        bool ok = true;
        if (options.help)
            fputs(compare_options_help, stdout);
        else
            ok = options.is_live ? compare_live(&options, &e) : compare_result_files(&options, &e);
        if (ok && (fflush(stdout) != 0 || ferror(stdout)))
            ok = error_set(&e, "cannot write to standard output: %s", strerror(errno));
        status = !ok;
    }
    result_list_free(&options.paths);
    if (status != 0)
        fprintf(stderr, "resmark compare: %s\n", e.text);
    return status;
}
