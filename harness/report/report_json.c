#include "harness/report/report.h"

#include "harness/json_fields.h"

#include <stdlib.h>
#include <string.h>

struct field {
    const char *key;
    double value;
};

struct text_field {
    const char *key, *value;
};

/* A path may be no UTF-8, which JSON must be: what is not ASCII becomes '?' then. */
static json_t *text_json(const char *text)
{
    json_t *value = json_string(text);
    char *copy = value ? NULL : strdup(text);
    for (char *c = copy; c && *c; c++)
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    if (!value && copy)
        value = json_string(copy);
    free(copy);
    return value;
}

/* What was not measured is null. */
static void set_numbers(json_t *object, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_object_set_new(object, fields[i].key,
                            fields[i].value > 0 ? json_real(fields[i].value) : json_null());
}

static void set_texts(json_t *object, const struct text_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_object_set_new(object, fields[i].key, text_json(fields[i].value));
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Operations that the layer's algorithm needs: only of a direct one those of its shape. */
static double algorithm_flops(const struct result_layer *l)
{
    if (l->floor_arithmetic_ms > 0)
        return l->floor_arithmetic_ms * l->ceiling_gflops * 1e6;
    return strcmp(l->algo, "direct") == 0 ? 2 * l->macs : 0;
}

static json_t *layer_json(const struct result_layer *l)
{
    char shape[96];
    report_shape(l, shape, sizeof shape);
    json_t *object = json_object();
    const struct text_field texts[] = {
        {"name", l->name},     {"shape", shape},       {"kind", l->kind},        {"algo", l->algo},
        {"kernel", l->kernel}, {"bound", l->bound_by}, {"level", l->floor_level}};
    const struct field numbers[] = {{"kernel_size", l->kernel_size},
                                    {"ms", l->median_ms},
                                    {"low", l->ci_low_ms},
                                    {"high", l->ci_high_ms},
                                    {"gflops", l->gflops},
                                    {"share", l->over_ceiling},
                                    {"algorithm_flops", algorithm_flops(l)},
                                    {"bytes", l->bytes},
                                    {"floor_arithmetic", l->floor_arithmetic_ms},
                                    {"floor_bytes", l->floor_bytes_ms},
                                    {"floor", report_floor(l)}};
    set_texts(object, texts, COUNT(texts));
    set_numbers(object, numbers, COUNT(numbers));
    return object;
}

static json_t *reasons_json(const struct result_reasons *reasons)
{
    json_t *list = json_array();
    for (int i = 0; i < reasons->count; i++) {
        const struct result_reason *r = &reasons->list[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "code", r->code, "text",
                                              text_json(r->text), "advice", text_json(r->advice)));
    }
    return list;
}

static void set_percentiles(json_t *object, const struct result_row *row)
{
    const double values[] = {row->p50_ms > 0 ? row->p50_ms : row->median_ms, row->p90_ms,
                             row->p99_ms, row->p99_9_ms};
    json_t *list = json_array();
    for (size_t i = 0; i < COUNT(values); i++)
        json_array_append_new(list, values[i] > 0 ? json_real(values[i]) : json_null());
    json_object_set_new(object, "percentiles", list);
}

static void set_details(json_t *object, const struct result_row *row)
{
    json_t *times = json_array(), *layers = json_array();
    for (int i = 0; i < row->samples.count; i++)
        json_array_append_new(times, json_real(row->samples.ms[i]));
    for (int i = 0; i < row->layer_count; i++)
        json_array_append_new(layers, layer_json(&row->layers[i]));
    json_object_set_new(object, "times", times);
    json_object_set_new(object, "layers", layers);
}

