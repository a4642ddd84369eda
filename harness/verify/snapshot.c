#include "harness/verify/snapshot.h"

#include "harness/hash.h"

#include <stdlib.h>
#include <string.h>

/* A value's description without its border, at `*at` floats from the start; no value stays none. */
static struct tensor place(const struct layout *layout, int value, size_t *at)
{
    struct tensor t = {0};
    if (value < 0)
        return t;
    const struct tensor *from = &layout->values[value];
    t = tensor_blocked(from->channels, from->height, from->width, 0);
    *at += tensor_floats(&t, layout->batch);
    return t;
}

static void point(struct tensor *t, float **at, int batch)
{
    if (t->channels == 0)
        return;
    tensor_place(t, *at);
    *at += tensor_floats(t, batch);
}

bool snapshot_make(struct snapshot *snapshot, const struct model *model,
                   const struct layout *layout, struct error *e)
{
    int steps = model->steps.count;
    size_t floats = 0;
    *snapshot = (struct snapshot){.steps = steps,
                                  .batch = layout->batch,
                                  .step = calloc((size_t)steps, sizeof *snapshot->step)};
    if (!snapshot->step)
        return error_set(e, "no memory for the values of %d layers", steps);
    for (int i = 0; i < steps; i++) {
        snapshot->step[i].sum = place(layout, model->steps.step[i].sum, &floats);
        snapshot->step[i].act = place(layout, model->steps.step[i].act, &floats);
    }
    if (!memory_map(&snapshot->memory, floats, "the values of all layers", e)) {
        snapshot_free(snapshot);
        return false;
    }
    float *at = snapshot->memory.data;
    for (int i = 0; i < steps; i++) {
        point(&snapshot->step[i].sum, &at, layout->batch);
        point(&snapshot->step[i].act, &at, layout->batch);
    }
    return true;
}

void snapshot_free(struct snapshot *snapshot)
{
    memory_unmap(&snapshot->memory);
    free(snapshot->step);
    *snapshot = (struct snapshot){0};
}

static void copy(const struct tensor *to, const struct tensor *from, int batch)
{
    int blocks = tensor_blocks(from);
    for (int i = 0; from->data && i < batch * blocks * from->height; i++) {
        size_t image = (size_t)(i / from->height / blocks), row = (size_t)(i % from->height);
        size_t block = (size_t)(i / from->height % blocks);
        memcpy(to->data + image * to->image_stride + block * to->block_stride +
                   row * to->row_stride,
               from->data + image * from->image_stride + block * from->block_stride +
                   row * from->row_stride,
               (size_t)(from->width * BLOCK) * sizeof(float));
    }
}

void snapshot_take(void *context, const struct plan *plan, int step)
{
    struct snapshot *snapshot = context;
    struct snapshot_step *to = &snapshot->step[step];
    const struct plan_step *from = &plan->steps[step];
    copy(&to->sum, &from->sum, plan->batch);
    copy(&to->act, &from->act, plan->batch);
    to->hash = hash_outputs(&to->sum, &to->act, plan->batch);
}

const struct tensor *snapshot_output(const struct snapshot_step *step)
{
    return step->act.data ? &step->act : &step->sum;
}
