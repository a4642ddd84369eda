/** What `resmark verify` must notice: each fault is put in and has to be found and placed. */
#include "harness/algo_form.h"
#include "harness/layer_error.h"
#include "harness/verify/weights_check.h"
#include "tests/faulty_kernels.h"
#include "tests/verify_fixture.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

TestSuite(verify_faults, .timeout = 300);

/** The first layer that the kernel for blocked input computes. */
#define FIRST_LAYER "stage1_conv0"

/** The scalar set with the faulty convolution. */
static struct kernel_set faulty_set(conv_fn *conv)
{
    struct kernel_set set = *kernel_set_get(ISA_SCALAR);
    set.conv.run = conv;
    set.conv.name = "faulty";
    return set;
}

Test(verify_faults, none_in_any_set)
{
    struct isa_list isas = usable_isas();
    for (enum algo request = ALGO_DIRECT; request < ALGO_AUTO; request++) {
        struct scene s;
        scene_make(&s, request, 2);
        for (int i = 0; i < isas.count * 2; i++) {
            const struct kernel_set *set = kernel_set_get(isas.isas[i / 2]);
            struct bits_result r = scene_run(&s, set, 1 + i % 2);
            cr_expect(bits_result_ok(&r), "%s, %s", set->name, r.where);
            cr_expect_eq(r.equal, s.subject.model.steps.count);
            bits_result_free(&r);
        }
        scene_free(&s);
    }
}

Test(verify_faults, other_arithmetic)
{
    static const enum fault faults[] = {FAULT_NONE, FAULT_MULTIPLY_THEN_ADD, FAULT_REVERSED_SUM,
                                        FAULT_TWO_SUMS, FAULT_PLAIN_SCALE};
    const struct kernel_set set = faulty_set(faulty_conv);
    struct scene s;
    scene_make(&s, ALGO_DIRECT, 1);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        fault = faults[i];
        struct bits_result r = scene_run(&s, &set, 1);
        bool none = faults[i] == FAULT_NONE;
        cr_expect_eq(bits_result_ok(&r), none, "fault %d", (int)faults[i]);
        int first = faults[i] == FAULT_PLAIN_SCALE ? scene_step(&s, "stage1_conv1")
                                                   : scene_step(&s, FIRST_LAYER);
        cr_expect_eq(r.first, none ? -1 : first, "fault %d", (int)faults[i]);
        cr_expect(
            none || (r.difference.max > 0 && r.difference.max < 1e-4 && r.difference.max_ulps >= 1),
            "fault %d", (int)faults[i]);
        bits_result_free(&r);
    }
    scene_free(&s);
}

/** Right but for the last bit of one value: channel 21, row 3, column 5 of one layer's `scene`. */
static const struct scene *scene;

static void one_bit_conv(const struct conv_args *a)
{
    kernel_set_get(ISA_SCALAR)->conv.run(a);
    const struct step *step = &scene->subject.model.steps.step[scene_step(scene, FIRST_LAYER)];
    const struct tensor *t = &scene->subject.layout.values[step->act];
    const float *wrong = t->data + difference_offset(t, 0, 21, 3, 5);
    for (int i = 0; a->finish && a->act.data && i < a->pixels * a->blocks * BLOCK; i++) {
        float *out = a->act.data + a->act.at[i / BLOCK % a->pixels] +
                     (size_t)(i / BLOCK / a->pixels) * a->act.block_stride + i % BLOCK;
        if (out == wrong)
            *out = nextafterf(*out, INFINITY);
    }
}

Test(verify_faults, one_bit_is_located)
{
    const struct kernel_set set = faulty_set(one_bit_conv);
    struct scene s;
    scene_make(&s, ALGO_DIRECT, 1);
    scene = &s;
    struct bits_result r = scene_run(&s, &set, 1);
    cr_expect_eq(r.first, scene_step(&s, FIRST_LAYER));
    cr_expect_eq(r.kind, PATTERN_ONE_VALUE);
    cr_expect_str_eq(r.where, "one value: channel 21, row 3 of 8, column 5 of 8");
    cr_expect_eq(r.difference.differing, 1);
    cr_expect_eq(r.difference.max_ulps, 1);
    cr_expect_eq(r.difference.worst.channel, 21);
    cr_expect_eq(r.difference.worst.row, 3);
    cr_expect_eq(r.difference.worst.column, 5);
    cr_expect_eq(r.difference.worst.got, nextafterf(r.difference.worst.expected, INFINITY));
    bits_result_free(&r);
    scene_free(&s);
}

