#include "harness/json_fields.h"
#include "harness/result/result_parts.h"

#include <stdlib.h>
#include <string.h>

static bool make_lists(struct result_samples *s, size_t count, bool with_conditions,
                       struct error *e)
{
    s->ms = calloc(count, sizeof *s->ms);
    if (with_conditions) {
        s->ceiling_gflops = calloc(count, sizeof *s->ceiling_gflops);
        s->clock_ghz = calloc(count, sizeof *s->clock_ghz);
        s->at_s = calloc(count, sizeof *s->at_s);
    }
    return (s->ms && (!with_conditions || (s->ceiling_gflops && s->clock_ghz && s->at_s))) ||
           error_set(e, "no memory for %zu repetitions", count);
}

/* A list of as many numbers as there are repetitions; null, where it may be, gives 0. */
static bool read_list(const struct json_value *object, const char *key, bool may_be_null,
                      size_t count, double *values, struct error *e)
{
    const struct json_value *list;
    if (!json_get_list(object, key, count, count, &list, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct json_value *value = json_entry(list, i);
        bool is_figure = json_number(value, &values[i]) && values[i] >= 0;
        if (!is_figure && !(may_be_null && json_is(value, JSON_KIND_NULL)))
            return error_set(e, "%s[%zu] is no number of at least 0", key, i);
    }
    return true;
}

static bool read_samples(struct result_row *row, const struct json_value *object, struct error *e)
{
    const struct json_value *samples = json_member(object, "samples"), *ms;
    struct result_samples *s = &row->samples;
    if (!json_get_list(samples, "ms", 1, (size_t)row->repetitions, &ms, e))
        return json_in_part(e, "samples");
    size_t count = json_entries(ms);
    if (!make_lists(s, count, true, e))
        return false;
    s->count = (int)count;
    return (read_list(samples, "ms", false, count, s->ms, e) &&
            read_list(samples, "ceiling_gflops", true, count, s->ceiling_gflops, e) &&
            read_list(samples, "clock_ghz", true, count, s->clock_ghz, e) &&
            read_list(samples, "at_s", false, count, s->at_s, e)) ||
           json_in_part(e, "samples");
}

/* One entry of version 1's `benchmarks`, which must be the row's next repetition. */
static bool read_entry(struct result_row *row, const char *name, const struct json_value *object,
                       struct error *e)
{
    char found[256];
    int index;
    struct result_samples *s = &row->samples;
    if (!json_get_text(object, "run_name", found, sizeof found, e) ||
        !json_get_integer(object, "repetition_index", 0, RESULT_MAX_COUNT, &index, e))
        return false;
    if (strcmp(found, name) != 0 || index != s->count)
        return error_set(e, "it is repetition %d of %s, where %d of %s should be", index, found,
                         s->count, name);
    return json_get_number(object, "real_time", 0, &s->ms[s->count++], e);
}

/* Version 1: the repetitions of all rows one after the other, in the order of the rows. */
static bool read_benchmarks(struct result *result, const struct json_value *root, struct error *e)
{
    const struct json_value *list;
    size_t at = 0;
    if (!json_get_list(root, "benchmarks", 1, RESULT_MAX_ENTRIES, &list, e))
        return false;
    for (int i = 0; i < result->row_count; i++) {
        struct result_row *row = &result->end_to_end[i];
        char name[256];
        snprintf(name, sizeof name, "%s/%s/%s/batch:%d/threads:%d", row->network, row->isa,
                 row->algo, row->batch, row->threads);
        if ((size_t)row->repetitions > json_entries(list) - at)
            return error_set(e, "benchmarks: repetitions of %s are missing", name);
        if (!make_lists(&row->samples, (size_t)row->repetitions, false, e))
            return false;
        for (int k = 0; k < row->repetitions; k++, at++) {
            if (!read_entry(row, name, json_entry(list, at), e))
                return result_in_entry(e, "benchmarks", at);
        }
    }
    return at == json_entries(list) ||
           error_set(e, "benchmarks: there are more entries than repetitions");
}

bool result_samples_read(struct result *result, const struct json_value *root, struct error *e)
{
    if (result->version == 1)
        return read_benchmarks(result, root, e);
    const struct json_value *resmark = json_member(root, "resmark");
    for (int i = 0; i < result->row_count; i++) {
        if (!read_samples(&result->end_to_end[i], result_row_entry(resmark, (size_t)i), e))
            return result_in_entry(e, "resmark.end_to_end", (size_t)i);
    }
    return true;
}
