#include "kernels/bilinear.h"

#include <math.h>

#define MAX_SIDE 8

/* G of F(2,3), F(4,3) and F(6,3), whose points are those of transform_lines.h; s is sqrt(2). */
static const double filters_2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

#define FILTERS_4 6
static const double filters_6[8][3] = {{1, 0, 0},
                                       {-2.0 / 9, -2.0 / 9, -2.0 / 9},
                                       {-2.0 / 9, 2.0 / 9, -2.0 / 9},
                                       {1.0 / 90, 1.0 / 45, 2.0 / 45},
                                       {1.0 / 90, -1.0 / 45, 2.0 / 45},
                                       {32.0 / 45, 16.0 / 45, 8.0 / 45},
                                       {32.0 / 45, -16.0 / 45, 8.0 / 45},
                                       {0, 0, 1}};

/* G of stride 2: the outer taps by F(2,2), then the middle one. */
static const double polyphase_2[4][3] = {{1, 0, 0}, {1, 0, 1}, {0, 0, 1}, {0, 1, 0}};

static void filters_4(double g[FILTERS_4][3])
{
    const double s = sqrt(2);
    const double rows[FILTERS_4][3] = {{1, 0, 0},
                                       {-2.0 / 3, -s / 3, -1.0 / 3},
                                       {-2.0 / 3, s / 3, -1.0 / 3},
                                       {1.0 / 6, s / 6, 1.0 / 3},
                                       {1.0 / 6, -s / 6, 1.0 / 3},
                                       {0, 0, 1}};
    for (int i = 0; i < FILTERS_4; i++) {
        for (int j = 0; j < 3; j++)
            g[i][j] = rows[i][j];
    }
}

/* u = G f G^T of one filter. */
static void transform(const double (*g)[3], int side, const float *f, double fold, double *u)
{
    double half[MAX_SIDE][3];
    for (int i = 0; i < side; i++) {
        for (int x = 0; x < 3; x++)
            half[i][x] = g[i][0] * (fold * (double)f[x]) + g[i][1] * (fold * (double)f[3 + x]) +
                         g[i][2] * (fold * (double)f[6 + x]);
    }
    for (int i = 0; i < side; i++) {
        for (int j = 0; j < side; j++)
            u[i * side + j] = half[i][0] * g[j][0] + half[i][1] * g[j][1] + half[i][2] * g[j][2];
    }
}

void bilinear_pack_filters(enum bilinear_form form, const float *filters, int count, int cin,
                           const double *fold, float *packed)
{
    double g4[FILTERS_4][3], u[MAX_SIDE * MAX_SIDE];
    int side = bilinear_filter_side(form), channels = (cin + BLOCK - 1) / BLOCK * BLOCK;
    size_t matrix = (size_t)channels * BLOCK;
    filters_4(g4);
    const double(*const g[])[3] = {[FORM_WINOGRAD2] = filters_2,
                                   [FORM_WINOGRAD4] = (const double(*)[3])g4,
                                   [FORM_WINOGRAD6] = filters_6,
                                   [FORM_POLYPHASE2] = polyphase_2};
    for (int c = 0; c < channels; c++) {
        for (int o = 0; o < BLOCK; o++) {
            float *to = packed + c * BLOCK + o;
            bool real = o < count && c < cin;
            if (real)
                transform(g[form], side, filters + ((size_t)o * (size_t)cin + (size_t)c) * 9,
                          fold[o], u);
            for (int i = 0; i < side * side; i++)
                to[(size_t)i * matrix] = real ? (float)u[i] : 0;
        }
    }
}

/* G of the stem's phases: F(4,4), whose points are those of transform_lines.h. */
#define STEM_SIDE 7
#define STEM_TAPS 7
#define PHASE_TAPS 4
static const double filters_stem[STEM_SIDE][PHASE_TAPS] = {
    {1.0 / 2, 0, 0, 0},
    {-1.0 / 9, -1.0 / 9, -1.0 / 9, -1.0 / 9},
    {1.0 / 3, -1.0 / 3, 1.0 / 3, -1.0 / 3},
    {1.0 / 60, 1.0 / 30, 1.0 / 15, 2.0 / 15},
    {-1.0 / 36, 1.0 / 18, -1.0 / 9, 2.0 / 9},
    {-32.0 / 45, 16.0 / 45, -8.0 / 45, 4.0 / 45},
    {0, 0, 0, 1}};

/* A product of one phase of a 7x7 filter: every second tap from `row` and `column` on, 4 or 3. */
static double phase_product(const float *filter, int row, int column, int i, int j)
{
    double sum = 0;
    for (int y = 0; 2 * y + row < STEM_TAPS; y++) {
        double line = 0;
        for (int x = 0; 2 * x + column < STEM_TAPS; x++)
            line += filters_stem[j][x] * (double)filter[(2 * y + row) * STEM_TAPS + 2 * x + column];
        sum += filters_stem[i][y] * line;
    }
    return sum;
}

/* The rows of one product's matrix that there are, for one output channel: floats packed. */
static int pack_phases(const float *filters, int i, int j, double fold, float *to)
{
    const int rows = i == STEM_SIDE - 1 ? 1 : 2, columns = j == STEM_SIDE - 1 ? 1 : 2;
    int done = 0;
    for (int phase = 0; phase < rows * columns; phase++) {
        for (int c = 0; c < 3; c++, done++)
            to[done * BLOCK] =
                (float)(fold * phase_product(filters + c * STEM_TAPS * STEM_TAPS, phase / columns,
                                             phase % columns, i, j));
    }
    return done;
}

void bilinear_pack_stem(const float *filters, int count, const double *fold, float *packed)
{
    const int inputs = bilinear_inputs(FORM_POLYPHASE4, 3);
    for (int p = 0; p < STEM_SIDE * STEM_SIDE; p++) {
        for (int o = 0; o < BLOCK; o++) {
            float *to = packed + p * inputs * BLOCK + o;
            int done = o < count ? pack_phases(filters + (size_t)o * 3 * STEM_TAPS * STEM_TAPS,
                                               p / STEM_SIDE, p % STEM_SIDE, fold[o], to)
                                 : 0;
            for (; done < inputs; done++)
                to[done * BLOCK] = 0;
        }
    }
}

/* The factors of P0 to P6 in transform_pairs.h. */
static void strassen_factors(double b11, double b12, double b21, double b22, float *to, size_t step)
{
    to[0] = (float)(b11 + b22);
    to[step] = (float)b11;
    to[2 * step] = (float)b22;
    to[3 * step] = (float)(b11 + b12);
    to[4 * step] = (float)(b21 + b22);
    to[5 * step] = (float)(b12 - b22);
    to[6 * step] = (float)(b21 - b11);
}

void bilinear_pack_strassen(const float *const filters[2], int cin, const double *const fold[2],
                            float *packed)
{
    const int half = cin / 2;
    for (int o = 0; o < BLOCK; o++) {
        const float *low = filters[0] + (size_t)o * (size_t)cin;
        const float *high = filters[1] + (size_t)o * (size_t)cin;
        for (int c = 0; c < half; c++)
            strassen_factors(fold[0][o] * (double)low[c], fold[1][o] * (double)high[c],
                             fold[0][o] * (double)low[half + c],
                             fold[1][o] * (double)high[half + c], packed + c * BLOCK + o,
                             (size_t)half * BLOCK);
    }
}
