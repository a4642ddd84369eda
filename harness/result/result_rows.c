#include "harness/json_fields.h"
#include "harness/result/result_parts.h"

#include <stdlib.h>
#include <string.h>

/* Times are over this many milliseconds: less is no measurement, and would not divide. */
#define LEAST_MS 1e-9

bool result_interval_check(double low, double median, double high, struct error *e)
{
    return (low <= median && median <= high) ||
           error_set(e, "the median %g is outside of its interval, %g to %g", median, low, high);
}

static bool read_subject(struct result_row *row, const struct json_value *object, struct error *e)
{
    return json_get_text(object, "network", row->network, sizeof row->network, e) &&
           json_get_text(object, "variant", row->variant, sizeof row->variant, e) &&
           json_get_text(object, "isa", row->isa, sizeof row->isa, e) &&
           json_get_text(object, "algo", row->algo, sizeof row->algo, e) &&
           json_get_text(object, "precision", row->precision, sizeof row->precision, e) &&
           json_get_integer(object, "threads", 1, RESULT_MAX_COUNT, &row->threads, e) &&
           json_get_integer(object, "batch", 1, RESULT_MAX_COUNT, &row->batch, e) &&
           json_get_integer(object, "instances", 1, RESULT_MAX_COUNT, &row->instances, e);
}

static bool read_times(struct result_row *row, const struct json_value *object, struct error *e)
{
    return json_get_number(object, "median_ms", LEAST_MS, &row->median_ms, e) &&
           json_get_number(object, "ci_low_ms", LEAST_MS, &row->ci_low_ms, e) &&
           json_get_number(object, "ci_high_ms", LEAST_MS, &row->ci_high_ms, e) &&
           result_interval_check(row->ci_low_ms, row->median_ms, row->ci_high_ms, e) &&
           json_get_number(object, "p99_ms", LEAST_MS, &row->p99_ms, e) &&
           json_get_measured(object, "first_ms", LEAST_MS, &row->first_ms, e) &&
           json_get_integer(object, "repetitions", 1, INT32_MAX, &row->repetitions, e);
}

static bool read_figures(struct result_row *row, const struct json_value *object, struct error *e)
{
    return json_get_number(object, "images_per_s", 0, &row->images_per_s, e) &&
           json_get_number(object, "gflops", 0, &row->gflops, e) &&
           json_get_measured(object, "ceiling_gflops", 0, &row->ceiling_gflops, e) &&
           json_get_measured(object, "over_ceiling", 0, &row->over_ceiling, e) &&
           json_get_hash(object, "logits_hash", &row->logits_hash, e);
}

static bool read_reasons(struct result_reasons *reasons, const struct json_value *object,
                         const char *key, struct error *e)
{
    const struct json_value *list;
    if (!json_get_list(object, key, 0, RESULT_MAX_ENTRIES, &list, e))
        return false;
    reasons->list = calloc(json_entries(list) + 1, sizeof *reasons->list);
    if (!reasons->list)
        return error_set(e, "no memory for its %s", key);
    for (size_t i = 0; i < json_entries(list); i++) {
        const struct json_value *entry = json_entry(list, i);
        struct result_reason *r = &reasons->list[reasons->count++];
        if (!json_get_text(entry, "code", r->code, sizeof r->code, e) ||
            !json_get_text(entry, "text", r->text, sizeof r->text, e) ||
            !json_get_text_or_none(entry, "advice", r->advice, sizeof r->advice, e))
            return result_in_entry(e, key, i);
    }
    return true;
}

static bool check_verdict(const struct result_row *row, struct error *e)
{
    static const char *const verdicts[] = {"VALID", "SUSPECT", "INVALID"};
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        if (strcmp(row->verdict, verdicts[i]) == 0)
            return true;
    }
    return error_set(e, "\"verdict\" is none of VALID, SUSPECT, INVALID: %s", row->verdict);
}

