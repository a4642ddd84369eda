#include "harness/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int rank_of(const struct result_row *row)
{
    int rank = strcmp(row->cache, "cold") == 0 ? 3 : 0;
    if (strcmp(row->verdict, "VALID") == 0)
        return rank;
    return rank + (strcmp(row->verdict, "SUSPECT") == 0 ? 1 : 2);
}

int report_best_row(const struct result *result)
{
    int best = 0;
    for (int i = 1; i < result->row_count; i++) {
        const struct result_row *row = &result->end_to_end[i], *old = &result->end_to_end[best];
        int ranks = rank_of(row) - rank_of(old);
        if (ranks < 0 || (ranks == 0 && row->images_per_s > old->images_per_s))
            best = i;
    }
    return best;
}

/* Keeps the best row's figures and lets go of everything else: there may be very many files. */
static void strip(struct report_entry *entry)
{
    struct result *r = &entry->result;
    struct result_row best = r->end_to_end[entry->best];
    r->end_to_end[entry->best] = (struct result_row){0};
    struct result_row *row = malloc(sizeof *row);
    struct result rest = *r;
    free(best.samples.ms);
    free(best.samples.ceiling_gflops);
    free(best.samples.clock_ghz);
    free(best.samples.at_s);
    free(best.layers);
    best.samples = (struct result_samples){0};
    best.layers = NULL;
    best.layer_count = 0;
    result_free(&rest);
    r->ceilings = (struct result_ceilings){0};
    r->row_count = row ? 1 : 0;
    r->end_to_end = row;
    if (row)
        *row = best;
    entry->best = 0;
}

void report_progress(int done, int count)
{
    if (count < 100 || (done % 100 != 0 && done < count) || !isatty(STDERR_FILENO))
        return;
    if (done < count)
        fprintf(stderr, "\rreading result files: %d of %d", done, count);
    else
        fprintf(stderr, "\r\033[K");
}

static bool read_entry(struct report_entry *entry, const char *path, bool bare, struct error *e)
{
    entry->path = path;
    if (!result_read(&entry->result, path, e)) {
        result_free(&entry->result);
        return false;
    }
    entry->best = report_best_row(&entry->result);
    if (bare)
        strip(entry);
    return entry->result.row_count > 0 || error_set(e, "no memory for the result file %s", path);
}

/* By falling rate; files of equal rate by name, so that the same files give the same page. */
static int compare_entries(const void *a, const void *b)
{
    const struct report_entry *x = a, *y = b;
    double p = x->result.end_to_end[x->best].images_per_s;
    double q = y->result.end_to_end[y->best].images_per_s;
    return p > q ? -1 : p < q ? 1 : strcmp(x->path, y->path);
}

bool report_read(struct report *report, char *const *paths, int count, struct error *e)
{
    bool many = count > REPORT_DETAILED;
    *report = (struct report){.entries = calloc((size_t)count, sizeof *report->entries)};
    if (!report->entries)
        return error_set(e, "no memory for %d result files", count);
    for (int i = 0; i < count; i++) {
        report_progress(i, count);
        report->count = i + 1;
        if (!read_entry(&report->entries[i], paths[i], many, e))
            return false;
    }
    report_progress(count, count);
    qsort(report->entries, (size_t)count, sizeof *report->entries, compare_entries);
    for (int i = 0; many && i < REPORT_DETAILED; i++) {
        const char *path = report->entries[i].path;
        result_free(&report->entries[i].result);
        if (!read_entry(&report->entries[i], path, false, e))
            return false;
    }
    return true;
}

void report_free(struct report *report)
{
    for (int i = 0; i < report->count; i++)
        result_free(&report->entries[i].result);
    free(report->entries);
    *report = (struct report){0};
}

void report_cores(const struct result_machine *m, char *text, size_t size)
{
    int used = snprintf(text, size, "%d of %d allowed", m->allowed_cores, m->cores);
    if (m->quota_cores > 0 && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, ", quota %.4g", m->quota_cores);
}

void report_shape(const struct result_layer *l, char *text, size_t size)
{
    int used = snprintf(text, size, "%dx%dx%d -> %d", l->cin, l->height, l->width, l->cout);
    if (l->kernel_size > 0 && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, " %dx%d/%d", l->kernel_size, l->kernel_size,
                 l->stride);
}

double report_floor(const struct result_layer *l)
{
    return l->floor_arithmetic_ms > l->floor_bytes_ms ? l->floor_arithmetic_ms : l->floor_bytes_ms;
}
