/** Small result files of both versions, made up: two rows (one more in version 2: cold caches) of
 * three layers and a few repetitions. */
#ifndef RESMARK_TESTS_RESULT_FIXTURE_H
#define RESMARK_TESTS_RESULT_FIXTURE_H

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define FIXTURE_LAYERS 3
#define FIXTURE_REPETITIONS 8
#define FIXTURE_MACS 3e6
#define FIXTURE_MS 3.5

/** What of a made-up result can be chosen. */
struct fixture_options {
    int version;
    double slower;  /**< times are multiplied by this */
    double clock;   /**< GHz, beside every repetition; ceilings and times follow it; 0: 2 */
    double scatter; /**< of the repetitions, as a share */
};

static const char *const fixture_isas[] = {"scalar", "avx2"};

/** A pattern of repetitions round 1, whose median is 1. */
static double fixture_wave(const struct fixture_options *o, int i)
{
    return 1 + o->scatter * ((i * 3) % FIXTURE_REPETITIONS - (FIXTURE_REPETITIONS - 1) / 2.0);
}

static double fixture_clock(const struct fixture_options *o)
{
    return o->clock > 0 ? o->clock : 2;
}

static double fixture_ms(const struct fixture_options *o)
{
    return FIXTURE_MS * (o->slower > 0 ? o->slower : 1) * 2 / fixture_clock(o);
}

static json_t *fixture_samples(const struct fixture_options *o)
{
    json_t *ms = json_array(), *ceiling = json_array(), *clock = json_array(), *at = json_array();
    for (int i = 0; i < FIXTURE_REPETITIONS; i++) {
        json_array_append_new(ms, json_real(fixture_ms(o) * fixture_wave(o, i)));
        json_array_append_new(ceiling, json_real(10 * fixture_clock(o)));
        json_array_append_new(clock, json_real(fixture_clock(o)));
        json_array_append_new(at, json_real(i));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "ms", ms, "ceiling_gflops", ceiling, "clock_ghz",
                     clock, "at_s", at);
}

static void fixture_add_newer(json_t *row, const struct fixture_options *o, const char *cache)
{
    double ms = fixture_ms(o);
    json_t *more =
        json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:n, s:s, s:[], s:[{s:s, s:s, s:s}], "
                  "s:{s:b, s:s}, s:o}",
                  "scenario", "latency", "cache", cache, "plan_hash", "0123456789abcdef", "p50_ms",
                  ms, "p90_ms", 2 * ms, "p99_9_ms", 2 * ms, "min_ms", ms / 2, "max_ms", 2 * ms,
                  "floor_ms", "verdict", "VALID", "reasons", "notes", "code", "turbo", "text",
                  "turbo is on", "advice", "switch it off", "energy", "available", 0, "reason",
                  "no powercap", "samples", fixture_samples(o));
    json_object_update(row, more);
    json_decref(more);
}

static json_t *fixture_row(const struct fixture_options *o, const char *isa, const char *cache)
{
    double ms = fixture_ms(o);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i}", "network", "resnet50_v2",
                            "variant", "gluon", "isa", isa, "algo", "auto", "precision", "fp32",
                            "threads", 1, "batch", 2, "instances", 1);
    json_t *figures = json_pack(
        "{s:f, s:f, s:f, s:f, s:f, s:i, s:f, s:f, s:f, s:f, s:s, s:s}", "median_ms", ms,
        "ci_low_ms", ms * 0.99, "ci_high_ms", ms * 1.01, "p99_ms", ms * 2, "first_ms", ms * 3,
        "repetitions", FIXTURE_REPETITIONS, "images_per_s", 2e3 / ms, "gflops",
        4 * FIXTURE_MACS / ms * 1e-6, "ceiling_gflops", 10 * fixture_clock(o), "over_ceiling", 0.5,
        "logits_hash", "00000000000000aa", "verdict", "SUSPECT: under 6 repetitions");
    json_object_update(row, figures);
    json_decref(figures);
    if (o->version > 1)
        fixture_add_newer(row, o, cache);
    return row;
}

