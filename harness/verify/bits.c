#include "harness/verify/bits.h"

#include "harness/hash.h"
#include "harness/verify/arithmetic.h"

#include <stdlib.h>
#include <string.h>

/* What the hook of a run needs. */
struct watch {
    const struct bits *bits;
    struct snapshot *snapshot;  /* the reference's, being taken; or NULL … */
    struct bits_result *result; /* … and a comparison */
    uint64_t *memory;           /* of all memory behind each step; NULL: not wanted */
};

static const struct tensor *image_of(const struct bits *bits)
{
    return model_image(bits->model, bits->layout);
}

/* The image's memory begins with its border. */
static float *image_start(const struct tensor *image)
{
    return image->data - (size_t)image->border * (image->row_stride + (size_t)image->pixel);
}

static void reset_memory(const struct bits *bits)
{
    const struct tensor *image = image_of(bits);
    const struct memory *memory = &bits->layout->memory;
    memset(memory->data, 0, memory->floats * sizeof(float));
    memcpy(image_start(image), bits->image,
           tensor_floats(image, bits->layout->batch) * sizeof(float));
}

/* All of the layout's memory, borders and gaps included, as rows of a single block. */
static uint64_t hash_memory(const struct layout *layout)
{
    enum { WIDTH = 64 };
    struct tensor all =
        tensor_blocked(BLOCK, (int)(layout->memory.floats / ((size_t)WIDTH * BLOCK)), WIDTH, 0);
    struct tensor rest =
        tensor_blocked(BLOCK, 1, (int)(layout->memory.floats % ((size_t)WIDTH * BLOCK) / BLOCK), 0);
    all.data = layout->memory.data;
    rest.data = all.data + all.block_stride;
    return hash_join(hash_tensor(&all, 1), hash_tensor(&rest, 1));
}

static void compare_step(const struct bits *bits, struct bits_result *r, const struct plan *plan,
                         int step)
{
    const struct snapshot_step *expected = &bits->snapshot.step[step];
    const struct plan_step *got = &plan->steps[step];
    r->hashes[step] = hash_outputs(&got->sum, &got->act, plan->batch);
    if (bits->only >= 0 && step != bits->only)
        return;
    if (r->hashes[step] == expected->hash) {
        r->equal++;
        return;
    }
    if (r->first >= 0)
        return;
    struct pattern pattern;
    r->first = step;
    if (got->sum.data)
        r->difference = difference_measure(&expected->sum, &got->sum, plan->batch, &pattern);
    r->in_sum = r->difference.differing > 0;
    if (!r->in_sum)
        r->difference = difference_measure(&expected->act, &got->act, plan->batch, &pattern);
    r->kind = pattern_kind(&pattern);
    pattern_describe(&pattern, r->where, sizeof r->where);
}

static void look(void *context, const struct plan *plan, int step)
{
    struct watch *w = context;
    if (w->snapshot)
        snapshot_take(w->snapshot, plan, step);
    if (w->result)
        compare_step(w->bits, w->result, plan, step);
    if (w->memory)
        w->memory[step] = hash_memory(plan->layout);
    if (w->bits->feed)
        w->bits->feed(w->bits->feed_context, plan, step);
}

static bool run_way(const struct bits *bits, const struct bits_way *way, struct watch *watch,
                    struct error *e)
{
    struct plan plan;
    struct engine engine;
    if (!plan_make(&plan, bits->model, way->set, bits->layout, bits->topology,
                   team_threads(way->team), e))
        return false;
    plan.scratch_apart = true;
    plan_place(&plan);
    bool ok = !way->blockings || plan_cut(&plan, way->blockings, e);
    if (ok && engine_make(&engine, &plan, way->team, e)) {
        reset_memory(bits);
        if (bits->feed)
            bits->feed(bits->feed_context, &plan, -1);
        engine_run(&engine, NULL, look, watch);
        engine_free(&engine);
    } else {
        ok = false;
    }
    plan_free(&plan);
    return ok;
}

bool bits_make(struct bits *bits, const struct bits_way *reference, struct error *e)
{
    const struct tensor *image = image_of(bits);
    size_t bytes = tensor_floats(image, bits->layout->batch) * sizeof(float);
    bits->reference = *reference;
    bits->snapshot = (struct snapshot){0};
    bits->image = malloc(bytes);
    if (!bits->image)
        return error_set(e, "no memory for %d images", bits->layout->batch);
    memcpy(bits->image, image_start(image), bytes);
    struct watch watch = {.bits = bits, .snapshot = &bits->snapshot};
    bool ok = snapshot_make(&bits->snapshot, bits->model, bits->layout, e) &&
              run_way(bits, reference, &watch, e);
    if (ok)
        bits->memory_hash = hash_memory(bits->layout);
    else
        bits_free(bits);
    return ok;
}

void bits_free(struct bits *bits)
{
    snapshot_free(&bits->snapshot);
    free(bits->image);
    bits->image = NULL;
}

/* Runs both again, with a look at all memory behind each step. */
static bool find_stray(const struct bits *bits, const struct bits_way *way, struct bits_result *r,
                       struct error *e)
{
    size_t steps = (size_t)bits->snapshot.steps;
    struct watch right = {.bits = bits, .memory = calloc(steps, sizeof(uint64_t))};
    struct watch wrong = {.bits = bits, .memory = calloc(steps, sizeof(uint64_t))};
    bool ok = (right.memory && wrong.memory) ||
              error_set(e, "no memory for the hashes of %zu layers", steps);
    ok = ok && run_way(bits, &bits->reference, &right, e) && run_way(bits, way, &wrong, e);
    for (int i = bits->snapshot.steps - 1; ok && i >= 0; i--) {
        if (right.memory[i] != wrong.memory[i])
            r->stray_step = i;
    }
    free(right.memory);
    free(wrong.memory);
    return ok;
}

bool bits_run(const struct bits *bits, const struct bits_way *way, struct bits_result *result,
              struct error *e)
{
    struct watch watch = {.bits = bits, .result = result};
    *result = (struct bits_result){.first = -1, .stray_step = -1, .faulty_thread = -1};
    result->hashes = calloc((size_t)bits->snapshot.steps, sizeof *result->hashes);
    bool ok = result->hashes ||
              error_set(e, "no memory for the hashes of %d layers", bits->snapshot.steps);
    ok = ok && run_way(bits, way, &watch, e);
    if (ok) {
        result->stray =
            bits->only < 0 && result->first < 0 && hash_memory(bits->layout) != bits->memory_hash;
        result->faulty_thread = arithmetic_check(way->team, &result->fault);
        ok = !result->stray || find_stray(bits, way, result, e);
    }
    if (!ok)
        bits_result_free(result);
    return ok;
}

void bits_result_free(struct bits_result *result)
{
    free(result->hashes);
    *result = (struct bits_result){0};
}

bool bits_result_ok(const struct bits_result *result)
{
    return result->first < 0 && !result->stray && result->faulty_thread < 0;
}
