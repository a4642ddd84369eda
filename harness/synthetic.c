#include "harness/synthetic.h"

#include "harness/preprocess.h"

#include <math.h>
#include <string.h>

/** FNV-1a, 64 bits: names the stream of a tensor independently of the node's place in the graph. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
    return hash;
}

/** Output i of SplitMix64 started at `key` (Steele, Lea, Flood 2014; public-domain C by Vigna). */
static inline uint64_t splitmix(uint64_t key, uint64_t i)
{
    uint64_t z = key + (i + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static uint64_t tensor_key(uint64_t seed, const char *name, int param)
{
    return splitmix(splitmix(seed, hash_name(name)), (uint64_t)param);
}

/**
 * Four near-normal numbers from one hash: the Hadamard transform of its 16-bit parts, four sums of
 * four uniform integers that are uncorrelated with each other. Doubled and centred they are odd,
 * and so never zero.
 */
static inline void normal_group(uint64_t key, uint64_t group, double scale, float *out)
{
    uint64_t hash = splitmix(key, group);
    int32_t a = (int32_t)(hash & 0xffff);
    int32_t b = (int32_t)(hash >> 16 & 0xffff);
    int32_t c = (int32_t)(hash >> 32 & 0xffff);
    int32_t d = (int32_t)(hash >> 48);
    out[0] = (float)((2 * (a + b + c + d) - 4 * 65535 + 1) * scale);
    out[1] = (float)((2 * (a + b - c - d) + 1) * scale);
    out[2] = (float)((2 * (a - b + c - d) + 1) * scale);
    out[3] = (float)((2 * (a - b - c + d) + 1) * scale);
}

/** Near-normal numbers. A 16-bit part has the variance (2^32 - 1) / 12, hence the divisor. */
static void fill_normal(uint64_t key, double deviation, size_t first, size_t count, float *out)
{
    const double scale = deviation / sqrt(4 * 4294967295.0 / 3);
    for (size_t i = 0; i < count;) {
        size_t at = (first + i) % 4;
        size_t take = count - i < 4 - at ? count - i : 4 - at;
        float part[4];
        normal_group(key, (first + i) / 4, scale, take == 4 ? out + i : part);
        if (take < 4)
            memcpy(out + i, part + at, take * sizeof *out);
        i += take;
    }
}

/** Uniform numbers in centre +- reach, which never hit the centre itself. */
static void fill_uniform(uint64_t key, double centre, double reach, size_t first, size_t count,
                         float *out)
{
    for (size_t i = 0; i < count; i++) {
        int32_t odd = 2 * (int32_t)(splitmix(key, first + i) >> 40) - 0xffffff;
        out[i] = (float)(centre + odd * 0x1p-24 * reach);
    }
}

/** Of the pixels of photographs like ImageNet's, normalised as the network wants them. */
static double image_mean_square(const struct normalisation *pixels)
{
    const struct normalisation *usual = &normalisation_imagenet;
    double sum = 0;
    for (int c = 0; c < 3; c++) {
        double offset = usual->mean[c] - pixels->mean[c], deviation = usual->deviation[c];
        sum += (deviation * deviation + offset * offset) /
               (pixels->deviation[c] * pixels->deviation[c]);
    }
    return sum / 3;
}

/** Whether a node is the sum with a shortcut of which nothing is negative. */
static bool adds_positive(const struct network *net, int node)
{
    const struct node *n = &net->nodes[node];
    return n->kind == NODE_ADD && net->nodes[n->inputs[1]].kind == NODE_RELU;
}

/**
 * The mean square that a node's output is expected to have. A batch norm's is E[gamma^2] = 13/12;
 * half of a symmetric distribution survives a ReLU, but nearly all of a sum with a shortcut that
 * has gone through a ReLU itself. A max-pool's factor lies between 1 (the pixels of a window alike)
 * and 5 (nine independent ones, noise); 2 is for photographs.
 */
static double mean_square(const struct network *net, int node)
{
    const struct node *n = &net->nodes[node];
    switch (n->kind) {
    case NODE_INPUT:
        return image_mean_square(net->pixels);
    case NODE_BATCH_NORM:
        return 13.0 / 12;
    case NODE_CONV:
        return 2 * mean_square(net, n->inputs[0]);
    case NODE_RELU:
        return mean_square(net, n->inputs[0]) / (adds_positive(net, n->inputs[0]) ? 1 : 2);
    case NODE_MAX_POOL:
        return (n->kernel > 1 ? 2 : 1) * mean_square(net, n->inputs[0]);
    case NODE_ADD:
        return mean_square(net, n->inputs[0]) + mean_square(net, n->inputs[1]);
    default:
        return mean_square(net, n->inputs[0]);
    }
}

/**
 * The mean of what a ReLU and a max-pool leave is far from zero, 0.6 of its root mean square for
 * photographs; everything else that a batch norm reads has a mean near zero.
 */
static void read_norm(const struct network *net, int node, enum param param, uint64_t key,
                      size_t first, size_t count, float *out)
{
    int input = net->nodes[node].inputs[0];
    double square = mean_square(net, input);
    double mean = net->nodes[input].kind == NODE_MAX_POOL ? 0.6 * sqrt(square) : 0;
    double variance = square - mean * mean;
    if (param == PARAM_GAMMA)
        fill_uniform(key, 1, 0.5, first, count, out);
    else if (param == PARAM_BETA)
        fill_uniform(key, 0, 0.2, first, count, out);
    else if (param == PARAM_MEAN)
        fill_uniform(key, mean, 0.2 * sqrt(variance), first, count, out);
    else
        fill_uniform(key, variance, 0.25 * variance, first, count, out);
}

static void read_params(const void *context, const struct network *net, int node, enum param param,
                        size_t first, size_t count, float *out)
{
    const struct node *n = &net->nodes[node];
    uint64_t key = tensor_key(*(const uint64_t *)context, n->name, (int)param);
    if (n->kind == NODE_BATCH_NORM) {
        read_norm(net, node, param, key, first, count, out);
    } else if (param == PARAM_BIAS) {
        fill_uniform(key, 0, 0.2, first, count, out);
    } else {
        size_t fan_in = network_param_count(net, node, PARAM_WEIGHT) / (size_t)n->shape.channels;
        double gain = n->kind == NODE_CONV ? 2 : 1;
        fill_normal(key, sqrt(gain / (double)fan_in), first, count, out);
    }
}

struct param_source synthetic_source(const uint64_t *seed)
{
    return (struct param_source){.read = read_params, .context = seed};
}
