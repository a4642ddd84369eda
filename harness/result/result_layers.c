#include "harness/json_fields.h"
#include "harness/result/result_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* By how much MACs may differ: figures have 9 digits. */
#define MACS_TOLERANCE 1e-6

static bool read_shape(struct result_layer *layer, const struct json_value *object, struct error *e)
{
    return json_get_text(object, "kind", layer->kind, sizeof layer->kind, e) &&
           json_get_text(object, "algo", layer->algo, sizeof layer->algo, e) &&
           json_get_text(object, "kernel", layer->kernel, sizeof layer->kernel, e) &&
           json_get_integer(object, "cin", 1, RESULT_MAX_COUNT, &layer->cin, e) &&
           json_get_integer(object, "cout", 1, RESULT_MAX_COUNT, &layer->cout, e) &&
           json_get_integer(object, "kernel_size", 0, RESULT_MAX_COUNT, &layer->kernel_size, e) &&
           json_get_integer(object, "stride", 0, RESULT_MAX_COUNT, &layer->stride, e) &&
           json_get_integer(object, "height", 1, RESULT_MAX_COUNT, &layer->height, e) &&
           json_get_integer(object, "width", 1, RESULT_MAX_COUNT, &layer->width, e) &&
           json_get_number(object, "macs", 0, &layer->macs, e);
}

static bool read_figures(struct result_layer *layer, const struct json_value *object,
                         struct error *e)
{
    return json_get_number(object, "median_ms", 0, &layer->median_ms, e) &&
           json_get_number(object, "gflops", 0, &layer->gflops, e) &&
           json_get_measured(object, "ceiling_gflops", 0, &layer->ceiling_gflops, e) &&
           json_get_measured(object, "over_ceiling", 0, &layer->over_ceiling, e) &&
           json_get_measured(object, "max_error", 0, &layer->max_error, e) &&
           json_get_measured(object, "bound_fraction", 0, &layer->bound_fraction, e) &&
           json_get_hash(object, "output_hash", &layer->output_hash, e);
}

static bool read_intervals(struct result_layer *l, const struct json_value *object, struct error *e)
{
    return json_get_number(object, "ci_low_ms", 0, &l->ci_low_ms, e) &&
           json_get_number(object, "ci_high_ms", 0, &l->ci_high_ms, e) &&
           result_interval_check(l->ci_low_ms, l->median_ms, l->ci_high_ms, e) &&
           json_get_measured(object, "relative_median", 0, &l->relative_median, e) &&
           json_get_measured(object, "relative_ci_low", 0, &l->relative_ci_low, e) &&
           json_get_measured(object, "relative_ci_high", 0, &l->relative_ci_high, e) &&
           result_interval_check(l->relative_ci_low, l->relative_median, l->relative_ci_high, e);
}

static bool read_floors(struct result_layer *l, const struct json_value *object, struct error *e)
{
    return json_get_number(object, "bytes", 0, &l->bytes, e) &&
           json_get_measured(object, "floor_arithmetic_ms", 0, &l->floor_arithmetic_ms, e) &&
           json_get_measured(object, "floor_bytes_ms", 0, &l->floor_bytes_ms, e) &&
           json_get_measured(object, "floor_share", 0, &l->floor_share, e) &&
           json_get_text_or_none(object, "floor_level", l->floor_level, sizeof l->floor_level, e) &&
           json_get_text_or_none(object, "bound_by", l->bound_by, sizeof l->bound_by, e);
}

/* Whether an entry belongs to the row that it names, or at whose place it stands. */
static bool check_owner(const struct result_row *row, const struct json_value *object,
                        struct error *e)
{
    char network[48], isa[16];
    int threads = 0, batch = 0;
    if (!json_get_text(object, "network", network, sizeof network, e) ||
        !json_get_text(object, "isa", isa, sizeof isa, e) ||
        !json_get_integer(object, "threads", 1, RESULT_MAX_COUNT, &threads, e) ||
        !json_get_integer(object, "batch", 1, RESULT_MAX_COUNT, &batch, e))
        return false;
    return (strcmp(network, row->network) == 0 && strcmp(isa, row->isa) == 0 &&
            threads == row->threads && batch == row->batch) ||
           error_set(e,
                     "it is of %s on %s, %d threads, batch %d, and its row of %s on %s, %d "
                     "threads, batch %d",
                     network, isa, threads, batch, row->network, row->isa, row->threads,
                     row->batch);
}

