/** Filters of Winograd convolutions as they are packed, and the matrices that they rest on. */
#include "harness/oracle_winograd.h"
#include "tests/winograd_fixture.h"

#include <criterion/criterion.h>

/** The matrices convolve: sum over k of A^T[o][k] G[k][j] B^T[k][i] is 1 if i = o + j, else 0. */
Test(winograd_filters, matrices_are_exact)
{
    for (int tile = 2; tile <= 4; tile += 2) {
        struct oracle_winograd_matrices m = oracle_winograd_matrices(tile);
        for (int n = 0; n < tile * 3 * (tile + 2); n++) {
            int o = n % tile, j = n / tile % 3, i = n / tile / 3;
            double sum = 0;
            for (int k = 0; k < tile + 2; k++)
                sum += m.output.at[o][k] * m.filter.at[k][j] * m.input.at[k][i];
            cr_expect_float_eq(sum, i == o + j, 1e-14, "F%d: %d %d %d: %g", tile, o, j, i, sum);
        }
    }
}

/** G as published for the kernels' points (resnet-v2.md, section 5), s = sqrt(2). */
static void published_filters(int tile, double g[6][3])
{
    const double s = sqrt(2);
    const double two[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
    const double four[6][3] = {{1, 0, 0},
                               {-2. / 3, -s / 3, -1. / 3},
                               {-2. / 3, s / 3, -1. / 3},
                               {1. / 6, s / 6, 1. / 3},
                               {1. / 6, -s / 6, 1. / 3},
                               {0, 0, 1}};
    memcpy(g, tile == 2 ? two : four, (size_t)(tile + 2) * sizeof *g);
}

/** Whether u is G f G^T times `fold`, rounded once. */
static bool rounded_once(int tile, const float *f, double fold, int position, float u)
{
    double g[6][3], sum = 0, size = 0;
    int side = tile + 2, i = position / side, j = position % side;
    published_filters(tile, g);
    for (int t = 0; t < 9; t++) {
        double term = fold * g[i][t / 3] * (double)f[t] * g[j][t % 3];
        sum += term;
        size += fabs(term);
    }
    return fabs((double)u - sum) <= FLOAT_ROUNDOFF * fabs(sum) + 1e-14 * size;
}

Test(winograd_filters, filters_are_rounded_once)
{
    enum { COUNT = 11, CIN = 21, CHANNELS = 32 };
    float *f = noise_array(COUNT * CIN * 9, 1), *noisy = noise_array(BLOCK, 2);
    static float packed[36 * CHANNELS * BLOCK];
    double fold[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        fold[i] = 2 * (double)noisy[i];
    for (int tile = 2; tile <= 4; tile += 2) {
        int wrong = 0, positions = (tile + 2) * (tile + 2);
        fill_canaries(packed, sizeof packed / sizeof *packed);
        winograd_pack_filters(tile, f, COUNT, CIN, fold, packed);
        for (int i = 0; i < positions * CHANNELS * BLOCK; i++) {
            int o = i % BLOCK, c = i / BLOCK % CHANNELS, p = i / BLOCK / CHANNELS;
            if (o < COUNT && c < CIN)
                wrong += !rounded_once(tile, f + (o * CIN + c) * 9, fold[o], p, packed[i]);
            else
                wrong += !(packed[i] == 0);
        }
        cr_expect_eq(wrong, 0, "F%d: %d", tile, wrong);
    }
    free(f);
    free(noisy);
}

/** G f G^T at one position, all in float. */
static float in_float(int tile, const float *f, int position)
{
    double g[6][3];
    float sum = 0;
    published_filters(tile, g);
    for (int t = 0; t < 9; t++)
        sum +=
            (float)g[position / (tile + 2)][t / 3] * f[t] * (float)g[position % (tile + 2)][t % 3];
    return sum;
}

/** The test above would notice filters that are transformed in float. */
Test(winograd_filters, float_arithmetic_is_noticed)
{
    enum { COUNT = 200 };
    float *f = noise_array(COUNT * 9, 3);
    for (int tile = 2; tile <= 4; tile += 2) {
        int passed = 0;
        for (int i = 0; i < COUNT; i++) {
            int position = tile + 3;
            passed +=
                rounded_once(tile, f + i * 9, 1, position, in_float(tile, f + i * 9, position));
        }
        cr_expect(passed < COUNT * 3 / 4, "F%d: %d", tile, passed);
    }
    free(f);
}
