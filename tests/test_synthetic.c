/** Synthetic parameters: the same bits everywhere, and fit to be measured with. */
#include "harness/synthetic.h"
#include "tests/network_fixture.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 1000, SIZE = 224 };

static const uint64_t seed = 1;

/** A whole tensor of the synthetic parameters; the caller frees it. */
static float *read_tensor(const struct network *net, uint64_t from, int node, enum param param)
{
    size_t count = network_param_count(net, node, param);
    float *data = malloc(count * sizeof *data);
    cr_assert(data);
    struct param_source source = synthetic_source(&from);
    source.read(source.context, net, node, param, 0, count, data);
    return data;
}

/** FNV-1a over the bits of the floats, lowest byte first. */
static uint64_t hash_floats(const float *data, size_t count)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &data[i], sizeof bits);
        for (int shift = 0; shift < 32; shift += 8)
            hash = (hash ^ (bits >> shift & 0xff)) * 0x100000001b3;
    }
    return hash;
}

Test(synthetic, bits_are_the_golden_ones)
{
    const struct {
        const char *name;
        enum param param;
        uint64_t hash;
    } golden[] = {
        {"conv0_fwd", PARAM_WEIGHT, 0x4e79553ceaf1d093},
        {"stage4_conv1_fwd", PARAM_WEIGHT, 0x75476615a804c7dd},
        {"dense0_fwd", PARAM_WEIGHT, 0xef4f503984ff03c3},
        {"dense0_fwd", PARAM_BIAS, 0xffcd815706df9c00},
        {"batchnorm0_fwd", PARAM_GAMMA, 0xd34cadbf4bcb33b4},
        {"stage1_batchnorm0_fwd", PARAM_MEAN, 0xada00dd7ce8d0883},
        {"stage3_batchnorm15_fwd", PARAM_VARIANCE, 0x68e62e69965cab67},
        {"batchnorm2_fwd", PARAM_BETA, 0x64c8777a02571398},
    };
    struct network net = build("resnet50_v2", CLASSES, SIZE);
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        int node = find(&net, golden[i].name);
        float *data = read_tensor(&net, seed, node, golden[i].param);
        uint64_t hash = hash_floats(data, network_param_count(&net, node, golden[i].param));
        cr_expect_eq(hash, golden[i].hash, "%s: 0x%016llx", golden[i].name,
                     (unsigned long long)hash);
        free(data);
    }
    network_free(&net);
}

Test(synthetic, any_part_equals_the_whole)
{
    struct network net = build("resnet18_v2", CLASSES, SIZE);
    struct param_source source = synthetic_source(&seed);
    const struct {
        const char *name;
        enum param param;
    } tensors[] = {{"conv0_fwd", PARAM_WEIGHT}, {"batchnorm2_fwd", PARAM_VARIANCE}};
    for (int t = 0; t < 2; t++) {
        int node = find(&net, tensors[t].name);
        size_t count = network_param_count(&net, node, tensors[t].param);
        float *whole = read_tensor(&net, seed, node, tensors[t].param);
        for (size_t first = 0; first < 9; first++) {
            for (size_t length = 0; length < 12; length++) {
                float part[13];
                part[length] = 42;
                size_t at = first < 8 ? first : count - length;
                source.read(source.context, &net, node, tensors[t].param, at, length, part);
                cr_expect_arr_eq(part, whole + at, length * sizeof *part);
                cr_expect_eq(part[length], 42, "written past the end");
            }
        }
        free(whole);
    }
    network_free(&net);
}

Test(synthetic, no_value_is_zero_or_denormal)
{
    struct network net = build("resnet50_v2", CLASSES, SIZE);
    for (int node = 0; node < net.node_count; node++) {
        for (int p = 0; p < PARAM_COUNT; p++) {
            size_t count = network_param_count(&net, node, (enum param)p);
            float *data = read_tensor(&net, seed, node, (enum param)p);
            size_t bad = 0;
            for (size_t i = 0; i < count; i++)
                bad += !isnormal(data[i]) || (p == PARAM_VARIANCE && data[i] < 0.1f);
            cr_expect_eq(bad, 0, "%s", net.nodes[node].name);
            free(data);
        }
    }
    network_free(&net);
}

struct moments {
    double mean, deviation, least, most;
};

