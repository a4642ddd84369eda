#include "harness/measure/turn.h"

#include "arch/clock.h"
#include "harness/hash.h"
#include "harness/measure/flush.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* How long the ceiling is measured before each turn. */
#define PROBE_NS 2000000

/* Short networks run so many times a turn that it lasts about so long, and its overhead is small.
 */
#define TURN_MS 20.0
#define MAX_RUNS 64

/* What the instances do in a turn, and what they find. */
struct turn {
    const struct contender *contender;
    bool cold;
    int runs;
    struct probe probes[INSTANCES_MAX];
    uint64_t *begin_ns; /* [instance][runs] */
    uint64_t *ns;       /* [instance][runs] */
    uint64_t *step_ns;  /* [instance][runs][steps] */
};

static void probe_instance(void *context, struct instance *one)
{
    struct turn *turn = context;
    turn->probes[one->index] = ceilings_probe(turn->contender->set, one->team, PROBE_NS);
}

/* What a plan has no use for was never mapped. */
static void flush(const struct memory *memory)
{
    if (memory->data)
        flush_memory(memory->data, memory->floats * sizeof(float));
}

static void flush_instance(void *context, struct instance *one)
{
    const struct turn *turn = context;
    flush(&turn->contender->model->weights.memory);
    flush(&one->plan.layout->memory);
    flush(&one->plan.shared);
    flush(&one->engine.scratch);
}

static void run_instance(void *context, struct instance *one)
{
    struct turn *turn = context;
    size_t steps = (size_t)one->plan.step_count, runs = (size_t)turn->runs;
    for (size_t i = 0; i < runs; i++) {
        size_t at = (size_t)one->index * runs + i;
        turn->begin_ns[at] = clock_ns();
        turn->ns[at] = engine_run(&one->engine, turn->step_ns + at * steps, NULL, NULL);
    }
    team_rest(one->team);
}

static struct probe probe_all(struct turn *turn)
{
    int count = instances_count(turn->contender->instances);
    struct probe sum = {0};
    instances_each(turn->contender->instances, probe_instance, turn);
    for (int i = 0; i < count; i++) {
        sum.gflops += turn->probes[i].gflops;
        sum.clock_hz += turn->probes[i].clock_hz / count;
        sum.displaced += turn->probes[i].displaced;
        sum.unpinned += turn->probes[i].unpinned;
    }
    return sum;
}

/* Runs between two looks at the machine and at the energy. */
static void run_watched(struct bench *bench, struct contender *c, struct series *s,
                        struct turn *turn)
{
    struct counters before, after;
    struct energy_reading from, to;
    if (turn->cold)
        instances_each(c->instances, flush_instance, turn);
    conditions_read(c->watch, &before);
    bool energy = energy_read(&bench->energy, &from);
    uint64_t begin = clock_ns();
    instances_each(c->instances, run_instance, turn);
    s->busy_s += (double)(clock_ns() - begin) * 1e-9;
    energy = energy && energy_read(&bench->energy, &to);
    conditions_read(c->watch, &after);
    conditions_add(&s->conditions, c->watch, &before, &after);
    s->joules += energy ? energy_between(&bench->energy, &from, &to) : (double)NAN;
    s->images += (double)turn->runs * c->plan->batch * instances_count(c->instances);
}

static bool add_samples(const struct bench *bench, struct series *s, const struct turn *turn,
                        const struct probe *probe, struct error *e)
{
    int count = instances_count(turn->contender->instances) * turn->runs;
    size_t steps = (size_t)turn->contender->plan->step_count;
    for (int i = 0; i < count; i++) {
        struct sample sample = {.ms = (double)turn->ns[i] * 1e-6,
                                .gflops = probe->gflops,
                                .clock_hz = probe->clock_hz,
                                .at_s = bench->earlier_s +
                                        (double)(turn->begin_ns[i] - bench->start_ns) * 1e-9};
        if (!series_add(s, &sample, turn->step_ns + (size_t)i * steps, e))
            return false;
    }
    return true;
}

