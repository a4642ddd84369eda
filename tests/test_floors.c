/* The least time of layers on a made-up machine, worked out by hand. */
#include "harness/measure/floors.h"
#include "tests/engine_fixture.h"

#include <math.h>

#define MIB ((size_t)1 << 20)

/* 32 KiB, 1 MiB and 32 MiB of cache, at 100, 50 and 20 GB/s; DRAM at 10. */
static struct topology machine(void)
{
    return (struct topology){
        .cores = 1, .pus = 1, .caches = {{32 << 10, 64, 1}, {MIB, 64, 1}, {32 * MIB, 64, 1}}};
}

static void set_ceilings(struct ceilings *c)
{
    const struct {
        int level;
        double gb_per_s;
    } read[] = {{1, 100}, {2, 50}, {3, 20}, {CEILINGS_DRAM, 10}};
    for (int i = 0; i < 4; i++)
        c->bandwidth[c->bandwidth_count++] =
            (struct bandwidth){.level = read[i].level, .threads = 1, .gb_per_s = read[i].gb_per_s};
}

struct layers {
    struct subject subject;
    struct plan plan;
};

static void make_layers(struct layers *l, enum algo algo)
{
    struct error e;
    struct model_options options = subject_options("resnet50_v2", 224, 1, algo);
    subject_make(&l->subject, &options, 1);
    cr_assert(plan_make(&l->plan, &l->subject.model, kernel_set_get(ISA_SCALAR), &l->subject.layout,
                        subject_topology(), 1, &e),
              "%s", e.text);
}

static void free_layers(struct layers *l)
{
    plan_free(&l->plan);
    subject_free(&l->subject);
}

static int find(const struct layers *l, const char *name)
{
    int i = 0;
    while (i < l->plan.step_count && !strstr(step_name(&l->subject, i), name))
        i++;
    cr_assert_lt(i, l->plan.step_count, "no layer %s", name);
    return i;
}

Test(floors, dense_layer_is_bound_by_the_weights_from_dram)
{
    static struct ceilings ceilings;
    struct layers l;
    struct topology t = machine();
    make_layers(&l, ALGO_DIRECT);
    set_ceilings(&ceilings);
    int dense = find(&l, "dense0");
    double weights = 2048.0 * 1000 * 4, all = 160.0 * MIB;
    struct floors f = floors_of(&l.plan, dense, 100, all, &ceilings, &t);
    cr_expect_float_eq(f.arithmetic_ms, 2 * 2048.0 * 1000 / 100e6, 1e-9);
    cr_expect_float_eq(f.bytes, weights + (2048 + 1000) * 4.0, 1);
    cr_expect_eq(f.level, CEILINGS_DRAM);
    cr_expect_float_eq(f.bytes_ms, weights * (1 - 32.0 / 160) / 10e6, 1e-6, "%g", f.bytes_ms);
    f = floors_of(&l.plan, dense, 100, 20.0 * MIB, &ceilings, &t);
    cr_expect_eq(f.level, 3, "all weights fit L3");
    cr_expect_float_eq(f.bytes_ms, weights * (1 - 1.0 / 20) / 20e6, 1e-6, "%g", f.bytes_ms);
    free_layers(&l);
}

/* conv0: 3x224x224 -> 64x112x112, of which 3.2 MB do not fit L2: they come from L3. */
Test(floors, what_a_cache_cannot_hold_comes_from_behind_it)
{
    static struct ceilings ceilings;
    struct layers l;
    struct topology t = machine();
    make_layers(&l, ALGO_DIRECT);
    set_ceilings(&ceilings);
    double in = 3.0 * 224 * 224 * 4, out = 64.0 * 112 * 112 * 4, weights = 64.0 * 3 * 49 * 4;
    struct floors f = floors_of(&l.plan, find(&l, "conv0"), 100, MIB, &ceilings, &t);
    cr_expect_float_eq(f.bytes, in + out + weights, 1);
    cr_expect_eq(f.level, 3);
    cr_expect_float_eq(f.bytes_ms, (in + out - MIB) / 20e6, 1e-6, "%g", f.bytes_ms);
    cr_expect_float_eq(f.arithmetic_ms, 2 * 64.0 * 112 * 112 * 147 / 100e6, 1e-6);
    free_layers(&l);
}

/* conv2 of the first block ends in the shortcut's sum: it reads that, too, and stores both. */
Test(floors, residuals_and_both_outputs_are_counted)
{
    struct layers l;
    double weights, values, plane = 56.0 * 56 * 4;
    make_layers(&l, ALGO_DIRECT);
    for (int i = 0; i < l.plan.step_count; i++) {
        const struct step *s = &l.subject.model.steps.step[i];
        if (s->residual < 0 || s->sum < 0 || s->act < 0)
            continue;
        floors_bytes(&l.plan, i, &weights, &values);
        cr_expect_eq(weights, 256.0 * 64 * 4);
        cr_expect_eq(values, (64 + 3 * 256) * plane, "%s: %g", step_name(&l.subject, i), values);
        break;
    }
    free_layers(&l);
}

/*
 * Lavin and Gray, Fast Algorithms for Convolutional Neural Networks: 2.25, 4 and
 * 5.06 times fewer multiplications; 25 for the 36 of 2x2 outputs; 13 for 28 in each direction of
 * the stem, whose products have 4 phases of 3 channels; Strassen: 7 for 8. Each product has weights
 * of its own.
 */
Test(floors, other_algorithms_multiply_less_and_read_more)
{
    static const struct {
        enum algo algo;
        const char *layer, *other; /* what it serves, and what it does not */
        double fewer, weights;
    } rows[] = {
        {ALGO_WINOGRAD2, "stage1_conv1", "stage1_conv0", 36 / 16.0, 16 * 64 * 64},
        {ALGO_WINOGRAD4, "stage1_conv1", "stage1_conv0", 144 / 36.0, 36 * 64 * 64},
        {ALGO_WINOGRAD6, "stage1_conv1", "stage1_conv0", 324 / 64.0, 64 * 64 * 64},
        {ALGO_POLYPHASE2, "stage2_conv1", "stage1_conv1", 36 / 25.0, 16 * 128 * 128},
        {ALGO_POLYPHASE4, "conv0", "stage1_conv1", 784 / 169.0, 49 * 12 * 64},
        {ALGO_STRASSEN, "stage1_conv0", "stage1_conv1", 8 / 7.0, 7 * 32 * 32},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct layers l;
        double weights, values;
        make_layers(&l, rows[i].algo);
        int layer = find(&l, rows[i].layer), other = find(&l, rows[i].other);
        double macs = l.plan.steps[layer].macs;
        cr_expect_eq(l.plan.steps[layer].algo, rows[i].algo);
        cr_expect_float_eq(macs / floors_macs(&l.plan.steps[layer]), rows[i].fewer, 1e-9);
        floors_bytes(&l.plan, layer, &weights, &values);
        cr_expect_float_eq(weights, 4 * rows[i].weights, 1e-3, "%g", weights);
        cr_expect_eq(floors_macs(&l.plan.steps[other]), l.plan.steps[other].macs);
        free_layers(&l);
    }
}

Test(floors, nothing_known_is_no_floor)
{
    static struct ceilings none;
    struct layers l;
    struct topology t = machine();
    make_layers(&l, ALGO_DIRECT);
    struct floors f = floors_of(&l.plan, 0, 0, MIB, &none, &t);
    cr_expect(f.level == 0 && f.bytes_ms == 0 && f.arithmetic_ms == 0 && f.bytes > 0);
    free_layers(&l);
}
