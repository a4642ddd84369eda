/**
 * Measures plans side by side: every contender (a kernel set on a number of threads) runs the same
 * images once to be hashed layer by layer, and then takes turns with the others in random order,
 * each turn next to a measurement of its FMA ceiling and of the clock on the same cores, and
 * between two looks at what else happened on the machine.
 */
#ifndef RESMARK_HARNESS_MEASURE_BENCH_H
#define RESMARK_HARNESS_MEASURE_BENCH_H

#include "harness/measure/energy.h"
#include "harness/measure/floors.h"
#include "harness/measure/instances.h"
#include "harness/measure/series.h"

#include <signal.h>

/** Most combinations of kernel sets, algorithms, threads, batches and instances in one run. */
#define BENCH_MAX_CONTENDERS 64

/** The two ways of repeating: one run after the other, or with the network's memory flushed from
 * all caches before each. */
enum series_kind { SERIES_HOT, SERIES_COLD, SERIES_KINDS };

/** One kernel set on one number of threads, by one model's algorithms. */
struct contender {
    const struct model *model;
    const struct kernel_set *set;
    int threads; /**< of each instance */
    struct instances *instances;
    const struct plan *plan; /**< of the first instance, as is `engine` */
    struct engine *engine;
    struct conditions_reader *watch;
    double first_ms;  /**< the first run, nothing warm */
    uint64_t *hashes; /**< of each step's output: of act and sum joined where both are stored */
    uint64_t logits_hash;
    struct series series[SERIES_KINDS];
    struct series_summary summary[SERIES_KINDS]; /**< once bench_run() has returned … */
    struct verdict verdict[SERIES_KINDS];        /**< … as are these, of series that have any */
};

struct bench {
    const struct topology *topology;
    char subject[256]; /**< "--size 64 ": what an advice puts before bench_label()'s options */
    int count;
    struct contender contenders[BENCH_MAX_CONTENDERS];
    double precision;    /**< asked width of the interval of the median, over the median */
    double max_time_s;   /**< for each contender's hot series; the cold one gets a quarter of it */
    uint64_t order_seed; /**< of the random order */
    uint64_t start_ns;   /**< clock_ns() when the run began */
    double earlier_s;    /**< that it took before it was interrupted and resumed */
    struct ceilings ceilings;
    struct energy_meter energy;
    struct clock_policy policy;
    /** Called before every turn of a contender, with the share of the work that is done (0..1). */
    void (*progress)(const struct contender *contender, double share);
    uint64_t first_end_ns;             /**< clock_ns() when the first of all runs ended */
    const volatile sig_atomic_t *stop; /**< not 0: finish early, with what there is */
};

/** Adds a contender; what the request points to must outlive the bench. False with `e` set. */
bool bench_add(struct bench *bench, const struct instances_request *request, struct error *e);

/**
 * Runs everything once, the last contender first, to hash what the layers compute. Series that were
 * begun already (by an interrupted run) are continued by bench_measure(). False with `e` set when
 * memory runs out, when instances disagree, or when it was stopped before the end.
 */
bool bench_first(struct bench *bench, struct error *e);

/** Measures until all series have ended, then summarises and judges. False with `e` set when memory
 * runs out, or when it was stopped before anything was measured. */
bool bench_measure(struct bench *bench, struct error *e);
void bench_free(struct bench *bench);

/** Operations of direct convolution, 2 a MAC, in GFLOP/s. */
double bench_gflops(double macs, double ms);

/** Images a second of all instances together; 0 when that was not measured. */
double bench_images_per_s(const struct contender *c, enum series_kind kind);

/** The floors of a step, at the contender's median FMA ceiling. */
struct floors bench_floors(const struct bench *bench, const struct contender *c, int step);

/**
 * Of the contenders of one model, the first one with other bits in this step than one before it, or
 * -1 when all agree. `*with`, if not NULL, becomes the one it differs from.
 */
int bench_disagreement(const struct bench *bench, const struct model *model, int step, int *with);

/** "--isa avx2 --algo auto --threads 2": what asks for this contender alone. */
void bench_label(const struct contender *c, char *text, size_t size);

#endif