/** Writes one float behind the last pixel of its strip: often a border, or the next strip's. */
static void past_tile_conv(const struct conv_args *a)
{
    kernel_set_get(ISA_SCALAR)->conv.run(a);
    if (a->finish && a->act.data)
        a->act.data[a->act.at[a->pixels - 1] + BLOCK] = 1;
}

Test(verify_faults, one_float_past_the_tile)
{
    const struct kernel_set set = faulty_set(past_tile_conv);
    struct scene s;
    scene_make(&s, ALGO_DIRECT, 1);
    struct bits_result r = scene_run(&s, &set, 1);
    cr_expect_not(bits_result_ok(&r));
    cr_expect(r.first >= 0 || (r.stray && r.stray_step == scene_step(&s, FIRST_LAYER)));
    bits_result_free(&r);
    scene_free(&s);
}

/** The same, but only behind all that the layer stores, where no later step reads it. */
static float *behind;
static void stray_conv(const struct conv_args *a)
{
    kernel_set_get(ISA_SCALAR)->conv.run(a);
    *behind = 1;
}

Test(verify_faults, a_write_that_no_layer_reads)
{
    const struct kernel_set set = faulty_set(stray_conv);
    struct scene s;
    scene_make(&s, ALGO_DIRECT, 1);
    const struct tensor *image = model_image(&s.subject.model, &s.subject.layout);
    behind = image->data - image->row_stride - (size_t)image->pixel;
    struct bits_result r = scene_run(&s, &set, 1);
    cr_expect_eq(r.first, -1);
    cr_expect_eq(r.equal, s.subject.model.steps.count);
    cr_expect(r.stray);
    cr_expect_eq(r.stray_step, scene_step(&s, FIRST_LAYER));
    bits_result_free(&r);
    scene_free(&s);
}

/**
 * Skips the last row that the second thread has to compute. The first thread waits for that, so
 * that it does not take the row over.
 */
static struct {
    pthread_t first;
    atomic_int calls, share;
} rows;
static void skipping_pool(const struct max_pool_args *a)
{
    if (pthread_equal(pthread_self(), rows.first)) {
        while (atomic_load(&rows.calls) < atomic_load(&rows.share))
            sched_yield();
    } else if (atomic_fetch_add(&rows.calls, 1) + 1 == atomic_load(&rows.share)) {
        return;
    }
    kernel_set_get(ISA_SCALAR)->max_pool.run(a);
}

Test(verify_faults, a_thread_that_skips_its_last_row)
{
    struct kernel_set set = *kernel_set_get(ISA_SCALAR);
    struct scene s;
    scene_make(&s, ALGO_DIRECT, 1);
    int step = scene_step(&s, "pool0");
    const struct tensor *out = snapshot_output(&s.bits.snapshot.step[step]);
    int units = tensor_blocks(out) * out->height;
    set.max_pool.run = skipping_pool;
    rows.first = pthread_self();
    atomic_store(&rows.calls, 0);
    atomic_store(&rows.share, units - units / 2);
    struct bits_result r = scene_run(&s, &set, 2);
    cr_expect_eq(r.first, step);
    cr_expect_eq(r.kind, PATTERN_EDGE);
    cr_expect_str_eq(r.where, "a tile's edge: channels 48 to 63 of 64, row 7 of 8, all columns");
    bits_result_free(&r);
    scene_free(&s);
}

/** As a library does that was built with -ffast-math. */
static void flush_to_zero(void)
{
#ifdef __x86_64__
    _mm_setcsr(_mm_getcsr() | 0x8040);
#else
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | 1U << 24));
#endif
}

