#include "harness/measure/ceilings.h"

#include "arch/clock.h"
#include "harness/measure/stats.h"
#include "harness/measure/stream.h"
#include "harness/memory.h"

#include <sched.h>
#include <unistd.h>

/* Rounds between two looks at the clock: microseconds on any ISA, so that the looks cost nothing.
 */
#define FMA_ROUNDS 1000

/* Parts of a probe. */
#define FMA_SLICE_NS 50000

/* The best of so many probes of so long is the ceiling. */
#define FMA_PROBES 10
#define FMA_PROBE_NS 5000000

/* The best of so many slices of so long is the bandwidth; a slice is cut into chunks that are long
 * against a look at the clock, and short against the time for which another program gets a CPU. */
#define SLICES 8
#define SLICE_NS 6000000
#define CHUNK_FLOATS ((size_t)1 << 20)

/* Slices of a probe and chunks of a slice, at most. */
#define MAX_PARTS 1024

/* More than any cache above DRAM need not be gone through before. */
#define WARM_FLOATS ((size_t)16 << 20)

/* Where no size of a cache is known. */
#define UNKNOWN_DRAM_BYTES ((size_t)256 << 20)

#define STREAM_BYTES (STREAM_FLOATS * sizeof(float))

/*
 * The median rate of parts that are run for `ns` nanoseconds: an interruption spoils the one that
 * it hits, however long it is. At least one runs, whenever the interruption comes.
 */
static double median_rate(double (*part)(void *), void *context, uint64_t ns)
{
    double rates[MAX_PARTS];
    int count = 0;
    uint64_t begin = clock_ns();
    do
        rates[count++] = part(context);
    while (count < MAX_PARTS && clock_ns() - begin < ns);
    return summarize(rates, count).median;
}

struct probe_job {
    const struct kernel_set *set;
    uint64_t ns;
    double gflops[TEAM_MAX_THREADS], clock_hz[TEAM_MAX_THREADS];
    int cpu[TEAM_MAX_THREADS];
};

/* Operations a nanosecond of one slice, which is long against a look at the clock. */
static double run_slice(void *context)
{
    const struct probe_job *job = context;
    uint64_t begin = clock_ns(), ns = 0;
    double operations = 0;
    while (ns < FMA_SLICE_NS) {
        operations += job->set->peak.run(FMA_ROUNDS);
        ns = clock_ns() - begin;
    }
    return operations / (double)ns;
}

static void run_probe(void *context, int thread)
{
    struct probe_job *job = context;
    job->gflops[thread] = median_rate(run_slice, job, job->ns);
    job->clock_hz[thread] = clock_core_hz();
    job->cpu[thread] = sched_getcpu();
}

struct probe ceilings_probe(const struct kernel_set *set, struct team *team, uint64_t fma_ns)
{
    struct probe_job job = {.set = set, .ns = fma_ns};
    struct probe probe = {0};
    int threads = team_threads(team);
    team_run_each(team, run_probe, &job);
    for (int t = 0; t < threads; t++) {
        probe.gflops += job.gflops[t];
        probe.clock_hz += job.clock_hz[t] / threads;
        int pinned = team_cpu(team, t);
        probe.unpinned += pinned < 0;
        probe.displaced += pinned >= 0 && job.cpu[t] >= 0 && job.cpu[t] != pinned;
    }
    return probe;
}

void ceilings_add_fma(struct ceilings *ceilings, const struct kernel_set *set, struct team *team)
{
    struct fma_ceiling best = {.isa = set->isa, .threads = team_threads(team)};
    for (int i = 0; i < FMA_PROBES; i++) {
        struct probe probe = ceilings_probe(set, team, FMA_PROBE_NS);
        if (probe.gflops > best.gflops) {
            best.gflops = probe.gflops;
            best.clock_hz = probe.clock_hz;
        }
    }
    team_rest(team);
    if (ceilings->fma_count < CEILINGS_MAX)
        ceilings->fma[ceilings->fma_count++] = best;
}

size_t ceilings_cache_share(const struct topology *topology, int level, int threads)
{
    const struct cache *cache = &topology->caches[level - 1];
    int siblings = topology->pus / topology->cores;
    int cores = cache->sharing_pus / (siblings > 0 ? siblings : 1);
    int sharers = cores < 1 ? 1 : cores < threads ? cores : threads;
    return cache->bytes / (size_t)sharers;
}

static size_t dram_bytes(const struct topology *topology, int threads, size_t free_bytes)
{
    size_t caches = 0;
    for (int level = 1; level <= CACHE_LEVELS; level++) {
        if (topology->caches[level - 1].bytes)
            caches = ceilings_cache_share(topology, level, threads);
    }
    size_t wanted = caches ? 2 * caches : UNKNOWN_DRAM_BYTES / (size_t)threads;
    size_t most = free_bytes / 4 / (size_t)threads;
    wanted = wanted < most ? wanted : most;
    return wanted > caches ? wanted : 0;
}

size_t ceilings_buffer_bytes(const struct topology *topology, int level, int threads,
                             size_t free_bytes)
{
    size_t above = 0, share = 0;
    if (level == CEILINGS_DRAM)
        return dram_bytes(topology, threads, free_bytes) / (2 * STREAM_BYTES) * 2 * STREAM_BYTES;
    for (int i = 1; i < level; i++) {
        if (topology->caches[i - 1].bytes)
            above = ceilings_cache_share(topology, i, threads);
    }
    share = ceilings_cache_share(topology, level, threads);
    /* Four times what is above suffices to miss there, and leaves a large cache that is shared
     * with neighbours room for theirs. */
    size_t bytes = above && 4 * above < share / 2 ? 4 * above : share / 2;
    if (bytes < above + above / 4)
        bytes = share - share / 8;
    if (bytes < above + above / 4)
        return 0;
    return bytes / (2 * STREAM_BYTES) * 2 * STREAM_BYTES;
}

