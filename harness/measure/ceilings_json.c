#include "harness/measure/ceilings_json.h"

#include "arch/cpu.h"

static json_t *fma_json(const struct fma_ceiling *f)
{
    return json_pack("{s:s, s:i, s:f, s:f, s:f}", "isa", isa_name(f->isa), "threads", f->threads,
                     "gflops", f->gflops, "clock_ghz", f->clock_hz * 1e-9, "flops_per_cycle",
                     f->gflops * 1e9 / f->clock_hz / f->threads);
}

static json_t *bandwidth_json(const struct bandwidth *b)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:f, s:I}", "level", ceilings_level_name(b->level),
                     "operation", bandwidth_operation_name(b->operation), "isa", isa_name(b->isa),
                     "threads", b->threads, "gb_per_s", b->gb_per_s, "buffer_bytes",
                     (json_int_t)b->buffer_bytes);
}

json_t *ceilings_json(const struct ceilings *ceilings)
{
    json_t *fma = json_array(), *bandwidth = json_array();
    for (int i = 0; i < ceilings->fma_count; i++)
        json_array_append_new(fma, fma_json(&ceilings->fma[i]));
    for (int i = 0; i < ceilings->bandwidth_count; i++)
        json_array_append_new(bandwidth, bandwidth_json(&ceilings->bandwidth[i]));
    return json_pack("{s:o, s:o}", "fma", fma, "bandwidth", bandwidth);
}
