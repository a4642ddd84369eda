#include "harness/compare/files_output.h"

#include "harness/compare/file_differences.h"
#include "harness/compare/output.h"

static void print_ratio(const struct file_ratio *r, bool interval, FILE *out)
{
    if (r->ratio > 0)
        fprintf(out, " %8.4f", (double)r->ratio);
    else
        fprintf(out, " %8s", "-");
    if (interval && r->low > 0)
        fprintf(out, "  %6.4f..%-6.4f", (double)r->low, (double)r->high);
    else if (interval)
        fprintf(out, "  %-14s", "-");
}

static void print_figure(const char *name, double base_ms, const struct file_figure *f, FILE *out)
{
    fprintf(out, "%-16s %10.4f %10.4f", name, base_ms, (double)f->ms);
    print_ratio(&f->absolute, false, out);
    print_ratio(&f->normalised, true, out);
    fprintf(out, "  %s\n", outcome_name(f->outcome));
}

static void print_row(const struct file_comparison *c, const struct file_row *row, FILE *out)
{
    char name[160];
    const struct result_row *base = &c->base.end_to_end[row->base];
    fprintf(out, "\n%s\n%-16s %10s %10s %8s %8s  %-14s  %s\n", row_name(base, name), "layer",
            "A ms", "B ms", "B/A", "even", "interval", "verdict");
    for (int i = 0; i < row->layer_count; i++)
        print_figure(base->layers[i].name, base->layers[i].median_ms, &row->layers[i], out);
    print_figure("whole", base->median_ms, &row->total, out);
    if (row->suspect[0])
        fprintf(out, "suspect: %s; --force judges all the same, compare --live needs no quiet\n",
                row->suspect);
    if (row->total.cycles.ratio > 0)
        fprintf(out, "%-16s %10s %10s %8s %8.4f  %6.4f..%-6.4f\n", "whole, in cycles", "", "", "",
                (double)row->total.cycles.ratio, (double)row->total.cycles.low,
                (double)row->total.cycles.high);
}

static void print_one(const struct file_comparison *c, FILE *out)
{
    const struct compared_file *file = &c->files[0];
    fprintf(out, "B        %s\n", file->path);
    output_differences(&file->differences, "", out);
    for (int i = 0; i < file->row_count; i++)
        print_row(c, &file->rows[i], out);
}

/* How many of a row's layers have an outcome. */
static int count(const struct file_row *row, enum outcome outcome)
{
    int found = 0;
    for (int i = 0; i < row->layer_count; i++)
        found += row->layers[i].outcome == outcome;
    return found;
}

static void print_line(const struct file_comparison *c, const struct compared_file *file,
                       const struct file_row *row, FILE *out)
{
    char name[160];
    const struct file_figure *f = &row->total;
    fprintf(out, "%10.4f", (double)f->ms);
    print_ratio(&f->absolute, false, out);
    print_ratio(&f->normalised, true, out);
    fprintf(out, "  %-13s %4d %4d  %s: %s", outcome_name(f->outcome), count(row, OUTCOME_SLOWER),
            count(row, OUTCOME_FASTER), file->path, row_name(&c->base.end_to_end[row->base], name));
    for (int i = 0; i < file->differences.count; i++)
        fprintf(out, "%s%s", i == 0 ? "; differs in " : ", ", file->differences.list[i].what);
    if (row->suspect[0])
        fprintf(out, "; suspect: %s", row->suspect);
    fprintf(out, "\n");
}

static void print_many(const struct file_comparison *c, FILE *out)
{
    fprintf(out, "\n%10s %8s %8s  %-14s  %-13s %9s  %s\n", "", "", "", "", "", "layers", "");
    fprintf(out, "%10s %8s %8s  %-14s  %-13s %4s %4s  %s\n", "B ms", "B/A", "even", "interval",
            "verdict", "slow", "fast", "file B");
    for (size_t i = 0; i < c->file_count; i++) {
        for (int k = 0; k < c->files[i].row_count; k++)
            print_line(c, &c->files[i], &c->files[i].rows[k], out);
    }
}