/* Version 1: the reason stands behind a colon. */
static bool read_spoken_verdict(struct result_row *row, const struct json_value *object,
                                struct error *e)
{
    char text[320];
    if (!json_get_text(object, "verdict", text, sizeof text, e))
        return false;
    size_t length = strcspn(text, ":");
    snprintf(row->verdict, sizeof row->verdict, "%.*s", (int)length, text);
    row->reasons.list = calloc(1, sizeof *row->reasons.list);
    if (!row->reasons.list)
        return error_set(e, "no memory for its verdict");
    if (text[length]) {
        struct result_reason *r = &row->reasons.list[row->reasons.count++];
        snprintf(r->text, sizeof r->text, "%s", text + length + 1 + strspn(text + length + 1, " "));
    }
    return check_verdict(row, e);
}

static bool read_energy(struct result_row *row, const struct json_value *object, struct error *e)
{
    const struct json_value *energy = json_member(object, "energy");
    return (json_get_measured(energy, "joules_per_image", 0, &row->joules_per_image, e) &&
            json_get_measured(energy, "watts", 0, &row->watts, e)) ||
           json_in_part(e, "energy");
}

static bool read_newer(struct result_row *row, const struct json_value *object, struct error *e)
{
    return json_get_text(object, "scenario", row->scenario, sizeof row->scenario, e) &&
           json_get_text(object, "cache", row->cache, sizeof row->cache, e) &&
           json_get_hash(object, "plan_hash", &row->plan_hash, e) &&
           json_get_number(object, "p50_ms", LEAST_MS, &row->p50_ms, e) &&
           json_get_number(object, "p90_ms", LEAST_MS, &row->p90_ms, e) &&
           json_get_number(object, "p99_9_ms", LEAST_MS, &row->p99_9_ms, e) &&
           json_get_number(object, "min_ms", LEAST_MS, &row->min_ms, e) &&
           json_get_number(object, "max_ms", LEAST_MS, &row->max_ms, e) &&
           json_get_measured(object, "floor_ms", 0, &row->floor_ms, e) &&
           json_get_text(object, "verdict", row->verdict, sizeof row->verdict, e) &&
           check_verdict(row, e) && read_reasons(&row->reasons, object, "reasons", e) &&
           read_reasons(&row->notes, object, "notes", e) && read_energy(row, object, e);
}

static bool read_row(struct result_row *row, int version, const struct json_value *object,
                     struct error *e)
{
    if (!read_subject(row, object, e) || !read_times(row, object, e) ||
        !read_figures(row, object, e))
        return false;
    if (version > 1)
        return read_newer(row, object, e);
    strcpy(row->scenario, "latency");
    strcpy(row->cache, "hot");
    return read_spoken_verdict(row, object, e);
}

const struct json_value *result_row_entry(const struct json_value *resmark, size_t index)
{
    const struct json_value *hot = json_member(resmark, "end_to_end");
    const struct json_value *cold = json_member(resmark, "cold");
    size_t count = json_entries(hot);
    return index < count ? json_entry(hot, index) : json_entry(cold, index - count);
}

bool result_rows_read(struct result *result, const struct json_value *resmark, struct error *e)
{
    const struct json_value *list;
    if (!json_get_list(resmark, "end_to_end", 1, RESULT_MAX_ENTRIES, &list, e))
        return json_in_part(e, "resmark");
    size_t hot = json_entries(list), count = hot;
    if (json_member(resmark, "cold")) {
        if (!json_get_list(resmark, "cold", 0, RESULT_MAX_ENTRIES, &list, e))
            return json_in_part(e, "resmark");
        count += json_entries(list);
    }
    result->end_to_end = calloc(count, sizeof *result->end_to_end);
    if (!result->end_to_end)
        return error_set(e, "no memory for %zu rows", count);
    for (size_t i = 0; i < count; i++) {
        struct result_row *row = &result->end_to_end[result->row_count++];
        if (!read_row(row, result->version, result_row_entry(resmark, i), e))
            return i < hot ? result_in_entry(e, "resmark.end_to_end", i)
                           : result_in_entry(e, "resmark.cold", i - hot);
    }
    return true;
}
