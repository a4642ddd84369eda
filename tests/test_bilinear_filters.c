/** Filters of bilinear algorithms as they are packed, and the matrices that they rest on. */
#include "harness/oracle_matrices.h"
#include "tests/bilinear_fixture.h"

#include <criterion/criterion.h>

/** The sum over k of A^T[o][k] G[k][j] B^T[k][i]: how often input i meets weight j in output o. */
static double meetings(const struct oracle_matrices *m, int o, int j, int i)
{
    double sum = 0;
    for (int k = 0; k < m->input.rows; k++)
        sum += m->output.at[o][k] * m->filter.at[k][j] * m->input.at[k][i];
    return sum;
}

static void expect_shape(const struct oracle_matrix *m, int rows, int columns)
{
    cr_expect_eq(m->rows, rows);
    cr_expect_eq(m->columns, columns);
}

/** The matrices of patches convolve: output o has each weight j once, with input stride o + j. */
Test(bilinear_filters, matrices_of_patches_are_exact)
{
    for (int a = ALGO_WINOGRAD2; a <= ALGO_POLYPHASE2; a++) {
        enum algo algo = (enum algo)a;
        struct oracle_matrices m = oracle_matrices(algo);
        int tile = bilinear_tile(algo_form(algo)), side = bilinear_side(algo_form(algo));
        int stride = algo == ALGO_POLYPHASE2 ? 2 : 1;
        expect_shape(&m.input, side, side);
        expect_shape(&m.filter, side, 3);
        expect_shape(&m.output, tile, side);
        for (int n = 0; n < tile * 3 * side; n++) {
            int o = n % tile, j = n / tile % 3, i = n / tile / 3;
            double sum = meetings(&m, o, j, i);
            cr_expect_float_eq(sum, i == stride * o + j, 1e-14, "%s: %d %d %d: %g", algo_name(algo),
                               o, j, i, sum);
        }
    }
}

/** Each product has one filter, that of the matrices. */
Test(bilinear_filters, products_share_filters)
{
    for (int a = ALGO_WINOGRAD2; a <= ALGO_STRASSEN; a++) {
        const enum bilinear_form form = algo_form((enum algo)a);
        const struct oracle_matrix filter = oracle_matrices((enum algo)a).filter;
        const int side = bilinear_side(form);
        int times[64] = {0}, at[BILINEAR_MAX_SHARING];
        for (int f = 0; f < bilinear_filters(form); f++) {
            const int count = bilinear_sharing(form, f, at);
            for (int i = 0; i < count; i++) {
                times[at[i]]++;
                for (int j = 0; side && j < filter.columns; j++) {
                    cr_expect_eq(filter.at[at[i] / side][j], filter.at[at[0] / side][j]);
                    cr_expect_eq(filter.at[at[i] % side][j], filter.at[at[0] % side][j]);
                }
            }
        }
        for (int p = 0; p < bilinear_positions(form); p++)
            cr_expect_eq(times[p], 1, "%s: %d", algo_name((enum algo)a), p);
    }
}

/** The stem's phases are convolved of stride 1, by filters of 4 taps. */
Test(bilinear_filters, matrices_of_phases_are_exact)
{
    struct oracle_matrices m = oracle_matrices(ALGO_POLYPHASE4);
    expect_shape(&m.input, 7, 7);
    expect_shape(&m.filter, 7, 4);
    expect_shape(&m.output, 4, 7);
    for (int n = 0; n < 4 * 4 * 7; n++) {
        int o = n % 4, j = n / 4 % 4, i = n / 4 / 4;
        double sum = meetings(&m, o, j, i);
        cr_expect_float_eq(sum, i == o + j, 1e-14, "%d %d %d: %g", o, j, i, sum);
    }
}

/** Cut tiles convolve with the filters of whole ones; what they do without is zero. */
Test(bilinear_filters, matrices_of_cut_tiles_are_exact)
{
    for (int n = 0; n < 2 * 6; n++) {
        enum algo algo = n % 2 ? ALGO_WINOGRAD4 : ALGO_WINOGRAD6;
        const int outputs = n / 2 + 1, side = bilinear_side(algo_form(algo));
        if (outputs > bilinear_tile(algo_form(algo)))
            continue;
        struct oracle_matrices m = oracle_cut_matrices(algo, outputs);
        for (int i = 0; i < outputs * 3 * side; i++) {
            int o = i % outputs, j = i / outputs % 3, at = i / outputs / 3;
            double sum = meetings(&m, o, j, at);
            cr_expect_float_eq(sum, at == o + j, 1e-14, "%s of %d: %d %d %d: %g", algo_name(algo),
                               outputs, o, j, at, sum);
        }
        for (int p = 0; p < side; p++) {
            bool kept = bilinear_kept(algo_form(algo), outputs) >> p & 1, used = false;
            for (int i = 0; i < side; i++)
                used |= m.input.at[p][i] != 0;
            cr_expect_eq(kept, used, "%s of %d: %d", algo_name(algo), outputs, p);
        }
    }
}

