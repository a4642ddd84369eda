/**
 * What people look at: one or many result files as a page for a browser, as Markdown, or as CSV.
 */
#ifndef RESMARK_HARNESS_REPORT_REPORT_H
#define RESMARK_HARNESS_REPORT_REPORT_H

#include "harness/result/result.h"

#include <jansson.h>

/** So many results, the fastest, are shown with all rows, layers and repetitions. */
#define REPORT_DETAILED 16

/** So many results, the fastest, the page ranks: with more a browser becomes slow. */
#define REPORT_RANKED 1000

struct report_entry {
    const char *path;
    struct result result; /**< of entries behind REPORT_DETAILED: the best row alone, bare */
    int best;             /**< row: see report_best_row() */
};

struct report {
    int count;
    struct report_entry *entries; /**< [count]: the fastest best row first */
};

/**
 * The row that speaks for a result: hot caches before cold ones, then VALID before SUSPECT before
 * INVALID, then the most images a second.
 */
int report_best_row(const struct result *result);

/**
 * Reads `count` result files, at least one. Says on stderr how far it is when that is a terminal.
 * False with `e` set on the first that cannot be used; report_free() releases, whatever happened.
 * The paths must live as long as the report.
 */
bool report_read(struct report *report, char *const *paths, int count, struct error *e);

void report_free(struct report *report);

/** Says on stderr how far reading many files is, where that is a terminal. */
void report_progress(int done, int count);

/** "8 of 16 allowed, quota 2.5": the cores of a machine. */
void report_cores(const struct result_machine *machine, char *text, size_t size);

/** "64x56x56 -> 64 1x1/1": a layer's shape as `resmark run` prints it. */
void report_shape(const struct result_layer *layer, char *text, size_t size);

/** The higher of a layer's floors in ms; 0: not known. */
double report_floor(const struct result_layer *layer);

/** What the page draws, of the REPORT_RANKED fastest; NULL when memory runs out. */
json_t *report_json(const struct report *report);

/** Whether this build has the page: without the plotting library it has not. */
bool report_has_page(void);

/** The page, which needs nothing else; the caller frees it. NULL with `e` set. */
char *report_html(const struct report *report, struct error *e);

/** Tables for issues, wikis and mails; the caller frees the text. NULL with `e` set. */
char *report_markdown(const struct report *report, struct error *e);

/**
 * One line for each row, or each layer, of the result files in the order in which they are given
 * (RFC 4180, a line of names first); the caller frees the text. NULL with `e` set.
 */
char *report_csv(char *const *paths, int count, bool layers, struct error *e);

#endif
