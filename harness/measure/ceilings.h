/**
 * What the cores could do at most, measured on them: floating-point operations from chains of FMAs,
 * and bytes from each level of the memory hierarchy.
 */
#ifndef RESMARK_HARNESS_MEASURE_CEILINGS_H
#define RESMARK_HARNESS_MEASURE_CEILINGS_H

#include "harness/team.h"
#include "kernels/kernels.h"

#include <signal.h>
#include <stdint.h>

/** Stands behind the levels of cache. */
#define CEILINGS_DRAM (CACHE_LEVELS + 1)

/** Most entries of either list. */
#define CEILINGS_MAX 256

/** Beside a repetition: the cores' FMA rate and clock just then. */
struct probe {
    double gflops;   /**< of all threads together */
    double clock_hz; /**< mean of the threads' cores */
    int displaced;   /**< threads that found themselves on another CPU than they are pinned to */
    int unpinned;    /**< threads that the system refused to pin */
};

/** The FMA ceiling of one ISA on one team. */
struct fma_ceiling {
    enum isa isa;
    int threads;
    double gflops;
    double clock_hz;
};

enum bandwidth_operation { BANDWIDTH_READ, BANDWIDTH_COPY, BANDWIDTH_OPERATIONS };

struct bandwidth {
    int level; /**< 1 to CACHE_LEVELS, or CEILINGS_DRAM */
    enum bandwidth_operation operation;
    enum isa isa; /**< whose loads and stores */
    int threads;
    double gb_per_s;     /**< of all threads; a copy counts what it reads and what it writes */
    size_t buffer_bytes; /**< of each thread */
};

struct ceilings {
    int fma_count;
    struct fma_ceiling fma[CEILINGS_MAX];
    int bandwidth_count;
    struct bandwidth bandwidth[CEILINGS_MAX];
};

/**
 * Runs the ISA's FMA chains on all threads for about `fma_ns` nanoseconds, then a chain of
 * dependent additions for the clock (half a millisecond).
 */
struct probe ceilings_probe(const struct kernel_set *set, struct team *team, uint64_t fma_ns);

/** Adds the FMA ceiling of a set: the best of several probes. */
void ceilings_add_fma(struct ceilings *ceilings, const struct kernel_set *set, struct team *team);

/**
 * Adds read and copy bandwidth of each level that the topology knows and of DRAM, the best of
 * several passes: takes about a second, and twice the memory of the last level of cache (at most a
 * quarter of what is free). Levels behind one that holds `needed` bytes are left out: SIZE_MAX for
 * all. Ends early when `*stop` is not 0. False with `e` set when memory runs out.
 */
bool ceilings_add_bandwidths(struct ceilings *ceilings, enum isa isa, struct team *team,
                             const struct topology *topology, size_t needed,
                             const volatile sig_atomic_t *stop, struct error *e);

/** The entry for so many threads, or NULL. */
const struct fma_ceiling *ceilings_fma(const struct ceilings *ceilings, enum isa isa, int threads);
const struct bandwidth *ceilings_bandwidth(const struct ceilings *ceilings, int level,
                                           enum bandwidth_operation operation, int threads);

/** "L1" to "L4", "DRAM". */
const char *ceilings_level_name(int level);

/** "read" or "copy". */
const char *bandwidth_operation_name(enum bandwidth_operation operation);

/**
 * Bytes of one cache of a level (1 to CACHE_LEVELS) that each of so many threads, one a core, has
 * for itself; 0 where nothing is known.
 */
size_t ceilings_cache_share(const struct topology *topology, int level, int threads);

/**
 * Bytes for each thread to stream through so that they come from that level: more than the level
 * above holds, less than this one does. 0 when there is no such size, as where a level is hardly
 * larger than the one above.
 */
size_t ceilings_buffer_bytes(const struct topology *topology, int level, int threads,
                             size_t free_bytes);

#endif