/** Strassen's multiply matrices: quarter (y, x) of C has A(y, n) with B(n, x), for n = 0 and 1. */
Test(bilinear_filters, matrices_of_pairs_are_exact)
{
    struct oracle_matrices m = oracle_matrices(ALGO_STRASSEN);
    expect_shape(&m.input, 7, 4);
    expect_shape(&m.filter, 7, 4);
    expect_shape(&m.output, 4, 7);
    for (int n = 0; n < 4 * 4 * 4; n++) {
        int o = n % 4, j = n / 4 % 4, i = n / 4 / 4;
        bool meet = i / 2 == o / 2 && j % 2 == o % 2 && i % 2 == j / 2;
        cr_expect_eq(meetings(&m, o, j, i), meet, "%d %d %d", o, j, i);
    }
}

/** G of an algorithm as published for the kernels' points (resnet-v2.md, section 5), s = sqrt(2).
 */
static void published_filters(enum bilinear_form form, double g[8][3])
{
    const double s = sqrt(2);
    const double two[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
    const double four[6][3] = {{1, 0, 0},
                               {-2. / 3, -s / 3, -1. / 3},
                               {-2. / 3, s / 3, -1. / 3},
                               {1. / 6, s / 6, 1. / 3},
                               {1. / 6, -s / 6, 1. / 3},
                               {0, 0, 1}};
    const double six[8][3] = {{1, 0, 0},
                              {-2. / 9, -2. / 9, -2. / 9},
                              {-2. / 9, 2. / 9, -2. / 9},
                              {1. / 90, 1. / 45, 2. / 45},
                              {1. / 90, -1. / 45, 2. / 45},
                              {32. / 45, 16. / 45, 8. / 45},
                              {32. / 45, -16. / 45, 8. / 45},
                              {0, 0, 1}};
    const double polyphase[4][3] = {{1, 0, 0}, {1, 0, 1}, {0, 0, 1}, {0, 1, 0}};
    memcpy(g,
           form == FORM_WINOGRAD2   ? two
           : form == FORM_WINOGRAD4 ? four
           : form == FORM_WINOGRAD6 ? six
                                    : polyphase,
           (size_t)bilinear_filter_side(form) * sizeof *g);
}

/** Whether u is a sum of terms whose magnitudes make up `size`, rounded once. */
static bool rounded(float u, double sum, double size)
{
    return fabs((double)u - sum) <= FLOAT_ROUNDOFF * fabs(sum) + 1e-14 * size;
}

/** Whether u is G f G^T times `fold`, rounded once. */
static bool rounded_once(enum bilinear_form form, const float *f, double fold, int filter, float u)
{
    double g[8][3], sum = 0, size = 0;
    int side = bilinear_filter_side(form), i = filter / side, j = filter % side;
    published_filters(form, g);
    for (int t = 0; t < 9; t++) {
        double term = fold * g[i][t / 3] * (double)f[t] * g[j][t % 3];
        sum += term;
        size += fabs(term);
    }
    return rounded(u, sum, size);
}

/** Numbers of -2 to 2, that no sum of a few is equal to by chance. */
static void make_fold(double fold[2 * BLOCK])
{
    for (size_t i = 0; i < 2 * (size_t)BLOCK; i++)
        fold[i] = 2 * (double)noise(i + 77777);
}

Test(bilinear_filters, filters_are_rounded_once)
{
    enum { COUNT = 11, CIN = 21, CHANNELS = 32 };
    float *f = noise_array(COUNT * CIN * 9, 1);
    static float packed[64 * CHANNELS * BLOCK];
    double fold[2 * BLOCK];
    make_fold(fold);
    for (int k = FORM_WINOGRAD2; k <= FORM_POLYPHASE2; k++) {
        enum bilinear_form form = (enum bilinear_form)k;
        int wrong = 0, floats = bilinear_filters(form) * CHANNELS * BLOCK;
        fill_canaries(packed, sizeof packed / sizeof *packed);
        bilinear_pack_filters(form, f, COUNT, CIN, fold, packed);
        for (int i = 0; i < floats; i++) {
            int o = i % BLOCK, c = i / BLOCK % CHANNELS, p = i / BLOCK / CHANNELS;
            if (o < COUNT && c < CIN)
                wrong += !rounded_once(form, f + (o * CIN + c) * 9, fold[o], p, packed[i]);
            else
                wrong += !(packed[i] == 0);
        }
        for (int i = floats; i < 64 * CHANNELS * BLOCK; i++)
            wrong += !is_canary(packed[i]);
        cr_expect_eq(wrong, 0, "form %d: %d", k, wrong);
    }
    free(f);
}

/** G of F(4,4), row i, for the points 0, 1, -1, 2, -2, -1/2, inf: powers of the point over the
 * product of its differences from the others. */
static double phase_filter(int i, int tap)
{
    static const double points[] = {0, 1, -1, 2, -2, -0.5};
    double value = 1;
    for (int k = 0; i < 6 && k < 6; k++)
        value *= k == i ? 1 : points[i] - points[k];
    return i < 6 ? pow(points[i], tap) / value : tap == 3;
}

/** Row r of the stem's product p: which phase's filter of which channel it is the transform of. */
static bool phase_rounded_once(const float *f, double fold, int p, int r, float u)
{
    const int i = p / 7, j = p % 7, columns = j < 6 ? 2 : 1, rows = i < 6 ? 2 : 1;
    const int phase = r / 3, y0 = phase / columns, x0 = phase % columns;
    double sum = 0, size = 0;
    for (int t = 0; phase < rows * columns && t < 16; t++) {
        int y = 2 * (t / 4) + y0, x = 2 * (t % 4) + x0;
        double term = y < 7 && x < 7 ? fold * phase_filter(i, t / 4) * phase_filter(j, t % 4) *
                                           (double)f[(r % 3 * 7 + y) * 7 + x]
                                     : 0;
        sum += term;
        size += fabs(term);
    }
    return rounded(u, sum, size);
}

Test(bilinear_filters, phases_are_rounded_once)
{
    enum { COUNT = 11, FILTER = 3 * 49, FLOATS = 49 * 12 * BLOCK };
    float *f = noise_array(COUNT * FILTER, 5);
    static float packed[FLOATS + BLOCK];
    double fold[2 * BLOCK];
    int wrong = 0;
    make_fold(fold);
    fill_canaries(packed, FLOATS + BLOCK);
    bilinear_pack_stem(f, COUNT, fold, packed);
    for (int i = 0; i < FLOATS; i++) {
        int o = i % BLOCK, r = i / BLOCK % 12, p = i / BLOCK / 12;
        wrong += o < COUNT ? !phase_rounded_once(f + o * FILTER, fold[o], p, r, packed[i])
                           : !(packed[i] == 0);
    }
    for (int i = FLOATS; i < FLOATS + BLOCK; i++)
        wrong += !is_canary(packed[i]);
    cr_expect_eq(wrong, 0, "%d", wrong);
    free(f);
}

/** Which quarters of B a product has with which sign (Strassen, Numer. Math. 13, 1969). */
static const int published_quarters[7][4] = {{1, 0, 0, 1}, {1, 0, 0, 0}, {0, 0, 0, 1},
                                             {1, 1, 0, 0}, {0, 0, 1, 1}, {0, 1, 0, -1},
                                             {-1, 0, 1, 0}};

/** Whether u is the factor at a position for the channels o and c of each half, rounded once. */
static bool quarters_rounded_once(const float *f, int cin, const double *fold, int position, int o,
                                  int c, float u)
{
    double sum = 0, size = 0;
    for (int quarter = 0; quarter < 4; quarter++) {
        int output = o + quarter % 2 * BLOCK, input = c + quarter / 2 * cin / 2;
        double term =
            published_quarters[position][quarter] * fold[output] * (double)f[output * cin + input];
        sum += term;
        size += fabs(term);
    }
    return rounded(u, sum, size);
}

Test(bilinear_filters, quarters_are_rounded_once)
{
    enum { CIN = 96, FLOATS = 7 * CIN / 2 * BLOCK };
    float *f = noise_array(2 * BLOCK * CIN, 4);
    static float packed[FLOATS + BLOCK];
    double fold[2 * BLOCK];
    int wrong = 0;
    make_fold(fold);
    fill_canaries(packed, FLOATS + BLOCK);
    bilinear_pack_strassen((const float *[]){f, f + BLOCK * CIN}, CIN,
                           (const double *[]){fold, fold + BLOCK}, packed);
    for (int i = 0; i < FLOATS; i++) {
        int o = i % BLOCK, c = i / BLOCK % (CIN / 2), p = i / BLOCK / (CIN / 2);
        wrong += !quarters_rounded_once(f, CIN, fold, p, o, c, packed[i]);
    }
    for (int i = FLOATS; i < FLOATS + BLOCK; i++)
        wrong += !is_canary(packed[i]);
    cr_expect_eq(wrong, 0, "%d", wrong);
    free(f);
}

/** One filter of G f G^T, all in float. */
static float in_float(enum bilinear_form form, const float *f, int filter)
{
    double g[8][3];
    float sum = 0;
    int side = bilinear_filter_side(form);
    published_filters(form, g);
    for (int t = 0; t < 9; t++)
        sum += (float)g[filter / side][t / 3] * f[t] * (float)g[filter % side][t % 3];
    return sum;
}

/** The tests above would notice filters that are transformed in float. */
Test(bilinear_filters, float_arithmetic_is_noticed)
{
    enum { COUNT = 200 };
    float *f = noise_array(COUNT * 9, 3);
    for (int k = FORM_WINOGRAD2; k <= FORM_POLYPHASE2; k++) {
        enum bilinear_form form = (enum bilinear_form)k;
        int passed = 0, filter = bilinear_filter_side(form) + 1;
        for (int i = 0; i < COUNT; i++)
            passed += rounded_once(form, f + i * 9, 1, filter, in_float(form, f + i * 9, filter));
        cr_expect(passed < COUNT * 9 / 10, "form %d: %d", k, passed);
    }
    free(f);
}
