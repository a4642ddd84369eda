#include "harness/oracle_params.h"

#include <math.h>
#include <stdlib.h>

float *oracle_param(const struct network *net, const struct param_source *source, int node,
                    enum param param)
{
    size_t count = network_param_count(net, node, param);
    float *data = malloc(count * sizeof *data);
    if (data)
        source->read(source->context, net, node, param, 0, count, data);
    return data;
}

static void fill(struct oracle_affine *a, float *const *p, double epsilon, int channels)
{
    for (int c = 0; c < channels; c++) {
        double deviation = sqrt((double)p[PARAM_VARIANCE][c] + epsilon);
        a->scale[c] = (double)p[PARAM_GAMMA][c] / deviation;
        a->shift[c] = (double)p[PARAM_BETA][c] - (double)p[PARAM_MEAN][c] * a->scale[c];
    }
}

bool oracle_affine_load(struct oracle_affine *affine, const struct network *net,
                        const struct param_source *source, int node, int channels)
{
    float *p[PARAM_COUNT] = {0};
    affine->scale = malloc((size_t)channels * sizeof *affine->scale);
    affine->shift = calloc((size_t)channels, sizeof *affine->shift);
    bool ok = affine->scale && affine->shift;
    for (int c = 0; ok && c < channels; c++)
        affine->scale[c] = 1;
    for (int i = PARAM_GAMMA; node >= 0 && i <= PARAM_VARIANCE; i++) {
        p[i] = oracle_param(net, source, node, (enum param)i);
        ok = ok && p[i];
    }
    if (ok && node >= 0)
        fill(affine, p, net->nodes[node].epsilon, channels);
    for (int i = 0; i < PARAM_COUNT; i++)
        free(p[i]);
    return ok;
}

void oracle_affine_free(struct oracle_affine *affine)
{
    free(affine->scale);
    free(affine->shift);
}
