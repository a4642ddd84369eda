/**
 * A small network on teams of 2 to 4 threads, by the algorithms and kernel sets: the same logits.
 * Without Criterion, whose processes do not go together with the thread sanitizer, for which this
 * is (scripts/test --sanitize thread race). Exits with 1 if anything differs.
 */
#include "arch/cpu.h"
#include "harness/engine.h"
#include "harness/hash.h"
#include "harness/input.h"
#include "harness/machine.h"
#include "harness/synthetic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_THREADS 4
#define TEAMS (MOST_THREADS - 1)

/** Often enough, over all layers, that all orders of two threads occur. */
#define ROUNDS 2

static const uint64_t seed = 1;

struct scene {
    struct machine machine;
    struct isa_list isas;
    struct model model;
    struct layout layout;
    int runs, wrong;
};

static void demand(bool ok, const struct error *e)
{
    if (ok)
        return;
    fprintf(stderr, "test_race: %s\n", e->text);
    exit(1);
}

static void make_model(struct scene *s, enum algo algo)
{
    struct error e = {""};
    struct image picture = {0};
    struct param_source source = synthetic_source(&seed);
    struct model_options options = {
        .network = "resnet18_v2", .classes = 10, .size = 32, .batch = 2, .request = algo};
    struct team *team = team_create(MOST_THREADS, &s->machine.topology, &e);
    demand(team && model_make(&s->model, &options, &source, team, &e), &e);
    team_free(team);
    demand(layout_make(&s->layout, &s->model.net, &s->model.steps, options.batch, &e) &&
               input_read(&picture, NULL, &e) &&
               input_fill(&s->model, &s->layout, &picture, true, &e),
           &e);
    image_free(&picture);
}

static uint64_t run(struct scene *s, enum isa isa, int threads)
{
    struct error e = {""};
    struct plan plan;
    struct engine engine;
    struct team *team = team_create(threads, &s->machine.topology, &e);
    demand(team && plan_make(&plan, &s->model, kernel_set_get(isa), &s->layout,
                             &s->machine.topology, threads, &e),
           &e);
    demand(engine_make(&engine, &plan, team, &e), &e);
    for (int i = 0; i < ROUNDS; i++)
        engine_run(&engine, NULL, NULL, NULL);
    uint64_t hash = hash_tensor(plan_logits(&plan), plan.batch);
    engine_free(&engine);
    plan_free(&plan);
    team_free(team);
    return hash;
}

static void check_algo(struct scene *s, enum algo algo)
{
    make_model(s, algo);
    uint64_t expected = run(s, ISA_SCALAR, 1);
    for (int i = 0; i < s->isas.count * TEAMS; i++) {
        enum isa isa = s->isas.isas[i / TEAMS];
        int threads = 2 + i % TEAMS;
        uint64_t hash = run(s, isa, threads);
        s->runs++;
        if (hash == expected)
            continue;
        s->wrong++;
        printf("%s, %s on %d: logits %016" PRIx64 " instead of %016" PRIx64 "\n", algo_name(algo),
               isa_name(isa), threads, hash, expected);
    }
    layout_free(&s->layout);
    model_free(&s->model);
}

int main(void)
{
    struct scene s = {0};
    struct error e = {""};
    demand(machine_read(&s.machine, &e) && isa_select(&s.machine.cpu, machine_built_isas(),
                                                      getenv(ISA_ENVIRONMENT), NULL, &s.isas, &e),
           &e);
    for (enum algo algo = ALGO_DIRECT; algo < ALGO_AUTO; algo++) {
        if (algo != ALGO_WINOGRAD2 && algo != ALGO_WINOGRAD6) /* split as winograd4's work */
            check_algo(&s, algo);
    }
    machine_free(&s.machine);
    printf("%d of %d runs give the same logits\n", s.runs - s.wrong, s.runs);
    return s.wrong > 0;
}
