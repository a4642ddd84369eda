#include "harness/report/cmd_report.h"

#include "harness/report/report.h"
#include "harness/result/result_list.h"
#include "harness/whole_file.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char help[] =
    "Usage: resmark report RESULT... -o REPORT.html\n"
    "       resmark report RESULT... --markdown|--csv [-o REPORT]\n"
    "\n"
    "Shows result files of resmark run --json=FILE, or directories of them, as one page for a\n"
    "browser, which needs no network: verdict, machine, roofline, layers against their floors,\n"
    "instruction sets side by side, scaling, latency, and a ranking of several results, the\n"
    "fastest first.\n"
    "\n"
    "  -o, --output FILE   where the report goes; without it Markdown and CSV go to standard "
    "output\n"
    "  --markdown          tables for issues, wikis and mails\n"
    "  --csv[=layers]      a line for each way of running the network, or for each layer of each\n"
    "  --help              this text\n"
    "\n"
    "Of more than 16 results the 16 fastest are shown with their layers. The ranking has all, and\n"
    "the page's the 1000 fastest.\n";

enum form { FORM_HTML, FORM_MARKDOWN, FORM_CSV, FORM_CSV_LAYERS };

struct request {
    enum form form;
    bool helped;
    const char *output;       /**< NULL: standard output */
    char *const *arguments;   /**< files and directories, ended by NULL */
    struct result_list files; /**< of all of them */
    int count;
};

static bool set_form(struct request *r, enum form form, struct error *e)
{
    if (r->form != FORM_HTML && r->form != form)
        return error_set(e, "--markdown and --csv cannot both be had in one report");
    r->form = form;
    return true;
}

static bool take_option(struct request *r, int option, const char *given, struct error *e)
{
    switch (option) {
    case 'o':
        r->output = optarg;
        return true;
    case 'm':
        return set_form(r, FORM_MARKDOWN, e);
    case 'c':
        if (optarg && strcmp(optarg, "layers") != 0)
            return error_set(e, "--csv=%s: there is only --csv and --csv=layers", optarg);
        return set_form(r, optarg ? FORM_CSV_LAYERS : FORM_CSV, e);
    case 'h':
        r->helped = true;
        return true;
    case ':':
        return error_set(e, "%s: it needs an argument; see resmark report --help", given);
    default:
        return error_set(e, "%s: unknown option; see resmark report --help", given);
    }
}

static bool parse_options(struct request *r, int argc, char **argv, struct error *e)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"markdown", no_argument, NULL, 'm'},
                                            {"csv", optional_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    optind = 0; /* makes glibc start anew, whatever was parsed before */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":o:", options, NULL)) != -1;) {
        if (!take_option(r, option, argv[optind - 1], e))
            return false;
    }
    r->arguments = argv + optind;
    if (r->helped)
        return true;
    if (!*r->arguments)
        return error_set(e, "no result file is named; see resmark report --help");
    if (r->form == FORM_HTML && !r->output)
        return error_set(e, "the page needs a file: -o REPORT.html (or --markdown, or --csv)");
    return true;
}

/* The report's text, which the caller frees; NULL with `e` set. */
static char *make_text(const struct request *r, struct error *e)
{
    if (r->form == FORM_CSV || r->form == FORM_CSV_LAYERS)
        return report_csv(r->files.paths, r->count, r->form == FORM_CSV_LAYERS, e);
    struct report report;
    char *text = NULL;
    if (report_read(&report, r->files.paths, r->count, e))
        text = r->form == FORM_HTML ? report_html(&report, e) : report_markdown(&report, e);
    report_free(&report);
    return text;
}

static bool print(const char *text, struct error *e)
{
    return (fputs(text, stdout) >= 0 && fflush(stdout) == 0) ||
           error_set(e, "cannot write to standard output: %s", strerror(errno));
}

/* A file gets its last newline from whole_file_write(). */
static bool put_text(const struct request *r, char *text, struct error *e)
{
    if (!r->output)
        return print(text, e);
    text[strlen(text) - 1] = '\0';
    return whole_file_write(r->output, "report", text, e);
}

/* A slip of the fingers must not replace a result by its report. */
static bool check_output(const struct request *r, struct error *e)
{
    struct stat output, file;
    if (!r->output)
        return true;
    bool exists = stat(r->output, &output) == 0;
    for (int i = 0; exists && i < r->count; i++) {
        if (stat(r->files.paths[i], &file) == 0 && file.st_dev == output.st_dev &&
            file.st_ino == output.st_ino)
            return error_set(e, "the report would replace the result file %s; give -o another name",
                             r->files.paths[i]);
    }
    return whole_file_check(r->output, "report", e);
}

static bool list_files(struct request *r, struct error *e)
{
    for (int i = 0; r->arguments[i]; i++) {
        if (!result_list_add(&r->files, r->arguments[i], e))
            return false;
    }
    r->count = (int)r->files.count;
    return true;
}

static bool run_request(struct request *r, struct error *e)
{
    if (r->helped)
        return print(help, e);
    if (r->form == FORM_HTML && !report_has_page())
        return error_set(e, "this resmark was built without the page: run scripts/setup and build "
                            "again, or use --markdown or --csv");
    if (!list_files(r, e) || !check_output(r, e))
        return false;
    char *text = make_text(r, e);
    bool ok = text && put_text(r, text, e);
    free(text);
    return ok;
}

int cmd_report(int argc, char **argv)
{
    struct error e;
    struct request request = {0};
    int status = 0;
    if (!parse_options(&request, argc, argv, &e))
        status = 2;
    else if (!run_request(&request, &e))
        status = 1;
    result_list_free(&request.files);
    if (status != 0)
        fprintf(stderr, "resmark report: %s\n", e.text);
    return status;
}