struct stream_job {
    struct stream stream;
    enum bandwidth_operation operation;
    float *memory;
    size_t floats; /* of each thread */
    double gb_per_s[TEAM_MAX_THREADS];
};

/* One thread's way through its memory, round and round. */
struct stream_walk {
    const struct stream_job *job;
    float *memory;
    size_t at;
};

/* Moves CHUNK_FLOATS floats; returns bytes a nanosecond. */
static double stream_chunk(void *context)
{
    struct stream_walk *w = context;
    const struct stream_job *job = w->job;
    bool read = job->operation == BANDWIDTH_READ;
    size_t all = read ? job->floats : job->floats / 2,
           left = read ? CHUNK_FLOATS : CHUNK_FLOATS / 2;
    uint64_t start = clock_ns();
    while (left > 0) {
        size_t count = all - w->at < left ? all - w->at : left;
        if (read)
            job->stream.read(w->memory + w->at, count);
        else
            job->stream.copy(w->memory + w->at, w->memory + all + w->at, count);
        w->at = w->at + count < all ? w->at + count : 0;
        left -= count;
    }
    return CHUNK_FLOATS * sizeof(float) / (double)(clock_ns() - start);
}

/* The first round fills the cache. */
static void run_stream(void *context, int thread)
{
    struct stream_job *job = context;
    struct stream_walk walk = {.job = job, .memory = job->memory + (size_t)thread * job->floats};
    for (size_t warm = 0; warm < job->floats && warm < WARM_FLOATS; warm += CHUNK_FLOATS)
        stream_chunk(&walk);
    job->gb_per_s[thread] = median_rate(stream_chunk, &walk, SLICE_NS);
}

/* Written by the thread that will read it, so that it lies in that thread's NUMA node. */
static void touch_memory(void *context, int thread)
{
    const struct stream_job *job = context;
    float *memory = job->memory + (size_t)thread * job->floats;
    for (size_t i = 0; i < job->floats; i++)
        memory[i] = (float)(i % 1024);
}

static double best_bandwidth(struct stream_job *job, struct team *team,
                             const volatile sig_atomic_t *stop)
{
    double best = 0;
    for (int slice = 0; slice < SLICES && !*stop; slice++) {
        double sum = 0;
        team_run_each(team, run_stream, job);
        for (int t = 0; t < team_threads(team); t++)
            sum += job->gb_per_s[t];
        best = sum > best ? sum : best;
    }
    return best;
}

/* One level, both operations. */
static bool add_level(struct ceilings *ceilings, int level, size_t bytes, enum isa isa,
                      struct team *team, const volatile sig_atomic_t *stop, struct error *e)
{
    struct memory memory;
    struct stream_job job = {.stream = stream_get(isa), .floats = bytes / sizeof(float)};
    size_t threads = (size_t)team_threads(team);
    if (!memory_map(&memory, job.floats * threads, "measuring bandwidth", e))
        return false;
    job.memory = memory.data;
    team_run_each(team, touch_memory, &job);
    for (int o = 0; o < BANDWIDTH_OPERATIONS && ceilings->bandwidth_count < CEILINGS_MAX; o++) {
        job.operation = (enum bandwidth_operation)o;
        double gb_per_s = best_bandwidth(&job, team, stop);
        if (gb_per_s > 0)
            ceilings->bandwidth[ceilings->bandwidth_count++] =
                (struct bandwidth){level, job.operation, isa, (int)threads, gb_per_s, bytes};
    }
    team_rest(team);
    memory_unmap(&memory);
    return true;
}

bool ceilings_add_bandwidths(struct ceilings *ceilings, enum isa isa, struct team *team,
                             const struct topology *topology, size_t needed,
                             const volatile sig_atomic_t *stop, struct error *e)
{
    const int threads = team_threads(team);
    size_t held = 0;
    long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t free_bytes = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 0;
    for (int level = 1; level <= CEILINGS_DRAM && held < needed && !*stop; level++) {
        size_t bytes = ceilings_buffer_bytes(topology, level, threads, free_bytes);
        if (bytes && !add_level(ceilings, level, bytes, isa, team, stop, e))
            return false;
        if (level < CEILINGS_DRAM && topology->caches[level - 1].bytes)
            held = ceilings_cache_share(topology, level, threads) * (size_t)threads;
    }
    return true;
}

const struct fma_ceiling *ceilings_fma(const struct ceilings *ceilings, enum isa isa, int threads)
{
    for (int i = 0; i < ceilings->fma_count; i++) {
        if (ceilings->fma[i].isa == isa && ceilings->fma[i].threads == threads)
            return &ceilings->fma[i];
    }
    return NULL;
}

const struct bandwidth *ceilings_bandwidth(const struct ceilings *ceilings, int level,
                                           enum bandwidth_operation operation, int threads)
{
    for (int i = 0; i < ceilings->bandwidth_count; i++) {
        const struct bandwidth *b = &ceilings->bandwidth[i];
        if (b->level == level && b->operation == operation && b->threads == threads)
            return b;
    }
    return NULL;
}

const char *ceilings_level_name(int level)
{
    static const char *const names[] = {"L1", "L2", "L3", "L4"};
    return level == CEILINGS_DRAM ? "DRAM" : names[level - 1];
}

const char *bandwidth_operation_name(enum bandwidth_operation operation)
{
    return operation == BANDWIDTH_READ ? "read" : "copy";
}
