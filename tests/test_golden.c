/** Bit identity: every kernel set, on any number of threads, in any batch, gives the same hashes.
 */
#include "tests/engine_fixture.h"
#include "tests/golden_hashes.h"

#include <inttypes.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/** What golden_hashes.h has; one row for each combination of an algorithm and a size. */
static const struct {
    enum algo algo;
    int size;
    const struct golden_hash *hashes;
    int count;
} tables[] = {
    {ALGO_DIRECT, 224, golden_direct_224, COUNT(golden_direct_224)},
    {ALGO_DIRECT, 64, golden_direct_64, COUNT(golden_direct_64)},
};

TestSuite(golden, .timeout = 300);

static struct model_options options_of(int table, int batch)
{
    return subject_options("resnet50_v2", tables[table].size, batch, tables[table].algo);
}

static void check_run(struct subject *s, int table, enum isa isa, int threads)
{
    uint64_t *hashes = subject_hashes(s, isa, threads);
    cr_assert_eq(s->model.steps.count, tables[table].count);
    for (int i = 0; i < tables[table].count; i++) {
        const struct golden_hash *golden = &tables[table].hashes[i];
        cr_expect_str_eq(step_name(s, i), golden->layer);
        cr_expect_eq(hashes[i], golden->hash, "%s, %s, %d pixels, %d threads: %s is %016" PRIx64,
                     isa_name(isa), algo_name(tables[table].algo), tables[table].size, threads,
                     golden->layer, hashes[i]);
    }
    free(hashes);
}

Test(golden, vector_sets)
{
    struct isa_list isas = usable_isas();
    for (int t = 0; t < COUNT(tables); t++) {
        struct subject s;
        const struct model_options options = options_of(t, 1);
        subject_make(&s, &options, 1);
        for (int i = 0; i < isas.count; i++) {
            for (int threads = 1; threads <= 2 && isas.isas[i] != ISA_SCALAR; threads++)
                check_run(&s, t, isas.isas[i], threads);
        }
        subject_free(&s);
    }
}

/** The slow one: at full size once, and not under a sanitizer. */
Test(golden, scalar_set)
{
    for (int t = 0; t < COUNT(tables); t++) {
        struct subject s;
        bool large = tables[t].size > 64;
        if (large && SLOW_BUILD)
            continue;
        const struct model_options options = options_of(t, 1);
        subject_make(&s, &options, 1);
        if (!large)
            check_run(&s, t, ISA_SCALAR, 1);
        check_run(&s, t, ISA_SCALAR, 2);
        subject_free(&s);
    }
}

/** Each image of a batch must give what it gives alone, in every layer. */
static void check_batch(const struct model_options *options, enum isa isa)
{
    struct subject batched, single;
    struct model_options one = *options;
    one.batch = 1;
    subject_make(&batched, options, 1);
    subject_make(&single, &one, 1);
    uint64_t *all = subject_hashes(&batched, isa, 2);
    size_t steps = (size_t)batched.model.steps.count;
    for (int image = 0; image < options->batch; image++) {
        subject_show(&single, 0, image);
        uint64_t *alone = subject_hashes(&single, isa, 1);
        cr_expect_arr_eq(all + (size_t)image * steps, alone, steps * sizeof *alone,
                         "%s: image %d of %d is another one in the batch", isa_name(isa), image,
                         options->batch);
        free(alone);
    }
    for (size_t i = 0; i < steps; i++)
        cr_expect(all[i] != all[steps + i], "step %zu: two pictures look the same", i);
    free(all);
    subject_free(&batched);
    subject_free(&single);
}

Test(golden, batch_is_its_images)
{
    struct isa_list isas = usable_isas();
    for (int t = 0; t < COUNT(tables); t++) {
        const struct model_options options = options_of(t, 3);
        for (int i = 0; options.size == 64 && i < isas.count; i++)
            check_batch(&options, isas.isas[i]);
    }
}

Test(golden, seed_matters)
{
    struct isa_list isas = usable_isas();
    const struct model_options options = subject_options("resnet50_v2", 64, 1, ALGO_DIRECT);
    struct subject s;
    subject_make(&s, &options, 2);
    uint64_t *hashes = subject_hashes(&s, isas.isas[isas.count - 1], 2);
    cr_assert_eq(s.model.steps.count, COUNT(golden_direct_64));
    for (int i = 0; i < COUNT(golden_direct_64); i++)
        cr_expect_neq(hashes[i], golden_direct_64[i].hash, "%s", golden_direct_64[i].layer);
    free(hashes);
    subject_free(&s);
}