/* Whether a name is new in its row, and the one that the first row has at that place. */
static bool check_name(const struct result *result, const struct result_row *row, int index,
                       struct error *e)
{
    const char *name = row->layers[index].name, *first = result->end_to_end[0].layers[index].name;
    for (int i = 0; i < index; i++) {
        if (strcmp(row->layers[i].name, name) == 0)
            return error_set(e, "there are two layers %s", name);
    }
    return strcmp(name, first) == 0 ||
           error_set(e, "it is %s, where the first row has %s: layers are missing", name, first);
}

/* All of the network's operations are in its layers. */
static bool check_macs(const struct result *result, const struct result_row *row, struct error *e)
{
    double macs = 0, want = result->image_macs * row->batch;
    for (int i = 0; i < row->layer_count; i++)
        macs += row->layers[i].macs;
    return fabs(macs - want) <= MACS_TOLERANCE * want ||
           error_set(e,
                     "resmark.layers: those on %s, %d threads, %s have %.0f MACs together and the "
                     "network %.0f: some are missing",
                     row->isa, row->threads, row->algo, macs, want);
}

/* Reads the entries from `begin`, `row->layer_count` of them. */
static bool read_row_layers(struct result *result, struct result_row *row,
                            const struct json_value *list, size_t begin, struct error *e)
{
    row->layers = calloc((size_t)row->layer_count, sizeof *row->layers);
    if (!row->layers)
        return error_set(e, "no memory for %d layers", row->layer_count);
    for (int i = 0; i < row->layer_count; i++) {
        const struct json_value *object = json_entry(list, begin + (size_t)i);
        struct result_layer *layer = &row->layers[i];
        if (!json_get_text(object, "name", layer->name, sizeof layer->name, e) ||
            !check_owner(row, object, e) || !check_name(result, row, i, e) ||
            !read_shape(layer, object, e) || !read_figures(layer, object, e) ||
            (result->version > 1 &&
             (!read_intervals(layer, object, e) || !read_floors(layer, object, e))))
            return result_in_entry(e, "resmark.layers", begin + (size_t)i);
    }
    return check_macs(result, row, e);
}

/* Whether an entry is of a row: by "row", or in version 1, which has none, by its place. */
static bool is_of(const struct result *result, const struct json_value *list, size_t at, int row)
{
    size_t each = json_entries(list) / (size_t)result->row_count;
    const struct json_value *index = json_member(json_entry(list, at), "row");
    long long number;
    return result->version == 1 ? each > 0 && at / each == (size_t)row
                                : json_integer_of(index, &number) && number == row;
}

/* Version 1 has neither the network's MACs nor its size. */
static void complete_network(struct result *result)
{
    const struct result_row *row = &result->end_to_end[0];
    if (result->version > 1)
        return;
    result->image_macs = row->gflops * row->median_ms * 1e6 / 2 / row->batch;
}

bool result_layers_read(struct result *result, const struct json_value *resmark, struct error *e)
{
    const struct json_value *list;
    size_t at = 0;
    if (!json_get_list(resmark, "layers", 1, RESULT_MAX_ENTRIES, &list, e))
        return json_in_part(e, "resmark");
    complete_network(result);
    for (int i = 0; i < result->row_count; i++) {
        struct result_row *row = &result->end_to_end[i];
        size_t begin = at;
        while (at < json_entries(list) && is_of(result, list, at, i))
            at++;
        row->layer_count = (int)(at - begin);
        if (strcmp(row->cache, "cold") == 0 && row->layer_count == 0)
            continue;
        if (row->layer_count != result->end_to_end[0].layer_count || row->layer_count == 0)
            return error_set(e, "resmark.layers: row %d has %d and row 0 has %d: some are missing",
                             i, row->layer_count, result->end_to_end[0].layer_count);
        if (!read_row_layers(result, row, list, begin, e))
            return false;
    }
    if (result->version == 1)
        result->image_size = result->end_to_end[0].layers[0].height;
    return at == json_entries(list) ||
           error_set(e, "resmark.layers[%zu]: it is of no row, or not next to its row's others",
                     at);
}