static json_t *fixture_layer(const struct fixture_options *o, const char *isa, int row, int index)
{
    char name[16];
    double ms = fixture_ms(o) / FIXTURE_LAYERS;
    snprintf(name, sizeof name, "conv%d", index);
    json_t *layer =
        json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s}", "network", "resnet50_v2", "isa",
                  isa, "algo", "direct", "threads", 1, "batch", 2, "name", name, "kind", "conv",
                  "kernel", "conv_mk_6x16", "output_hash", "00000000000000bb");
    json_t *more = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:f}", "cin", 3,
                             "cout", 64, "kernel_size", 3, "stride", 1, "height", 32, "width", 32,
                             "macs", 2 * FIXTURE_MACS / FIXTURE_LAYERS, "median_ms", ms, "gflops",
                             5.0, "ceiling_gflops", 20.0, "over_ceiling", 0.25);
    json_object_update(layer, more);
    json_decref(more);
    if (o->version == 1)
        return layer;
    double relative = ms * 10 * fixture_clock(o);
    more = json_pack("{s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:s, s:n}", "row", row,
                     "ci_low_ms", ms * 0.99, "ci_high_ms", ms * 1.01, "relative_median", relative,
                     "relative_ci_low", relative * 0.995, "relative_ci_high", relative * 1.005,
                     "bytes", 1e5, "floor_arithmetic_ms", ms / 2, "floor_bytes_ms", ms / 3,
                     "floor_level", "L2", "bound_by", "arithmetic", "floor_share");
    json_object_update(layer, more);
    json_decref(more);
    return layer;
}

/** Google Benchmark's list, in which version 1 has its repetitions. */
static void fixture_add_benchmarks(json_t *list, const struct fixture_options *o, const char *isa)
{
    char name[64];
    snprintf(name, sizeof name, "resnet50_v2/%s/auto/batch:2/threads:1", isa);
    for (int i = 0; i < FIXTURE_REPETITIONS; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:i, s:f, s:s}", "run_name", name, "repetitions",
                            FIXTURE_REPETITIONS, "repetition_index", i, "real_time",
                            fixture_ms(o) * fixture_wave(o, i), "time_unit", "ms"));
}

static json_t *fixture_lists(const struct fixture_options *o, json_t *benchmarks)
{
    json_t *rows = json_array(), *layers = json_array();
    for (int i = 0; i < 2; i++) {
        int index = (int)json_array_size(rows);
        json_array_append_new(rows, fixture_row(o, fixture_isas[i], "hot"));
        fixture_add_benchmarks(benchmarks, o, fixture_isas[i]);
        for (int k = 0; k < FIXTURE_LAYERS; k++)
            json_array_append_new(layers, fixture_layer(o, fixture_isas[i], index, k));
        if (o->version > 1 && i == 0)
            json_array_append_new(rows, fixture_row(o, fixture_isas[i], "cold"));
    }
    return json_pack("{s:o, s:o}", "end_to_end", rows, "layers", layers);
}

static void fixture_add_ceilings(json_t *own)
{
    json_t *more = json_pack(
        "{s:s, s:{s:s, s:s}, s:{s:i, s:f}, s:{s:[{s:s, s:i, s:f, s:f, s:n}], s:[{s:s, s:s, s:s, "
        "s:i, s:f, s:i}]}}",
        "status", "complete", "build", "executable_hash", "00000000000000cc", "type", "release",
        "network", "size", 32, "macs", FIXTURE_MACS, "ceilings", "fma", "isa", "avx2", "threads", 1,
        "gflops", 20.0, "clock_ghz", 2.0, "flops_per_cycle", "bandwidth", "level", "L1",
        "operation", "read", "isa", "avx2", "threads", 1, "gb_per_s", 100.0, "buffer_bytes", 16384);
    json_object_update(own, more);
    json_decref(more);
}

/** A whole result; the caller releases it. */
static json_t *fixture_result(const struct fixture_options *o)
{
    json_t *benchmarks = json_array();
    json_t *own = fixture_lists(o, benchmarks);
    json_t *head =
        json_pack("{s:i, s:s, s:s, s:{s:s, s:i, s:i, s:f, s:s}}", "version", o->version,
                  "resmark_version", "0.1.0", "compiler", "gcc 12.2.0", "machine", "cpu",
                  "Test CPU", "cores", 4, "allowed_cores", 2, "quota_cores", 0.0, "huge_pages", "");
    json_object_update(own, head);
    json_decref(head);
    if (o->version > 1)
        fixture_add_ceilings(own);
    return json_pack("{s:{s:s, s:s}, s:o, s:o}", "context", "host_name", "test", "date",
                     "2026-01-02T03:04:05+0000", "benchmarks", benchmarks, "resmark", own);
}

#endif
