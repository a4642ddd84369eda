#include "harness/verify/record.h"
#include "harness/verify/weights_check.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a's prime and start (Fowler, Noll and Vo), on words instead of bytes. */
#define FNV_PRIME 0x100000001b3
#define FNV_START 0xcbf29ce484222325

/* The bits of a float; all NaNs are the same one. */
static uint32_t bits_of(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return isnan(v) ? 0x7fc00000 : bits;
}

/* Takes a value into the sums of its lane, block, row and column. */
static void take_in(uint64_t *sums, const struct shape *shape, int channel, int row, int column,
                    uint32_t bits)
{
    int lanes = shape->channels < BLOCK ? shape->channels : BLOCK;
    uint64_t *block = sums + lanes, *rows = block + (shape->channels + BLOCK - 1) / BLOCK;
    uint64_t *const entries[PATTERN_AXES] = {&sums[channel % BLOCK], &block[channel / BLOCK],
                                             &rows[row], &rows[shape->height + column]};
    for (int i = 0; i < PATTERN_AXES; i++)
        *entries[i] = (*entries[i] ^ bits) * FNV_PRIME;
}

static void sum_bands(uint64_t *sums, const struct shape *shape, const struct tensor *t, int batch)
{
    for (int image = 0; t->data && image < batch; image++) {
        for (int channel = 0; channel < shape->channels; channel++) {
            for (int row = 0; row < shape->height; row++) {
                for (int column = 0; column < shape->width; column++) {
                    size_t at = difference_offset(t, image, channel, row, column);
                    take_in(sums, shape, channel, row, column, bits_of(t->data[at]));
                }
            }
        }
    }
}

static bool make_bands(struct record_layer *layer, const struct snapshot_step *step, int batch)
{
    size_t count = record_bands(&layer->shape);
    uint64_t *sums = malloc(count * sizeof *sums);
    layer->bands = malloc(count * sizeof *layer->bands);
    bool ok = sums && layer->bands;
    for (size_t i = 0; ok && i < count; i++)
        sums[i] = FNV_START;
    if (ok) {
        sum_bands(sums, &layer->shape, &step->sum, batch);
        sum_bands(sums, &layer->shape, &step->act, batch);
    }
    for (size_t i = 0; ok && i < count; i++)
        layer->bands[i] = (uint16_t)(sums[i] * RECORD_SPREAD >> 48);
    free(sums);
    return ok;
}

static bool make_layer(struct record_layer *layer, const struct model *model, int index,
                       const struct snapshot *snapshot)
{
    const struct step *step = &model->steps.step[index];
    const struct snapshot_step *values = &snapshot->step[index];
    const struct tensor *out = snapshot_output(values);
    model_step_name(model, index, layer->name);
    snprintf(layer->algo, sizeof layer->algo, "%s",
             step->kind == NODE_CONV ? algo_name(step->algo) : "-");
    layer->weights = weights_hash(model, index);
    layer->hash = values->hash;
    layer->shape = (struct shape){out->channels, out->height, out->width};
    for (int i = 0; i < RECORD_SAMPLES; i++) {
        struct difference_at at = record_sample_at(&layer->shape, i);
        size_t offset = difference_offset(out, 0, at.channel, at.row, at.column);
        layer->samples[i] = bits_of(out->data[offset]);
    }
    return make_bands(layer, values, snapshot->batch);
}

struct record_model *record_add(struct record *record, const struct model *model,
                                const struct snapshot *snapshot, struct error *e)
{
    assert(record->model_count < RECORD_MAX_MODELS);
    struct record_model *m = &record->models[record->model_count++];
    *m = (struct record_model){.layer_count = model->steps.count};
    snprintf(m->name, sizeof m->name, "%s", model_algo_name(model));
    m->layers = calloc((size_t)m->layer_count, sizeof *m->layers);
    bool ok = m->layers != NULL;
    for (int i = 0; ok && i < m->layer_count; i++)
        ok = make_layer(&m->layers[i], model, i, snapshot);
    if (!ok)
        error_set(e, "no memory for the record of %d layers", m->layer_count);
    return ok ? m : NULL;
}

bool record_add_run(struct record_model *model, enum isa isa, int threads, const uint64_t *hashes,
                    struct error *e)
{
    if (model->run_count == RECORD_MAX_RUNS)
        return error_set(e, "too many runs for one record: at most %d", RECORD_MAX_RUNS);
    struct record_run *run = &model->runs[model->run_count++];
    *run = (struct record_run){isa, threads, NULL};
    bool equal = true;
    for (int i = 0; i < model->layer_count; i++)
        equal = equal && hashes[i] == model->layers[i].hash;
    if (equal)
        return true;
    size_t bytes = (size_t)model->layer_count * sizeof *run->hashes;
    run->hashes = malloc(bytes);
    if (!run->hashes)
        return error_set(e, "no memory for the hashes of %d layers", model->layer_count);
    memcpy(run->hashes, hashes, bytes);
    return true;
}
