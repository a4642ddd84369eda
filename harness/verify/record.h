/**
 * What a machine computed, in a form that another machine can compare its own with: hashes of all
 * layers by every algorithm and kernel set, and enough of their values to say how they differ.
 */
#ifndef RESMARK_HARNESS_VERIFY_RECORD_H
#define RESMARK_HARNESS_VERIFY_RECORD_H

#include "arch/error.h"
#include "arch/isa.h"
#include "harness/algo.h"
#include "harness/verify/difference.h"
#include "harness/verify/snapshot.h"

/** Values of each layer that are kept: spread over its output, [C][H][W]. */
#define RECORD_SAMPLES 8

/** Most algorithms of a record, and most kernel sets times thread counts of one. */
#define RECORD_MAX_MODELS 16
#define RECORD_MAX_RUNS 64
#define RECORD_MAX_LAYERS 1024

/** 2^64 over the golden ratio: its multiples lie evenly, with no period that an axis could have,
 * and a product with it brings a difference in any bit to the upper ones. */
#define RECORD_SPREAD 0x9e3779b97f4a7c15

struct record_layer {
    char name[48];
    char algo[16];    /**< of a convolution; "-" of another layer */
    uint64_t weights; /**< hash of what was packed for it; 0 if it has none */
    uint64_t hash;    /**< of what it stores */
    struct shape shape;
    /** 16 bits of a hash for each lane, block, row and column of what it stores, one axis behind
     * the other. */
    uint16_t *bands;
    uint32_t samples[RECORD_SAMPLES]; /**< bits of the sampled floats */
};

/** What one kernel set on one number of threads computed. */
struct record_run {
    enum isa isa;
    int threads;
    uint64_t *hashes; /**< of each layer; NULL: those of the layers, all of them */
};

/** One way to choose algorithms. */
struct record_model {
    char name[16];
    int layer_count;
    struct record_layer *layers; /**< as the scalar kernels computed them */
    int run_count;
    struct record_run runs[RECORD_MAX_RUNS];
};

struct record {
    char resmark_version[32], compiler[96], cpu[64], architecture[16];
    char network[48], variant[32];
    int classes, size, batch;
    uint64_t seed;
    char weights[65]; /**< SHA-256 of the weights file; empty: synthetic, of the seed */
    int model_count;
    struct record_model models[RECORD_MAX_MODELS];
};

/** Entries of a layer's bands. */
size_t record_bands(const struct shape *shape);

/** Where a layer's sample of that index is. */
struct difference_at record_sample_at(const struct shape *shape, int index);

/** Adds an algorithm with its layers, from a model and what the reference computed. NULL with `e`
 * set when there is no memory; record_free() releases all. */
struct record_model *record_add(struct record *record, const struct model *model,
                                const struct snapshot *snapshot, struct error *e);

/** Adds a run; its hashes are copied. False with `e` set when there is no memory. */
bool record_add_run(struct record_model *model, enum isa isa, int threads, const uint64_t *hashes,
                    struct error *e);
void record_free(struct record *record);

#endif