static json_t *row_json(const struct result_row *row)
{
    json_t *object = json_object();
    const struct text_field texts[] = {{"network", row->network},     {"variant", row->variant},
                                       {"precision", row->precision}, {"isa", row->isa},
                                       {"algo", row->algo},           {"scenario", row->scenario},
                                       {"cache", row->cache},         {"verdict", row->verdict}};
    const struct field numbers[] = {
        {"threads", row->threads},    {"batch", row->batch},    {"instances", row->instances},
        {"median", row->median_ms},   {"low", row->ci_low_ms},  {"high", row->ci_high_ms},
        {"p99", row->p99_ms},         {"first", row->first_ms}, {"repetitions", row->repetitions},
        {"rate", row->images_per_s},  {"gflops", row->gflops},  {"ceiling", row->ceiling_gflops},
        {"share", row->over_ceiling}, {"floor", row->floor_ms}, {"joules", row->joules_per_image},
        {"watts", row->watts}};
    set_texts(object, texts, COUNT(texts));
    set_numbers(object, numbers, COUNT(numbers));
    set_percentiles(object, row);
    json_object_set_new(object, "hash", json_hash(row->logits_hash));
    json_object_set_new(object, "reasons", reasons_json(&row->reasons));
    json_object_set_new(object, "notes", reasons_json(&row->notes));
    return object;
}

static json_t *bandwidths_json(const struct result_ceilings *c)
{
    json_t *list = json_array();
    for (int i = 0; i < c->bandwidth_count; i++) {
        const struct result_bandwidth *b = &c->bandwidth[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:i, s:f, s:f}", "level", b->level,
                                        "operation", b->operation, "isa", b->isa, "threads",
                                        b->threads, "gbs", b->gb_per_s, "buffer", b->buffer_bytes));
    }
    return list;
}

static json_t *fmas_json(const struct result_ceilings *c)
{
    json_t *list = json_array();
    for (int i = 0; i < c->fma_count; i++) {
        const struct result_fma *f = &c->fma[i];
        json_array_append_new(list, json_pack("{s:s, s:i, s:f, s:f, s:f}", "isa", f->isa, "threads",
                                              f->threads, "gflops", f->gflops, "ghz", f->clock_ghz,
                                              "per_cycle", f->flops_per_cycle));
    }
    return list;
}

/* The machine card: pairs of a name and a text, which may be empty. */
static json_t *facts_json(const struct report_entry *entry)
{
    char cores[64], memory[32] = "";
    const struct result *r = &entry->result;
    const struct result_machine *m = &r->machine;
    report_cores(m, cores, sizeof cores);
    if (m->memory_bytes > 0)
        snprintf(memory, sizeof memory, "%.4g GiB", m->memory_bytes / (1 << 30));
    const struct text_field facts[] = {{"CPU", m->cpu},           {"Architecture", m->architecture},
                                       {"Cores", cores},          {"Memory", memory},
                                       {"System", m->os},         {"Kernel", m->kernel},
                                       {"Governor", m->governor}, {"Huge pages", m->huge_pages},
                                       {"Host", r->host},         {"Measured", r->date},
                                       {"Status", r->status},     {"resmark", r->resmark_version},
                                       {"Compiler", r->compiler}, {"Build", r->build_type},
                                       {"File", entry->path}};
    json_t *list = json_array();
    for (size_t i = 0; i < COUNT(facts); i++)
        json_array_append_new(list, json_pack("[s, o]", facts[i].key, text_json(facts[i].value)));
    return list;
}

static json_t *entry_json(const struct report_entry *entry, bool detailed)
{
    const struct result *r = &entry->result;
    json_t *rows = json_array();
    for (int i = 0; i < r->row_count; i++) {
        json_t *row = row_json(&r->end_to_end[i]);
        if (detailed)
            set_details(row, &r->end_to_end[i]);
        json_array_append_new(rows, row);
    }
    json_t *object =
        json_pack("{s:o, s:s, s:s, s:b, s:i, s:i, s:o}", "file", text_json(entry->path), "name",
                  r->machine.cpu, "host", r->host, "detailed", detailed, "best", entry->best,
                  "size", r->image_size, "runs", rows);
    if (detailed)
        json_object_update_new(object, json_pack("{s:o, s:o, s:o}", "facts", facts_json(entry),
                                                 "fma", fmas_json(&r->ceilings), "bandwidth",
                                                 bandwidths_json(&r->ceilings)));
    return object;
}

json_t *report_json(const struct report *report)
{
    json_t *results = json_array();
    for (int i = 0; i < report->count && i < REPORT_RANKED; i++)
        json_array_append_new(results, entry_json(&report->entries[i], i < REPORT_DETAILED));
    return json_pack("{s:s, s:i, s:o}", "version", RESMARK_VERSION, "count", report->count,
                     "results", results);
}