static struct moments moments_of(const struct network *net, const char *name, enum param param)
{
    int node = find(net, name);
    size_t count = network_param_count(net, node, param);
    float *data = read_tensor(net, seed, node, param);
    struct moments m = {.least = INFINITY, .most = -INFINITY};
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        m.mean += (double)data[i] / (double)count;
        squares += (double)data[i] * (double)data[i] / (double)count;
        m.least = fmin(m.least, (double)data[i]);
        m.most = fmax(m.most, (double)data[i]);
    }
    m.deviation = sqrt(squares - m.mean * m.mean);
    free(data);
    return m;
}

Test(synthetic, distributions_are_the_documented_ones)
{
    struct network net = build("resnet50_v2", CLASSES, SIZE);
    struct moments m = moments_of(&net, "stage4_conv1_fwd", PARAM_WEIGHT);
    double expected = sqrt(2.0 / 4608);
    cr_expect_float_eq(m.deviation, expected, 0.002 * expected);
    cr_expect_lt(fabs(m.mean), 0.004 * expected);
    cr_expect(m.most > 3 * expected && m.most < 3.47 * expected && m.least < -3 * expected);
    m = moments_of(&net, "dense0_fwd", PARAM_WEIGHT);
    cr_expect_float_eq(m.deviation, sqrt(1.0 / 2048), 0.01 * sqrt(1.0 / 2048));
    m = moments_of(&net, "batchnorm2_fwd", PARAM_GAMMA);
    cr_expect(m.least > 0.5 && m.least < 0.51 && m.most < 1.5 && m.most > 1.49);
    m = moments_of(&net, "batchnorm2_fwd", PARAM_BETA);
    cr_expect(m.least > -0.2 && m.least < -0.19 && m.most < 0.2 && m.most > 0.19);
    /* A unit's last convolution adds 2 E[relu(bn)^2] = 13/12, and the first unit has two of them.
     */
    m = moments_of(&net, "stage3_batchnorm15_fwd", PARAM_VARIANCE);
    double sum = 6 * 13.0 / 12;
    cr_expect(m.least > 0.75 * sum && m.most < 1.25 * sum && m.most - m.least > 0.45 * sum);
    m = moments_of(&net, "stage3_batchnorm1_fwd", PARAM_MEAN);
    cr_expect(m.most < 0.2 * sqrt(13.0 / 12) && m.most > 0.18 && fabs(m.mean) < 0.03);
    network_free(&net);
}

static bool alike(const struct network *net, uint64_t seed_a, const char *a, enum param param_a,
                  uint64_t seed_b, const char *b, enum param param_b)
{
    float *x = read_tensor(net, seed_a, find(net, a), param_a);
    float *y = read_tensor(net, seed_b, find(net, b), param_b);
    int same = 0;
    for (int i = 0; i < 64; i++)
        same += x[i] == y[i];
    free(x);
    free(y);
    return same > 8;
}

Test(synthetic, seeds_nodes_and_parameters_have_streams_of_their_own)
{
    struct network net = build("resnet50_v2", CLASSES, SIZE);
    const char *conv = "stage1_conv1_fwd", *norm = "stage1_batchnorm1_fwd";
    cr_expect(alike(&net, 1, conv, PARAM_WEIGHT, 1, conv, PARAM_WEIGHT));
    cr_expect_not(alike(&net, 1, conv, PARAM_WEIGHT, 2, conv, PARAM_WEIGHT));
    cr_expect_not(alike(&net, 1, conv, PARAM_WEIGHT, 1, "stage1_conv5_fwd", PARAM_WEIGHT));
    cr_expect(alike(&net, 1, norm, PARAM_GAMMA, 1, norm, PARAM_GAMMA));
    cr_expect_not(alike(&net, 0, norm, PARAM_GAMMA, 1, norm, PARAM_GAMMA));
    network_free(&net);
    net = build("resnet18_v2", 10, 64);
    struct network other = build("resnet18_v2", 1000, 224);
    float *a = read_tensor(&net, 1, find(&net, "dense0_fwd"), PARAM_WEIGHT);
    float *b = read_tensor(&other, 1, find(&other, "dense0_fwd"), PARAM_WEIGHT);
    cr_expect_arr_eq(a, b, 5120 * sizeof *a, "classes changed the weights");
    free(a);
    free(b);
    network_free(&net);
    network_free(&other);
}
