/* Engines side by side: where they go, and that each computes what one alone does. */
#include "harness/measure/bench.h"
#include "harness/measure/instances.h"
#include "harness/measure/placement.h"
#include "tests/engine_fixture.h"

#include <pthread.h>

/* Nodes of the PUs in pin order. */
static struct topology machine_of(int *nodes, int cores, int pus)
{
    return (struct topology){
        .cores = cores, .pus = pus, .allowed_cores = cores, .allowed_pus = pus, .pin_nodes = nodes};
}

static void check_disjoint(const int *positions, int count, int limit)
{
    for (int i = 0; i < count; i++) {
        cr_expect(positions[i] >= 0 && positions[i] < limit, "position %d", positions[i]);
        for (int j = 0; j < i; j++)
            cr_expect_neq(positions[i], positions[j], "position %d twice", positions[i]);
    }
}

static int nodes_of(const struct topology *t, const int *positions, int threads)
{
    int count = 1;
    for (int i = 1; i < threads; i++)
        count += t->pin_nodes[positions[i]] != t->pin_nodes[positions[i - 1]];
    return count;
}

/* Two nodes of 12 cores: two engines of 8 go to one each, not into the first 16 cores. */
Test(placement, instances_stay_inside_a_node)
{
    int nodes[24], positions[24];
    for (int i = 0; i < 24; i++)
        nodes[i] = i / 12;
    struct topology t = machine_of(nodes, 24, 24);
    for (int threads = 1; threads <= 12; threads++) {
        int count = 2 * (12 / threads);
        cr_assert_eq(placement_make(&t, count, threads, positions), 0, "%d x %d", count, threads);
        check_disjoint(positions, count * threads, 24);
        cr_expect_eq(positions[0], 0);
        for (int i = 0; i < count; i++)
            cr_expect_eq(nodes_of(&t, positions + i * threads, threads), 1, "%d x %d, number %d",
                         count, threads, i);
    }
}

Test(placement, what_does_not_fit_a_node_is_spread_and_counted)
{
    int nodes[] = {0, 0, 0, 1, 1, 1}, positions[6];
    struct topology t = machine_of(nodes, 6, 6);
    cr_expect_eq(placement_make(&t, 3, 2, positions), 1);
    check_disjoint(positions, 6, 6);
    cr_expect_eq(placement_make(&t, 1, 6, positions), 1);
    cr_expect_eq(placement_make(&t, 4, 2, positions), -1, "more threads than CPUs");
}

/* Positions from 4 on are the second hardware threads. */
Test(placement, cores_come_before_siblings)
{
    int nodes[8] = {0}, positions[8];
    struct topology t = machine_of(nodes, 4, 8);
    cr_expect_eq(placement_make(&t, 2, 2, positions), 0);
    check_disjoint(positions, 4, 4);
    cr_expect_eq(placement_make(&t, 3, 2, positions), 0);
    check_disjoint(positions, 6, 8);
}

enum { CPUS = 3 };

/* At least three CPUs, the same one again and again where there are fewer: engines side by side can
 * be tried on any machine. */
static struct topology three_cpus(int *order, int *nodes)
{
    struct topology t = *subject_topology();
    for (int i = 0; i < CPUS; i++) {
        order[i] = t.pin_order[i % t.allowed_pus];
        nodes[i] = 0;
    }
    t.pin_order = order;
    t.pin_nodes = nodes;
    t.allowed_pus = t.allowed_cores = CPUS;
    return t;
}

struct logits {
    uint64_t hash[CPUS];
    int cpu[CPUS];
    pthread_t thread[CPUS];
    const float *weights[CPUS], *image[CPUS];
};

static void run_one(void *context, struct instance *one)
{
    struct logits *logits = context;
    engine_run(&one->engine, NULL, NULL, NULL);
    logits->hash[one->index] = hash_tensor(plan_logits(&one->plan), one->plan.batch);
    logits->cpu[one->index] = team_cpu(one->team, 0);
    logits->thread[one->index] = pthread_self();
    logits->weights[one->index] = one->plan.steps[0].weights->weights;
    logits->image[one->index] = model_image(one->plan.model, one->plan.layout)->data;
}

/* Each on a thread, a CPU and memory of its own, but for the weights. */
static void check_others(const struct logits *logits, const struct topology *t, int instances)
{
    for (int i = 0; i < instances; i++)
        cr_expect_eq(logits->cpu[i], t->pin_order[i], "instance %d", i);
    for (int i = 1; i < instances; i++) {
        cr_expect_eq(logits->hash[i], logits->hash[0], "instance %d", i);
        cr_expect_not(pthread_equal(logits->thread[i], logits->thread[0]), "instance %d", i);
        cr_expect_neq(logits->image[i], logits->image[0], "activations are shared");
        cr_expect_eq(logits->weights[i], logits->weights[0], "weights are not shared");
    }
}

