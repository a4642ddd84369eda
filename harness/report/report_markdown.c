#include "harness/report/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text of a file must not become markup or end a table's cell. */
static const char *escaped(const char *text, char *buffer, size_t size)
{
    size_t used = 0;
    for (; *text && used + 3 < size; text++) {
        if (strchr("\\`*[]|<&~", *text))
            buffer[used++] = '\\';
        buffer[used++] = (unsigned char)*text < ' ' ? ' ' : *text;
    }
    buffer[used] = '\0';
    return buffer;
}

static void put_cell(FILE *out, const char *text)
{
    char buffer[1024];
    fprintf(out, " %s |", escaped(text, buffer, sizeof buffer));
}

/* Four digits, and all of a larger number; a dash where nothing was measured. */
static const char *figure(double value, char text[32])
{
    if (!(value > 0) || !isfinite(value))
        return "-";
    snprintf(text, 32, value < 1000 ? "%.4g" : "%.0f", value);
    return text;
}

static void put_number(FILE *out, double value)
{
    char text[32];
    fprintf(out, " %s |", figure(value, text));
}

static void put_share(FILE *out, double share)
{
    if (share > 0 && isfinite(share))
        fprintf(out, " %.1f %% |", 100 * share);
    else
        fputs(" - |", out);
}

