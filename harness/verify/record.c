#include "harness/verify/record.h"

#include <stdlib.h>

static int lanes_of(const struct shape *shape)
{
    return shape->channels < BLOCK ? shape->channels : BLOCK;
}

static int blocks_of(const struct shape *shape)
{
    return (shape->channels + BLOCK - 1) / BLOCK;
}

size_t record_bands(const struct shape *shape)
{
    return (size_t)lanes_of(shape) + (size_t)blocks_of(shape) + (size_t)shape->height +
           (size_t)shape->width;
}

struct difference_at record_sample_at(const struct shape *shape, int index)
{
    uint64_t pixels = (uint64_t)shape->height * (uint64_t)shape->width;
    uint64_t count = (uint64_t)shape->channels * pixels;
    uint64_t at = ((uint64_t)(index + 1) * RECORD_SPREAD >> 32) * count >> 32;
    return (struct difference_at){.channel = (int)(at / pixels),
                                  .row = (int)(at % pixels / (uint64_t)shape->width),
                                  .column = (int)(at % (uint64_t)shape->width)};
}

void record_free(struct record *record)
{
    for (int m = 0; m < record->model_count; m++) {
        struct record_model *model = &record->models[m];
        for (int i = 0; model->layers && i < model->layer_count; i++)
            free(model->layers[i].bands);
        for (int i = 0; i < model->run_count; i++)
            free(model->runs[i].hashes);
        free(model->layers);
    }
    record->model_count = 0;
}