Test(instances, all_compute_the_same_from_the_same_weights)
{
    int order[CPUS], nodes[CPUS];
    struct subject s;
    struct error e = {""};
    struct logits logits;
    struct topology t = three_cpus(order, nodes);
    struct model_options options = subject_options("resnet50_v2", 64, 2, ALGO_AUTO);
    struct isa_list isas = usable_isas();
    subject_make(&s, &options, 3);
    struct team *team = make_team(1);
    for (int instances = 1; instances <= CPUS; instances++) {
        struct instances_request request = {.model = &s.model,
                                            .set = kernel_set_get(isas.isas[isas.count - 1]),
                                            .topology = &t,
                                            .layout = &s.layout,
                                            .team = team,
                                            .count = instances,
                                            .threads = 1};
        struct instances *all = instances_make(&request, &e);
        cr_assert(all, "%s", e.text);
        for (int repetition = 0; repetition < 2; repetition++) {
            memset(&logits, 0, sizeof logits);
            instances_each(all, run_one, &logits);
            check_others(&logits, &t, instances);
        }
        instances_free(all);
    }
    team_free(team);
    subject_free(&s);
}

/* Two engines and one take turns: all repetitions are there, with what was beside them. */
Test(instances, are_measured_side_by_side)
{
    static struct bench bench;
    static volatile sig_atomic_t stop;
    int order[CPUS], nodes[CPUS];
    struct subject s;
    struct error e = {""};
    struct topology t = three_cpus(order, nodes);
    struct model_options options = subject_options("resnet50_v2", 32, 1, ALGO_AUTO);
    struct isa_list isas = usable_isas();
    subject_make(&s, &options, 3);
    struct team *team = make_team(1);
    bench.topology = &t;
    bench.precision = 1e-9;
    bench.max_time_s = 0.3;
    bench.order_seed = 1;
    bench.stop = &stop;
    for (int count = 1; count <= 2; count++) {
        struct instances_request request = {.model = &s.model,
                                            .set = kernel_set_get(isas.isas[isas.count - 1]),
                                            .topology = &t,
                                            .layout = &s.layout,
                                            .team = team,
                                            .count = count,
                                            .threads = 1};
        cr_assert(bench_add(&bench, &request, &e), "%s", e.text);
    }
    cr_assert(bench_first(&bench, &e) && bench_measure(&bench, &e), "%s", e.text);
    cr_expect_eq(bench.contenders[0].logits_hash, bench.contenders[1].logits_hash);
    for (int i = 0; i < 2; i++) {
        const struct contender *c = &bench.contenders[i];
        const struct series *hot = &c->series[SERIES_HOT];
        cr_expect(hot->count >= 3 && hot->count % (i + 1) == 0, "%d repetitions", hot->count);
        cr_expect_eq(hot->images, hot->count, "%g images", hot->images);
        cr_expect(hot->ended && hot->ended_by == ENDED_BY_MAX_TIME);
        cr_expect_gt(bench_images_per_s(c, SERIES_HOT), 0);
        for (int k = 0; k < hot->count; k++)
            cr_expect(hot->samples[k].ms > 0 && hot->samples[k].gflops > 0 &&
                      hot->samples[k].clock_hz > 0);
        cr_expect_gt(c->summary[SERIES_HOT].steps[0].median, 0);
        cr_expect_eq(c->verdict[SERIES_HOT].kind, VERDICT_SUSPECT, "such precision was reached");
    }
    char label[128];
    bench_label(&bench.contenders[1], label, sizeof label);
    cr_expect(strstr(label, " --threads 1 --instances 2"), "%s", label);
    bench_free(&bench);
    team_free(team);
    subject_free(&s);
}

/* What is timed is what was hashed: a computation that goes wrong later must not be published. */
Test(instances, other_logits_end_the_measurement)
{
    static struct bench bench;
    static volatile sig_atomic_t stop;
    struct subject s;
    struct error e = {""};
    struct model_options options = subject_options("resnet50_v2", 32, 1, ALGO_AUTO);
    struct isa_list isas = usable_isas();
    subject_make(&s, &options, 3);
    struct team *team = make_team(1);
    struct instances_request request = {.model = &s.model,
                                        .set = kernel_set_get(isas.isas[isas.count - 1]),
                                        .topology = subject_topology(),
                                        .layout = &s.layout,
                                        .team = team,
                                        .count = 1,
                                        .threads = 1};
    bench.topology = request.topology;
    bench.max_time_s = 0.01;
    bench.stop = &stop;
    cr_assert(bench_add(&bench, &request, &e) && bench_first(&bench, &e), "%s", e.text);
    subject_show(&s, 0, 1);
    cr_expect(!bench_measure(&bench, &e));
    cr_expect(strstr(e.text, "computed other logits"), "%s", e.text);
    bench_free(&bench);
    team_free(team);
    subject_free(&s);
}

Test(instances, more_than_there_are_cpus_is_an_error)
{
    struct subject s;
    struct error e = {""};
    struct model_options options = subject_options("resnet50_v2", 32, 1, ALGO_AUTO);
    subject_make(&s, &options, 3);
    struct instances_request request = {.model = &s.model,
                                        .set = kernel_set_get(ISA_SCALAR),
                                        .topology = subject_topology(),
                                        .layout = &s.layout,
                                        .count = subject_topology()->allowed_pus + 1,
                                        .threads = 1};
    cr_expect_null(instances_make(&request, &e));
    cr_expect(strstr(e.text, "no place for"), "%s", e.text);
    subject_free(&s);
}