static void flushing_softmax(const float *x, float *out, size_t count)
{
    kernel_set_get(ISA_SCALAR)->softmax.run(x, out, count);
    flush_to_zero();
}

Test(verify_faults, flush_to_zero_left_on)
{
    struct kernel_set set = *kernel_set_get(ISA_SCALAR);
    struct scene s;
    scene_make(&s, ALGO_DIRECT, 1);
    set.softmax.run = flushing_softmax;
    struct bits_result r = scene_run(&s, &set, 1);
    cr_expect_eq(r.equal, s.subject.model.steps.count, "no layer shows it");
    cr_expect_not(bits_result_ok(&r));
    cr_expect_eq(r.faulty_thread, 0);
    cr_expect_str_eq(r.fault, "flushes denormal results to zero");
    bits_result_free(&r);
    r = scene_run(&s, kernel_set_get(ISA_SCALAR), 1);
    cr_expect(bits_result_ok(&r), "the next run is not to blame");
    bits_result_free(&r);
    scene_free(&s);
}

/** Special numbers differ where a set treats them otherwise, and only there. */
Test(verify_faults, special_numbers)
{
    static const enum fault faults[] = {FAULT_RELU_LOSES_NAN, FAULT_RELU_LOSES_SIGN, FAULT_FLUSH};
    const struct kernel_set set = faulty_set(faulty_conv);
    struct isa_list isas = usable_isas();
    struct scene s;
    scene_make_special(&s, ALGO_DIRECT);
    for (int i = 0; i < isas.count; i++) {
        struct bits_result r = scene_run(&s, kernel_set_get(isas.isas[i]), 1);
        cr_expect(bits_result_ok(&r), "%s: %s", isa_name(isas.isas[i]), r.where);
        bits_result_free(&r);
    }
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        fault = faults[i];
        struct bits_result r = scene_run(&s, &set, 1);
        cr_expect(r.first >= 0, "fault %d", (int)faults[i]);
        bits_result_free(&r);
    }
    scene_free(&s);
}

/** A map of one tile, which a single special number spoils. */
static bool is_one_tile(const struct step *step, const struct tensor *out)
{
    return step->algo != ALGO_DIRECT && out->height <= bilinear_tile(algo_form(step->algo));
}

/** Most outputs of a layer with special numbers are numbers, and some are NaN or infinite. */
Test(verify_faults, special_numbers_do_not_drown_all)
{
    for (enum algo algo = ALGO_WINOGRAD4; algo < ALGO_AUTO; algo++) {
        struct scene s;
        scene_make_special(&s, algo);
        for (int i = 0; i < s.bits.snapshot.steps; i++) {
            const struct tensor *t = snapshot_output(&s.bits.snapshot.step[i]);
            size_t count = tensor_floats(t, 1), finite = 0;
            for (size_t k = 0; k < count; k++)
                finite += isfinite(t->data[k]) != 0;
            if (t->height > 1) {
                cr_expect(finite < count, "%s, step %d: no special number", algo_name(algo), i);
                cr_expect(finite > count / 20 || is_one_tile(&s.subject.model.steps.step[i], t),
                          "%s, step %d: %zu of %zu are finite", algo_name(algo), i, finite, count);
            }
        }
        scene_free(&s);
    }
}

static void flip_last_bit(float *value)
{
    uint32_t bits;
    memcpy(&bits, value, sizeof bits);
    bits ^= 1;
    memcpy(value, &bits, sizeof bits);
}

/** Where `at` stands for: the packed weight of a step at that index. */
static void check_flipped(struct scene *s, const char *layer, size_t at, const char *where)
{
    struct error e;
    struct weights_result r;
    struct param_source source = synthetic_source(&s->subject.seed);
    int step = scene_step(s, layer);
    float *weight = &s->subject.model.weights.step[step].weights[at];
    uint64_t hash = weights_hash(&s->subject.model, step);
    flip_last_bit(weight);
    cr_assert(weights_check(&s->subject.model, &source, s->single, &r, &e), "%s", e.text);
    cr_expect_eq(r.wrong, 1);
    cr_expect_eq(r.step, step);
    cr_expect_str_eq(r.where, where);
    cr_expect_eq(r.packed, *weight);
    cr_expect_neq(weights_hash(&s->subject.model, step), hash);
    flip_last_bit(weight);
    cr_assert(weights_check(&s->subject.model, &source, s->single, &r, &e), "%s", e.text);
    cr_expect_eq(r.wrong, 0, "%s is %.9g, exactly %.17g", r.where, (double)r.packed, r.exact);
    cr_expect(r.checked > 11000000 && r.step == -1);
    cr_expect_eq(weights_hash(&s->subject.model, step), hash);
}

