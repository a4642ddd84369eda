#include "harness/verify/specials.h"

#include "harness/algo_form.h"

#include <float.h>
#include <math.h>

/* Of so many output channels, one has a weight that may spoil all of it. */
#define SPOILED_CHANNELS 16

/* About one output in so many sees an input that may spoil it. */
#define SPOILED_OUTPUTS 6

/* Of each 16 channels, the one that vanishes: its sums are -0, 0 or denormal. */
#define VANISHING 7

/* One in so many weights becomes one that spoils nothing: -0 or a denormal. */
#define HARMLESS 61

/* splitmix64's finalizer (Steele, Lea and Flood 2014, doi:10.1145/2714064.2660195). */
static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = a * 0x9e3779b97f4a7c15 + b;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static float harmless(uint64_t random)
{
    static const float values[] = {-0.0F, 0, FLT_TRUE_MIN, -FLT_TRUE_MIN, 0x1p-130F, -0x1p-127F};
    return values[random % (sizeof values / sizeof *values)];
}

static float harmful(uint64_t random)
{
    static const float values[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX};
    return values[random % (sizeof values / sizeof *values)];
}

static float weight(float value, uint64_t random, size_t fan_in)
{
    if (random % (SPOILED_CHANNELS * fan_in) == 0)
        return harmful(random >> 32);
    return random % HARMLESS == 0 ? harmless(random >> 32) : value;
}

/* A product that underflows to -0 is lost in the next sum, so it has to be the last one. */
static float vanishing_weight(size_t index, size_t fan_in)
{
    return index % fan_in == fan_in - 1 ? -3 * FLT_TRUE_MIN : 0;
}

static void read_param(const void *context, const struct network *net, int node, enum param param,
                       size_t first, size_t count, float *out)
{
    const struct specials_source *s = context;
    size_t channels = (size_t)net->nodes[node].shape.channels;
    size_t per_channel = network_param_count(net, node, param) / channels;
    bool offset = param == PARAM_BETA || param == PARAM_MEAN;
    s->from.read(s->from.context, net, node, param, first, count, out);
    for (size_t i = first; i < first + count; i++, out++) {
        bool vanishes = i / per_channel % BLOCK == VANISHING;
        if (param == PARAM_WEIGHT)
            *out = vanishes ? vanishing_weight(i, per_channel)
                            : weight(*out, mix((uint64_t)node, i), per_channel);
        else if (offset && vanishes)
            *out = 0;
    }
}

struct param_source specials_source(const struct specials_source *specials)
{
    return (struct param_source){.read = read_param, .context = specials};
}

/* Inputs that an output of the step is made of; by a bilinear algorithm, all of its tile's. */
static uint64_t fan_in_of(const struct plan *plan, int step)
{
    const struct plan_step *s = &plan->steps[step];
    const struct node *node = &plan->model->net.nodes[s->node];
    int side = node->kernel > 0 ? node->kernel : 1, pixels = side * side;
    if (s->kind == NODE_CONV && s->algo != ALGO_DIRECT) {
        side = bilinear_reach(algo_form(s->algo));
        pixels = s->algo == ALGO_STRASSEN ? 2 : side * side;
    }
    bool sums = s->kind == NODE_CONV || s->kind == NODE_DENSE || s->kind == NODE_SOFTMAX;
    return (sums ? (uint64_t)s->in.channels : 1) * (uint64_t)pixels;
}

static float number(uint64_t random, uint64_t fan_in)
{
    float magnitude = (float)(1 + (random >> 40) % 1024) * 0x1p-10F;
    if (random % (fan_in * SPOILED_OUTPUTS) == 0)
        return harmful(random >> 32);
    if (random % HARMLESS == 0)
        return harmless(random >> 32);
    return random >> 63 ? -magnitude : magnitude;
}

static void fill_row(float *row, int width, int pixel, int lanes, uint64_t start, uint64_t fan_in)
{
    for (int i = 0; i < width * pixel; i++) {
        if (i % pixel < lanes)
            row[i] = number(mix(start, (uint64_t)i), fan_in);
    }
}

void specials_feed(void *context, const struct plan *plan, int step)
{
    (void)context;
    if (step + 1 == plan->step_count)
        return;
    const struct tensor *t = &plan->steps[step + 1].in;
    uint64_t fan_in = fan_in_of(plan, step + 1);
    int blocks = (t->channels + t->pixel - 1) / t->pixel;
    for (int i = 0; i < plan->batch * blocks * t->height; i++) {
        int image = i / t->height / blocks, block = i / t->height % blocks, row = i % t->height;
        int left = t->channels - block * t->pixel;
        fill_row(t->data + (size_t)image * t->image_stride + (size_t)block * t->block_stride +
                     (size_t)row * t->row_stride,
                 t->width, t->pixel, left < t->pixel ? left : t->pixel,
                 mix((uint64_t)step + 2, (uint64_t)i), fan_in);
    }
}
