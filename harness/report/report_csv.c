#include "harness/report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char row_names[] =
    "file,machine,host,date,resmark,compiler,network,variant,isa,algo,scenario,cache,threads,batch,"
    "instances,precision,images_per_s,median_ms,ci_low_ms,ci_high_ms,p90_ms,p99_ms,p99_9_ms,"
    "first_ms,repetitions,gflops,ceiling_gflops,over_ceiling,floor_ms,joules_per_image,logits_hash,"
    "verdict,reasons\n";

static const char layer_names[] =
    "file,machine,network,isa,threads,batch,instances,layer,kind,algo,kernel,cin,cout,kernel_size,"
    "stride,height,width,macs,median_ms,ci_low_ms,ci_high_ms,gflops,ceiling_gflops,over_ceiling,"
    "bytes,floor_arithmetic_ms,floor_bytes_ms,floor_level,bound_by,output_hash\n";

/* In quotes where RFC 4180 wants them. A spreadsheet must not take a text for a formula. */
static void put_text(FILE *out, const char *text, const char *end)
{
    bool formula = *text && strchr("=+-@", *text);
    bool quoted = formula || strpbrk(text, ",\"\r\n");
    if (quoted)
        fputs(formula ? "\"'" : "\"", out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fprintf(out, "%s%s", quoted ? "\"" : "", end);
}

static void put_texts(FILE *out, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_text(out, texts[i], ",");
}

/* What was not measured stays empty. */
static void put_numbers(FILE *out, const double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] > 0)
            fprintf(out, "%.9g", numbers[i]);
        fputc(',', out);
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void put_row(FILE *out, const char *path, const struct result *r,
                    const struct result_row *row)
{
    const char *texts[] = {
        path,         r->machine.cpu, r->host,  r->date,   r->resmark_version, r->compiler,
        row->network, row->variant,   row->isa, row->algo, row->scenario,      row->cache};
    const double numbers[] = {
        row->images_per_s,   row->median_ms,    row->ci_low_ms, row->ci_high_ms,      row->p90_ms,
        row->p99_ms,         row->p99_9_ms,     row->first_ms,  row->repetitions,     row->gflops,
        row->ceiling_gflops, row->over_ceiling, row->floor_ms,  row->joules_per_image};
    put_texts(out, texts, COUNT(texts));
    fprintf(out, "%d,%d,%d,", row->threads, row->batch, row->instances);
    put_text(out, row->precision, ",");
    put_numbers(out, numbers, COUNT(numbers));
    fprintf(out, "%016" PRIx64 ",%s,", row->logits_hash, row->verdict);
    size_t used = 0;
    char reasons[2048] = "";
    for (int i = 0; i < row->reasons.count && used < sizeof reasons; i++)
        used += (size_t)snprintf(reasons + used, sizeof reasons - used, "%s%s", i ? "; " : "",
                                 row->reasons.list[i].text);
    put_text(out, reasons, "\n");
}

static void put_layer(FILE *out, const char *path, const struct result *r,
                      const struct result_row *row, const struct result_layer *l)
{
    const char *head[] = {path, r->machine.cpu, row->network, row->isa};
    const char *middle[] = {l->name, l->kind, l->algo, l->kernel};
    const double numbers[] = {l->macs,          l->median_ms, l->ci_low_ms,
                              l->ci_high_ms,    l->gflops,    l->ceiling_gflops,
                              l->over_ceiling,  l->bytes,     l->floor_arithmetic_ms,
                              l->floor_bytes_ms};
    put_texts(out, head, COUNT(head));
    fprintf(out, "%d,%d,%d,", row->threads, row->batch, row->instances);
    put_texts(out, middle, COUNT(middle));
    fprintf(out, "%d,%d,%d,%d,%d,%d,", l->cin, l->cout, l->kernel_size, l->stride, l->height,
            l->width);
    put_numbers(out, numbers, COUNT(numbers));
    put_text(out, l->floor_level, ",");
    put_text(out, l->bound_by, ",");
    fprintf(out, "%016" PRIx64 "\n", l->output_hash);
}

static bool put_file(FILE *out, const char *path, bool layers, struct error *e)
{
    struct result r;
    bool ok = result_read(&r, path, e);
    for (int i = 0; ok && i < r.row_count; i++) {
        const struct result_row *row = &r.end_to_end[i];
        if (!layers)
            put_row(out, path, &r, row);
        for (int k = 0; layers && k < row->layer_count; k++)
            put_layer(out, path, &r, row, &row->layers[k]);
    }
    result_free(&r);
    return ok;
}

char *report_csv(char *const *paths, int count, bool layers, struct error *e)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool ok = out || error_set(e, "no memory for the table");
    if (out)
        fputs(layers ? layer_names : row_names, out);
    for (int i = 0; ok && i < count; i++) {
        report_progress(i, count);
        ok = put_file(out, paths[i], layers, e);
    }
    report_progress(count, count);
    if (out && fclose(out) != 0 && ok)
        ok = error_set(e, "no memory for the table");
    if (ok)
        return text;
    free(text);
    return NULL;
}