void files_print(const struct file_comparison *c, const struct file_options *o, FILE *out)
{
    fprintf(out, "A        %s: resmark %s, built with %s, %s\n", c->base_path,
            c->base.resmark_version, c->base.compiler, c->base.machine.cpu);
    if (c->file_count == 1)
        print_one(c, out);
    else
        print_many(c, out);
    fprintf(
        out,
        "\n(even: drift taken out by the FMA ceiling measured beside the repetitions, of the "
        "whole's "
        "fastest ones,\nwith its 95 %% interval and, adjusted for %zu comparisons, its verdict; "
        "two runs of one thing\nare taken to differ by %.2g %% each)\n",
        c->comparisons, 100 * o->between_runs);
}

static json_t *ratio_json(const struct file_ratio *r)
{
    if (!(r->ratio > 0))
        return json_null();
    json_t *json = json_pack("{s:f}", "ratio", (double)r->ratio);
    json_object_set_new(json, "low", r->low > 0 ? json_real((double)r->low) : json_null());
    json_object_set_new(json, "high", r->low > 0 ? json_real((double)r->high) : json_null());
    return json;
}

static json_t *figure_json(double base_ms, const struct file_figure *f)
{
    bool judged = f->outcome != OUTCOME_UNKNOWN;
    return json_pack("{s:[f,f], s:o, s:o, s:o, s:o}", "ms", base_ms, (double)f->ms, "absolute",
                     ratio_json(&f->absolute), "normalised", ratio_json(&f->normalised), "p",
                     judged ? json_real(f->p) : json_null(), "verdict",
                     judged ? json_string(outcome_name(f->outcome)) : json_null());
}

static json_t *row_json(const struct file_comparison *c, const struct file_row *row)
{
    const struct result_row *base = &c->base.end_to_end[row->base];
    json_t *json = figure_json(base->median_ms, &row->total), *layers = json_array();
    json_t *subject =
        json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:o}", "network", base->network, "isa",
                  base->isa, "algo", base->algo, "threads", base->threads, "batch", base->batch,
                  "instances", base->instances, "scenario", base->scenario, "cache", base->cache,
                  "cycles", ratio_json(&row->total.cycles));
    json_object_update(json, subject);
    json_decref(subject);
    json_object_set_new(json, "suspect", row->suspect[0] ? json_string(row->suspect) : json_null());
    for (int i = 0; i < row->layer_count; i++) {
        json_t *layer = figure_json(base->layers[i].median_ms, &row->layers[i]);
        json_object_set_new(layer, "name", json_string(base->layers[i].name));
        json_array_append_new(layers, layer);
    }
    json_object_set_new(json, "layers", layers);
    return json;
}

/* A file's name need not be text. */
static json_t *path_json(const char *path)
{
    json_t *text = json_string(path);
    return text ? text : json_null();
}

static bool print_file_json(const struct file_comparison *c, const struct compared_file *file,
                            FILE *out, struct error *e)
{
    json_t *rows = json_array();
    for (int i = 0; i < file->row_count; i++)
        json_array_append_new(rows, row_json(c, &file->rows[i]));
    return output_json(json_pack("{s:o, s:o, s:o}", "path", path_json(file->path), "differences",
                                 output_differences_json(&file->differences), "rows", rows),
                       out, e);
}

/* File by file, because all of many would not fit into memory as JSON. */
bool files_print_json(const struct file_comparison *c, const struct file_options *o, FILE *out,
                      struct error *e)
{
    fprintf(out, "{\"mode\": \"files\", \"comparisons\": %zu, \"between_runs\": %.7g, \"base\":\n",
            c->comparisons, o->between_runs);
    if (!output_json(json_pack("{s:o, s:s, s:s, s:s}", "path", path_json(c->base_path),
                               "resmark_version", c->base.resmark_version, "compiler",
                               c->base.compiler, "cpu", c->base.machine.cpu),
                     out, e))
        return false;
    fprintf(out, ", \"files\": [\n");
    for (size_t i = 0; i < c->file_count; i++) {
        if (i > 0)
            fprintf(out, ",\n");
        if (!print_file_json(c, &c->files[i], out, e))
            return false;
    }
    fprintf(out, "]}\n");
    return true;
}
