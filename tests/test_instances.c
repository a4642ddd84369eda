/* Engines side by side: where they go, and that each computes what one alone does. */
#include "harness/measure/instances.h"
#include "harness/measure/placement.h"
#include "tests/engine_fixture.h"

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

struct logits {
    uint64_t hash[4];
    int cpu[4];
    const float *weights[4];
};

static void run_one(void *context, struct instance *one)
{
    struct logits *logits = context;
    engine_run(&one->engine, NULL, NULL, NULL);
    logits->hash[one->index] = hash_tensor(plan_logits(&one->plan), one->plan.batch);
    logits->cpu[one->index] = team_cpu(one->team, 0);
    logits->weights[one->index] = one->plan.steps[0].weights->weights;
}

Test(instances, all_compute_the_same_from_the_same_weights)
{
    struct subject s;
    struct error e = {""};
    struct logits logits;
    struct model_options options = subject_options("resnet50_v2", 64, 2, ALGO_AUTO);
    struct isa_list isas = usable_isas();
    subject_make(&s, &options, 3);
    int count = subject_topology()->allowed_pus < 4 ? subject_topology()->allowed_pus : 4;
    struct team *team = make_team(1);
    for (int instances = 1; instances <= count; instances++) {
        struct instances_request request = {.model = &s.model,
                                            .set = kernel_set_get(isas.isas[isas.count - 1]),
                                            .topology = subject_topology(),
                                            .layout = &s.layout,
                                            .team = team,
                                            .count = instances,
                                            .threads = 1};
        struct instances *all = instances_make(&request, &e);
        cr_assert(all, "%s", e.text);
        for (int repetition = 0; repetition < 2; repetition++) {
            memset(&logits, 0, sizeof logits);
            instances_each(all, run_one, &logits);
            for (int i = 1; i < instances; i++) {
                cr_expect_eq(logits.hash[i], logits.hash[0], "instance %d", i);
                cr_expect_neq(logits.cpu[i], logits.cpu[0], "instance %d", i);
                cr_expect_eq(logits.weights[i], logits.weights[0], "weights are not shared");
            }
        }
        instances_free(all);
    }
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