/* Whatever is measured has to compute what the first run did. */
static bool check_logits(const struct contender *c, struct error *e)
{
    char label[128];
    for (int i = 0; i < instances_count(c->instances); i++) {
        const struct plan *plan = &instances_get(c->instances, i)->plan;
        if (hash_tensor(plan_logits(plan), plan->batch) == c->logits_hash)
            continue;
        bench_label(c, label, sizeof label);
        return error_set(e,
                         "%s has computed other logits than in its first run: this machine "
                         "miscalculates, or resmark does; resmark verify finds where",
                         label);
    }
    return true;
}

static int runs_of(const struct contender *c, enum series_kind kind)
{
    const struct series *s = &c->series[SERIES_HOT];
    double ms = s->count ? s->samples[s->count - 1].ms : c->first_ms;
    if (kind == SERIES_COLD || ms >= TURN_MS)
        return 1;
    return ms * MAX_RUNS <= TURN_MS ? MAX_RUNS : (int)ceil(TURN_MS / ms);
}

bool turn_run(struct bench *bench, struct contender *c, enum series_kind kind, struct error *e)
{
    uint64_t begin = clock_ns();
    struct series *s = &c->series[kind];
    struct turn turn = {.contender = c, .cold = kind == SERIES_COLD, .runs = runs_of(c, kind)};
    size_t all = (size_t)instances_count(c->instances) * (size_t)turn.runs;
    turn.ns = calloc(all, sizeof *turn.ns);
    turn.begin_ns = calloc(all, sizeof *turn.begin_ns);
    turn.step_ns = calloc(all * (size_t)c->plan->step_count, sizeof *turn.step_ns);
    bool ok = turn.ns && turn.begin_ns && turn.step_ns;
    if (ok) {
        struct probe probe = probe_all(&turn);
        run_watched(bench, c, s, &turn);
        s->conditions.displaced += probe.displaced;
        s->conditions.unpinned += probe.unpinned;
        ok = check_logits(c, e) && add_samples(bench, s, &turn, &probe, e);
    } else {
        error_set(e, "no memory for the times of %d repetitions", turn.runs);
    }
    free(turn.ns);
    free(turn.begin_ns);
    free(turn.step_ns);
    s->spent_s += (double)(clock_ns() - begin) * 1e-9;
    return ok;
}

/* Holds times against the arithmetic floors at the highest ceiling that was seen. */
static void judge_floors(const struct contender *c, struct evidence *evidence)
{
    const struct series_summary *summary = &c->summary[SERIES_HOT];
    double gflops = summary->gflops_max / instances_count(c->instances);
    const struct plan *plan = c->plan;
    for (int i = 0; gflops > 0 && i < plan->step_count; i++) {
        double ms = 2 * floors_macs(&plan->steps[i]) / gflops * 1e-6;
        evidence->floor_ms += ms;
        if (summary->steps[i].ci_high > 0 && ms / summary->steps[i].ci_high > 1 &&
            ms / summary->steps[i].ci_high > evidence->over_share) {
            evidence->over_share = ms / summary->steps[i].ci_high;
            evidence->over_layer = c->model->net.nodes[plan->steps[i].node].name;
        }
    }
}

void turn_judge(const struct bench *bench, struct contender *c, enum series_kind kind)
{
    char label[sizeof bench->subject + 128], own[128];
    const struct series *s = &c->series[kind];
    const struct series_summary *summary = &c->summary[kind];
    bench_label(c, own, sizeof own);
    snprintf(label, sizeof label, "%s%s", bench->subject, own);
    struct evidence evidence = {.label = label,
                                .ms = summary->ms,
                                .early = summary->early,
                                .late = summary->late,
                                .clock_p5 = summary->clock_p5,
                                .clock_p50 = summary->clock_p50,
                                .clock_p95 = summary->clock_p95,
                                .precision = bench->precision,
                                .max_time_s = bench->max_time_s,
                                .ended_by = s->ended_by,
                                .threads = c->threads * instances_count(c->instances),
                                .conditions = s->conditions,
                                .policy = bench->policy};
    if (kind == SERIES_HOT)
        judge_floors(c, &evidence);
    verdict_judge(&evidence, &c->verdict[kind]);
}
