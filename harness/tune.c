#include "harness/tune.h"

#include "arch/clock.h"
#include "harness/measure/stats.h"
#include "harness/neighbours.h"

#include <stdlib.h>

/* Of a convolution in one round: its neighbours, and itself, by each algorithm. */
#define MAX_CANDIDATES ((MAX_NEIGHBOURS + 1) * TUNE_MAX_MODELS)

/* The search goes from the rules' choices to the best neighbours, and from there once more. */
#define ROUNDS 2

/* When the rounds and the last comparison have to be over, as shares of the time. */
static const double round_ends[ROUNDS] = {0.5, 0.75};

/* Most runs of each side in the last comparison; and least, however slow they are. */
#define MAX_PAIRS 64
#define MIN_PAIRS 3

/* What a choice must take of the rule's time to be worth a change. */
#define WORTH 0.99

struct candidate {
    const struct model *model;
    struct plan_step step;
    double ns; /* the least so far */
};

/* A convolution: what is tried in this round, and how it stands. */
struct slot {
    int step;
    int count;
    struct candidate candidates[MAX_CANDIDATES];
    struct candidate rule, best;
    double rule_ns[MAX_PAIRS], best_ns[MAX_PAIRS];
};

struct tuner {
    const struct tune_request *request;
    struct plan plan;
    struct engine engine;
    int slot_count;
    struct slot *slots;
    uint64_t *ns; /* of each step in the last pass */
    uint64_t begin_ns;
};

static double share_done(const struct tuner *t)
{
    return (double)(clock_ns() - t->begin_ns) * 1e-9 / t->request->seconds;
}

static bool pass(struct tuner *t, struct error *e)
{
    const struct tune_request *r = t->request;
    if (*r->stop)
        return error_set(e, "interrupted while tuning");
    plan_place(&t->plan);
    engine_run(&t->engine, t->ns, NULL, NULL);
    double share = share_done(t);
    if (r->progress)
        r->progress(r->set, team_threads(r->team), share < 1 ? share : 1);
    return true;
}

static struct candidate bind(struct tuner *t, int step, const struct model *model,
                             const struct step_blocking *blocking)
{
    plan_bind(&t->plan, step, model, blocking);
    return (struct candidate){model, t->plan.steps[step], 1e18};
}

static void add_around(struct tuner *t, struct slot *slot, const struct candidate *centre)
{
    struct step_blocking list[MAX_NEIGHBOURS];
    int count = neighbours_of(&centre->step, list);
    slot->candidates[slot->count++] = *centre;
    for (int i = 0; i < count; i++)
        slot->candidates[slot->count++] = bind(t, slot->step, centre->model, &list[i]);
}

/* For the first round: by every algorithm that a model has, what the rule says and what is near. */
static void start_slot(struct tuner *t, struct slot *slot, int step)
{
    const struct tune_request *r = t->request;
    const struct model *first = r->models[0];
    enum algo rule =
        algo_choose(ALGO_AUTO, &first->net, first->steps.step[step].node, r->layout->batch);
    unsigned seen = 0;
    slot->step = step;
    for (int m = 0; m < r->model_count; m++) {
        enum algo algo = r->models[m]->steps.step[step].algo;
        if (seen >> algo & 1)
            continue;
        struct candidate centre = bind(t, step, r->models[m], NULL);
        if (!seen || algo == rule)
            slot->rule = centre;
        seen |= 1U << algo;
        add_around(t, slot, &centre);
    }
}

/* The memory for the candidates that were bound. */
static bool remake_engine(struct tuner *t, struct error *e)
{
    engine_free(&t->engine);
    return plan_map(&t->plan, e) && engine_make(&t->engine, &t->plan, t->request->team, e);
}

/*
 * Which candidate is tried in a pass: all of them in turn, each time beginning with another, so
 * that the same candidates of two layers seldom meet.
 */
static int turn(int slot, int pass_index, int count)
{
    uint32_t cycle = (uint32_t)(pass_index / count);
    uint32_t mixed = ((uint32_t)slot * 2654435761U) ^ (cycle * 2246822519U);
    return (int)(((mixed >> 8) + (uint32_t)(pass_index % count)) % (uint32_t)count);
}

static bool try_candidates(struct tuner *t, int pass_index, struct error *e)
{
    for (int i = 0; i < t->slot_count; i++) {
        const struct slot *slot = &t->slots[i];
        t->plan.steps[slot->step] = slot->candidates[turn(i, pass_index, slot->count)].step;
    }
    if (!pass(t, e))
        return false;
    for (int i = 0; i < t->slot_count; i++) {
        struct slot *slot = &t->slots[i];
        struct candidate *c = &slot->candidates[turn(i, pass_index, slot->count)];
        double ns = (double)t->ns[slot->step];
        c->ns = ns < c->ns ? ns : c->ns;
    }
    return true;
}

