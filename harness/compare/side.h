/** One side of a live comparison: a build of resmark that runs as `sample`. */
#ifndef RESMARK_HARNESS_COMPARE_SIDE_H
#define RESMARK_HARNESS_COMPARE_SIDE_H

#include "harness/compare/child.h"

#include <stdint.h>

/** Most layers of a network. */
#define SIDE_MAX_LAYERS 1024

struct side_layer {
    char name[48], algo[16], kernel[64];
};

/** What it says that it runs. */
struct side_subject {
    char resmark_version[32], compiler[128];
    char network[48], variant[32], isa[16], algo[16];
    int size, threads, batch;
    uint64_t logits_hash;
    int layer_count;
    struct side_layer layers[SIDE_MAX_LAYERS];
};

struct side {
    struct child child;
    struct side_subject subject;
};

/** Nanoseconds of one run. */
struct side_time {
    double wall, cpu;
    double layers[SIDE_MAX_LAYERS];
};

/**
 * Starts `program` as `sample` with `arguments` (NULL-terminated) and reads what it runs. False
 * with `e` set, which names the program. side_end() releases, whatever happened.
 */
bool side_start(struct side *side, const char *program, char *const *arguments, struct error *e);

/** Lets it run once. False with `e` set. */
bool side_run(struct side *side, struct side_time *time, struct error *e);
void side_end(struct side *side);

#endif
