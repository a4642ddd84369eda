#include "harness/json_fields.h"
#include "harness/result/result_parts.h"

#include <stdlib.h>

static bool read_fma(struct result_fma *f, const struct json_value *object, struct error *e)
{
    return json_get_text(object, "isa", f->isa, sizeof f->isa, e) &&
           json_get_integer(object, "threads", 1, RESULT_MAX_COUNT, &f->threads, e) &&
           json_get_number(object, "gflops", 0, &f->gflops, e) &&
           json_get_measured(object, "clock_ghz", 0, &f->clock_ghz, e) &&
           json_get_measured(object, "flops_per_cycle", 0, &f->flops_per_cycle, e);
}

static bool read_bandwidth(struct result_bandwidth *b, const struct json_value *object,
                           struct error *e)
{
    return json_get_text(object, "level", b->level, sizeof b->level, e) &&
           json_get_text(object, "operation", b->operation, sizeof b->operation, e) &&
           json_get_text(object, "isa", b->isa, sizeof b->isa, e) &&
           json_get_integer(object, "threads", 1, RESULT_MAX_COUNT, &b->threads, e) &&
           json_get_number(object, "gb_per_s", 0, &b->gb_per_s, e) &&
           json_get_number(object, "buffer_bytes", 1, &b->buffer_bytes, e);
}

static bool read_lists(struct result_ceilings *c, const struct json_value *fma,
                       const struct json_value *bandwidth, struct error *e)
{
    size_t fmas = json_entries(fma), bandwidths = json_entries(bandwidth);
    c->fma = calloc(fmas + 1, sizeof *c->fma);
    c->bandwidth = calloc(bandwidths + 1, sizeof *c->bandwidth);
    if (!c->fma || !c->bandwidth)
        return error_set(e, "no memory for %zu ceilings", fmas + bandwidths);
    for (size_t i = 0; i < fmas; i++) {
        if (!read_fma(&c->fma[c->fma_count++], json_entry(fma, i), e))
            return result_in_entry(e, "fma", i);
    }
    for (size_t i = 0; i < bandwidths; i++) {
        if (!read_bandwidth(&c->bandwidth[c->bandwidth_count++], json_entry(bandwidth, i), e))
            return result_in_entry(e, "bandwidth", i);
    }
    return true;
}

bool result_ceilings_read(struct result_ceilings *c, const struct json_value *resmark,
                          struct error *e)
{
    const struct json_value *ceilings = json_member(resmark, "ceilings"), *fma, *bandwidth;
    return (json_get_list(ceilings, "fma", 0, RESULT_MAX_ENTRIES, &fma, e) &&
            json_get_list(ceilings, "bandwidth", 0, RESULT_MAX_ENTRIES, &bandwidth, e) &&
            read_lists(c, fma, bandwidth, e)) ||
           json_in_part(e, "resmark.ceilings");
}