static void choose_best(struct slot *slot)
{
    const struct candidate *best = &slot->candidates[0];
    for (int i = 1; i < slot->count; i++)
        best = slot->candidates[i].ns < best->ns ? &slot->candidates[i] : best;
    slot->best = *best;
    slot->count = 0;
}

static bool search(struct tuner *t, double end, struct error *e)
{
    int most = 1;
    for (int i = 0; i < t->slot_count; i++)
        most = t->slots[i].count > most ? t->slots[i].count : most;
    if (!remake_engine(t, e))
        return false;
    for (int i = 0; i < most || share_done(t) < end; i++) {
        if (!try_candidates(t, i, e))
            return false;
    }
    for (int i = 0; i < t->slot_count; i++)
        choose_best(&t->slots[i]);
    return true;
}

static bool run_side(struct tuner *t, bool rule, int pair, struct error *e)
{
    for (int i = 0; i < t->slot_count; i++) {
        struct slot *slot = &t->slots[i];
        t->plan.steps[slot->step] = rule ? slot->rule.step : slot->best.step;
    }
    if (!pass(t, e))
        return false;
    for (int i = 0; i < t->slot_count; i++) {
        struct slot *slot = &t->slots[i];
        (rule ? slot->rule_ns : slot->best_ns)[pair] = (double)t->ns[slot->step];
    }
    return true;
}

/*
 * The least of a few runs may be luck, and so may the median where others disturb: a change has to
 * be worth it in both.
 */
static void decide(struct slot *slot, int pairs)
{
    struct summary rule = summarize(slot->rule_ns, pairs), best = summarize(slot->best_ns, pairs);
    slot->rule.ns = rule.min;
    slot->best.ns = best.min;
    if (best.min > WORTH * rule.min || best.median > WORTH * rule.median)
        slot->best = slot->rule;
}

/* The rules' choices and the best ones run in turns at last. */
static bool compare(struct tuner *t, struct error *e)
{
    int pairs = 0;
    if (!remake_engine(t, e))
        return false;
    while (pairs < MIN_PAIRS || (pairs < MAX_PAIRS && share_done(t) < 1)) {
        if (!run_side(t, pairs % 2, pairs, e) || !run_side(t, !(pairs % 2), pairs, e))
            return false;
        pairs++;
    }
    for (int i = 0; i < t->slot_count; i++)
        decide(&t->slots[i], pairs);
    return true;
}

static bool make_tuner(struct tuner *t, const struct tune_request *r, struct error *e)
{
    const struct model *first = r->models[0];
    *t = (struct tuner){.request = r, .begin_ns = clock_ns()};
    if (!plan_make(&t->plan, first, r->set, r->layout, r->topology, team_threads(r->team), e))
        return false;
    size_t steps = (size_t)t->plan.step_count;
    t->slots = calloc(steps, sizeof *t->slots);
    t->ns = calloc(steps, sizeof *t->ns);
    if (!t->slots || !t->ns)
        return error_set(e, "no memory for tuning %zu layers", steps);
    for (int i = 0; i < t->plan.step_count; i++) {
        if (t->plan.steps[i].kind == NODE_CONV)
            start_slot(t, &t->slots[t->slot_count++], i);
    }
    return true;
}

static void free_tuner(struct tuner *t)
{
    team_rest(t->request->team);
    engine_free(&t->engine);
    plan_free(&t->plan);
    free(t->slots);
    free(t->ns);
}

static bool run_tuner(struct tuner *t, struct error *e)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; round > 0 && i < t->slot_count; i++) {
            struct candidate centre = t->slots[i].best;
            add_around(t, &t->slots[i], &centre);
        }
        if (!search(t, round_ends[round], e))
            return false;
    }
    return compare(t, e);
}

bool tune(const struct tune_request *request, enum algo *algos, struct tuned_cut *cut,
          struct error *e)
{
    struct tuner t;
    bool ok = make_tuner(&t, request, e) && run_tuner(&t, e);
    for (int i = 0; ok && i < t.slot_count; i++) {
        const struct slot *slot = &t.slots[i];
        const struct plan_step *best = &slot->best.step;
        algos[i] = best->algo;
        cut->blockings[i] = (struct step_blocking){best->conv.blocking, best->bilinear.blocking};
        cut->times[i] = (struct tuned_time){slot->rule.ns * 1e-3, slot->best.ns * 1e-3};
    }
    free_tuner(&t);
    return ok;
}