/* A column whose name starts with '>' is of numbers, which stand at the right. */
static void put_head(FILE *out, const char *const *names, size_t count)
{
    fputc('|', out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s |", names[i] + (*names[i] == '>'));
    fputs("\n|", out);
    for (size_t i = 0; i < count; i++)
        fputs(*names[i] == '>' ? " ---: |" : " --- |", out);
    fputc('\n', out);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void put_interval(FILE *out, double low, double high)
{
    char from[32], to[32];
    if (low > 0 && high > 0)
        fprintf(out, " %s to %s |", figure(low, from), figure(high, to));
    else
        fputs(" - |", out);
}

static void put_configuration(FILE *out, const struct result_row *row)
{
    put_cell(out, row->isa);
    put_cell(out, row->algo);
    fprintf(out, " %d | %d | %d |", row->threads, row->batch, row->instances);
}

static void put_figures(FILE *out, const struct result_row *row)
{
    put_number(out, row->images_per_s);
    put_number(out, row->median_ms);
    put_interval(out, row->ci_low_ms, row->ci_high_ms);
    put_number(out, row->p99_ms);
    put_number(out, row->gflops);
    put_share(out, row->over_ceiling);
    put_cell(out, row->verdict);
}

/* Results of different networks and pixels have no common ranking. */
static void put_subject(FILE *out, const struct result *r, const struct result_row *row)
{
    char text[96];
    snprintf(text, sizeof text, "%s %dx%d", row->network, r->image_size, r->image_size);
    put_cell(out, text);
}

static void put_ranking(FILE *out, const struct report *report)
{
    static const char *const names[] = {">#",         "machine",   "file",        "network",
                                        "isa",        "algo",      ">threads",    ">batch",
                                        ">instances", ">images/s", ">median ms",  ">95 % interval",
                                        ">p99 ms",    ">GFLOP/s",  ">of ceiling", "verdict"};
    fputs("## Ranking\n\n", out);
    put_head(out, names, COUNT(names));
    for (int i = 0; i < report->count; i++) {
        const struct report_entry *entry = &report->entries[i];
        const struct result_row *row = &entry->result.end_to_end[entry->best];
        fprintf(out, "| %d |", i + 1);
        put_cell(out, entry->result.machine.cpu);
        put_cell(out, entry->path);
        put_subject(out, &entry->result, row);
        put_configuration(out, row);
        put_figures(out, row);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void put_machine(FILE *out, const struct report_entry *entry)
{
    char buffer[1024], cores[64];
    const struct result *r = &entry->result;
    report_cores(&r->machine, cores, sizeof cores);
    fprintf(out, "## %s\n\n", escaped(r->machine.cpu, buffer, sizeof buffer));
    fprintf(out, "- cores: %s\n", cores);
    fprintf(out, "- built with %s", escaped(r->compiler, buffer, sizeof buffer));
    fprintf(out, ", resmark %s\n", escaped(r->resmark_version, buffer, sizeof buffer));
    if (*r->date)
        fprintf(out, "- measured %s\n", escaped(r->date, buffer, sizeof buffer));
    fprintf(out, "- file %s\n\n", escaped(entry->path, buffer, sizeof buffer));
}

static void put_reasons(FILE *out, const struct result_row *row)
{
    char buffer[1024];
    for (int i = 0; i < row->reasons.count; i++) {
        const struct result_reason *reason = &row->reasons.list[i];
        fprintf(out, "- %s: %s", row->verdict, escaped(reason->text, buffer, sizeof buffer));
        if (*reason->advice)
            fprintf(out, " (%s)", escaped(reason->advice, buffer, sizeof buffer));
        fputc('\n', out);
    }
    fputs(row->reasons.count ? "\n" : "", out);
}

static void put_rows(FILE *out, const struct result *r)
{
    static const char *const names[] = {
        "isa",      "algo",        ">threads",   ">batch",         ">instances",
        "caches",   ">images/s",   ">median ms", ">95 % interval", ">p99 ms",
        ">GFLOP/s", ">of ceiling", "verdict",    "logits"};
    put_head(out, names, COUNT(names));
    for (int i = 0; i < r->row_count; i++) {
        const struct result_row *row = &r->end_to_end[i];
        fputc('|', out);
        put_configuration(out, row);
        put_cell(out, row->cache);
        put_figures(out, row);
        fprintf(out, " %016" PRIx64 " |\n", row->logits_hash);
    }
    fputc('\n', out);
}

static void put_layers(FILE *out, const struct result_row *row)
{
    static const char *const names[] = {"layer",    "shape",      "algo",     "kernel",
                                        ">ms",      ">floor ms",  "bound by", ">of floor",
                                        ">GFLOP/s", ">of ceiling"};
    if (row->layer_count == 0)
        return;
    fprintf(out, "Layers of %s %s, %d thread%s, batch %d:\n\n", row->isa, row->algo, row->threads,
            row->threads == 1 ? "" : "s", row->batch);
    put_head(out, names, COUNT(names));
    for (int i = 0; i < row->layer_count; i++) {
        char shape[96];
        const struct result_layer *l = &row->layers[i];
        report_shape(l, shape, sizeof shape);
        fputc('|', out);
        put_cell(out, l->name);
        put_cell(out, shape);
        put_cell(out, l->algo);
        put_cell(out, l->kernel);
        put_number(out, l->median_ms);
        put_number(out, report_floor(l));
        put_cell(out, *l->bound_by ? l->bound_by : "-");
        put_share(out, report_floor(l) / l->median_ms);
        put_number(out, l->gflops);
        put_share(out, l->over_ceiling);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void put_report(FILE *out, const struct report *report)
{
    fputs("# resmark report\n\n", out);
    if (report->count > 1)
        put_ranking(out, report);
    for (int i = 0; i < report->count && i < REPORT_DETAILED; i++) {
        const struct report_entry *entry = &report->entries[i];
        const struct result_row *best = &entry->result.end_to_end[entry->best];
        put_machine(out, entry);
        put_reasons(out, best);
        put_rows(out, &entry->result);
        put_layers(out, best);
    }
    if (report->count > REPORT_DETAILED)
        fprintf(out, "The other %d results are in the ranking alone.\n\n",
                report->count - REPORT_DETAILED);
    fprintf(out,
            "Made by resmark %s. Intervals are of the median; the ceiling is that of fused "
            "multiply-adds, measured in the same run on the same cores.\n",
            RESMARK_VERSION);
}

char *report_markdown(const struct report *report, struct error *e)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out)
        put_report(out, report);
    if (out && fclose(out) == 0)
        return text;
    free(text);
    error_set(e, "no memory for the report");
    return NULL;
}
