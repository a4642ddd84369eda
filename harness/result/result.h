/**
 * Result files (results/FORMAT.md) as they are read: every value that is here has been checked, so
 * that whoever uses it need not ask again. Version 1 had less than version 2: what it lacks, and
 * what was not measured, is 0 (no figure here can be 0 once it is measured) or an empty text.
 */
#ifndef RESMARK_HARNESS_RESULT_RESULT_H
#define RESMARK_HARNESS_RESULT_RESULT_H

#include "arch/error.h"

#include <stddef.h>
#include <stdint.h>

/** The newest version of the format that is read. */
#define RESULT_NEWEST_VERSION 2

/** Bytes of the largest file that is read. */
#define RESULT_MAX_BYTES ((size_t)16 << 20)

/** By what something was measured. */
struct result_machine {
    char cpu[128], architecture[32], kernel[256], os[256];
    int cores, allowed_cores;
    double quota_cores; /**< 0: none */
    char huge_pages[32], governor[32];
    double memory_bytes;
};

/** Peak of the fused multiply-adds of an ISA on `threads` cores together. */
struct result_fma {
    char isa[16];
    int threads;
    double gflops, clock_ghz, flops_per_cycle;
};

/** Bandwidth of a level of the memory on `threads` cores together. */
struct result_bandwidth {
    char level[8], operation[8], isa[16]; /**< "L1"…"DRAM"; "read" or "copy" */
    int threads;
    double gb_per_s, buffer_bytes;
};

struct result_ceilings {
    int fma_count, bandwidth_count;
    struct result_fma *fma;
    struct result_bandwidth *bandwidth;
};

/** Why a row is not VALID, or what is to be known about it. */
struct result_reason {
    char code[40]; /**< empty in version 1 */
    char text[320], advice[320];
};

struct result_reasons {
    int count;
    struct result_reason *list;
};

/** Repetitions in the order in which they were measured. */
struct result_samples {
    int count;
    double *ms;             /**< [count] */
    double *ceiling_gflops; /**< FMA ceiling beside each, or 0; NULL in version 1 */
    double *clock_ghz;      /**< of the core beside each, or 0; NULL in version 1 */
    double *at_s;           /**< when each began, since the run's start; NULL in version 1 */
};

/** One layer of one row. Layers without arithmetic (pools) have 0 MACs and 0 GFLOP/s. */
struct result_layer {
    char name[48], kind[16], algo[16], kernel[64];
    int cin, cout, kernel_size, stride, height, width; /**< height and width of the input */
    double macs;                                       /**< of the whole batch */
    double median_ms, ci_low_ms, ci_high_ms;           /**< 95 % interval of the median */
    /** The same of ms x ceiling_gflops beside it, in 10^6 operations. */
    double relative_median, relative_ci_low, relative_ci_high;
    double gflops, ceiling_gflops, over_ceiling;
    double bytes, floor_arithmetic_ms, floor_bytes_ms, floor_share;
    char floor_level[8], bound_by[16];
    double max_error, bound_fraction;
    uint64_t output_hash;
};

/** One plan, run in one way: an entry of end_to_end. */
struct result_row {
    char network[48], variant[32], isa[16], algo[16], precision[16];
    char scenario[16], cache[8]; /**< version 1: "latency", "hot" */
    int threads, batch, instances;
    uint64_t plan_hash; /**< of each layer's algorithm, kernel and blocking; version 1: 0 */
    double median_ms, ci_low_ms, ci_high_ms; /**< 95 % interval of the median */
    double p50_ms, p90_ms, p99_ms, p99_9_ms, min_ms, max_ms, first_ms;
    int repetitions; /**< measured, of which `samples` can be a choice */
    double images_per_s, gflops, ceiling_gflops, over_ceiling, floor_ms;
    double joules_per_image, watts;
    uint64_t logits_hash;
    char verdict[16]; /**< "VALID", "SUSPECT" or "INVALID" */
    struct result_reasons reasons, notes;
    struct result_samples samples; /**< at least one */
    int layer_count;               /**< 0 in a row of flushed caches */
    struct result_layer *layers;
};

struct result {
    int version;
    char status[16]; /**< "complete" or "interrupted" */
    char resmark_version[32], compiler[128], build_type[32];
    uint64_t executable_hash;
    char host[256], date[40]; /**< ISO 8601 */
    struct result_machine machine;
    struct result_ceilings ceilings;
    int image_size;    /**< pixels of the network's square input; version 1: its first layer's */
    double image_macs; /**< of one image; version 1: from its first row's figures */
    int row_count;     /**< at least 1 */
    struct result_row *end_to_end;
};

/**
 * Reads a result file. False with `e` set to one line that names the file, the place in it and
 * what is wrong: truncated, of a newer version, a value that is missing, of another type or out of
 * range, layers that do not add up to the network. result_free() releases, whatever happened.
 */
bool result_read(struct result *result, const char *path, struct error *e);

/** The same from memory; `e` does not name the file. */
bool result_parse(struct result *result, const char *bytes, size_t size, struct error *e);

void result_free(struct result *result);

#endif