Test(verify_faults, one_bit_of_one_packed_weight)
{
    struct scene s;
    scene_make(&s, ALGO_DIRECT, 1);
    check_flipped(&s, "conv0", 5 * BLOCK + 3,
                  "the weight of output channel 3, input channel 2, ky 0, kx 1");
    check_flipped(&s, "stage1_conv0", ((size_t)(4 * 9 + 4) * BLOCK + 9) * BLOCK + 1,
                  "the weight of output channel 17, input channel 9, ky 1, kx 1");
    scene_free(&s);
}

Test(verify_faults, one_bit_of_one_transformed_filter)
{
    struct scene s;
    for (enum algo algo = SLOW_BUILD ? ALGO_POLYPHASE2 : ALGO_WINOGRAD2; algo <= ALGO_POLYPHASE2;
         algo++) {
        scene_make(&s, algo, 1);
        check_flipped(&s, algo == ALGO_POLYPHASE2 ? "stage2_conv0" : "stage1_conv0",
                      (size_t)(7 * 64 + 33) * BLOCK + 2,
                      "the transformed filter of output channel 2, input channel 33, number 7");
        scene_free(&s);
    }
}

/** Channel 1 of the even columns in odd rows, behind all of the even rows. */
Test(verify_faults, one_bit_of_one_phase)
{
    struct scene s;
    scene_make(&s, ALGO_POLYPHASE4, 1);
    check_flipped(
        &s, "conv0", (size_t)(8 * 12 + 7) * BLOCK + 2,
        "the transformed filter of output channel 2, input channel 1, phase 2, position 8");
    scene_free(&s);
}

/** The panel of the second pair of output blocks: channels 16 to 31 and 80 to 95 of 128. */
Test(verify_faults, one_bit_of_one_factor)
{
    struct scene s;
    scene_make(&s, ALGO_STRASSEN, 1);
    check_flipped(&s, "stage2_conv2", (size_t)((7 + 5) * 32 + 9) * BLOCK + 2,
                  "the factor of output channel 18, input channel 9, position 5");
    scene_free(&s);
}

/** A packed weight that is wrong by more than roundings puts its channel outside of the bound. */
Test(verify_faults, a_wrong_weight_against_float64)
{
    struct error e;
    struct plan plan;
    struct engine engine;
    struct scene s;
    scene_make(&s, ALGO_DIRECT, 1);
    struct param_source source = synthetic_source(&s.subject.seed);
    int step = scene_step(&s, FIRST_LAYER);
    struct layer_error *errors = calloc((size_t)s.subject.model.steps.count, sizeof *errors);
    s.subject.model.weights.step[step].weights[5] += 1;
    cr_assert(plan_make(&plan, &s.subject.model, kernel_set_get(ISA_SCALAR), &s.subject.layout,
                        subject_topology(), 1, &e) &&
              engine_make(&engine, &plan, s.single, &e));
    cr_assert(layer_error_measure(&engine, &source, 1, errors, &e), "%s", e.text);
    for (int i = 0; i < plan.step_count; i++) {
        cr_expect_eq(errors[i].fraction > 1, i == step, "step %d", i);
        cr_expect(errors[i].rms <= errors[i].error && errors[i].ulps >= 0);
    }
    cr_expect_eq(errors[step].worst.channel, 5);
    cr_expect_float_eq(fabs((double)errors[step].worst.value - errors[step].worst.exact),
                       errors[step].error, errors[step].error);
    engine_free(&engine);
    plan_free(&plan);
    free(errors);
    scene_free(&s);
}
