#include "harness/measure/floors.h"

static size_t value_floats(const struct tensor *t, int batch)
{
    return t->data ? (size_t)batch * (size_t)t->channels * (size_t)t->height * (size_t)t->width : 0;
}

double floors_macs(const struct plan_step *step)
{
    return step->kind == NODE_CONV ? step->macs * algo_macs_share(step->algo) : step->macs;
}

/* Floats of the weights as the algorithm has them. */
static double weight_floats(const struct plan *plan, const struct plan_step *s)
{
    const struct network *net = &plan->model->net;
    double count = (double)network_param_count(net, s->node, PARAM_WEIGHT);
    return s->kind == NODE_CONV ? count * algo_weights_share(s->algo) : count;
}

void floors_bytes(const struct plan *plan, int step, double *weights, double *values)
{
    const struct plan_step *s = &plan->steps[step];
    const struct node *node = &plan->model->net.nodes[s->node];
    const struct shape *in = &plan->model->net.nodes[node->inputs[0]].shape;
    double input = (double)plan->batch * (double)shape_elements(in);
    double output =
        (double)(value_floats(&s->sum, plan->batch) + value_floats(&s->act, plan->batch));
    bool adds = plan->model->steps.step[step].residual >= 0;
    double shape = (double)plan->batch * (double)shape_elements(&node->shape);
    *weights = weight_floats(plan, s) * sizeof(float);
    *values = (input + output + (adds ? shape : 0)) * sizeof(float);
}

/* Bytes that all caches of a level hold for so many threads; 0 when not known. */
static double level_bytes(const struct topology *topology, int level, int threads)
{
    return (double)ceilings_cache_share(topology, level, threads) * threads;
}

struct floors floors_of(const struct plan *plan, int step, double gflops, double all_weights,
                        const struct ceilings *ceilings, const struct topology *topology)
{
    double weights, values, held = 0;
    floors_bytes(plan, step, &weights, &values);
    struct floors f = {.bytes = weights + values};
    if (gflops > 0)
        f.arithmetic_ms = 2 * floors_macs(&plan->steps[step]) / gflops * 1e-6;
    for (int level = 1; level <= CEILINGS_DRAM; level++) {
        const struct bandwidth *b =
            ceilings_bandwidth(ceilings, level, BANDWIDTH_READ, plan->threads);
        double weight_share = all_weights > held ? 1 - held / all_weights : 0;
        double beyond = weights * weight_share + (values > held ? values - held : 0);
        double ms = b ? beyond / b->gb_per_s * 1e-6 : 0;
        if (b && (f.level == 0 || ms > f.bytes_ms)) {
            f.bytes_ms = ms;
            f.level = level;
        }
        if (level < CEILINGS_DRAM && topology->caches[level - 1].bytes)
            held = level_bytes(topology, level, plan->threads);
    }
    return f;
}
