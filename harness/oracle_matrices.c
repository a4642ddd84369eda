#include "harness/oracle_matrices.h"
#include "harness/square.h"

#include <math.h>
#include <string.h>

/** Coefficients of the product of x - p over all points but the one at `except`. */
static void multiply_out(const double *points, int count, int except, double *coefficients)
{
    coefficients[0] = 1;
    for (int k = 0; k < count; k++) {
        if (k == except)
            continue;
        for (int i = count; i > 0; i--)
            coefficients[i] = coefficients[i - 1] - points[k] * coefficients[i];
        coefficients[0] *= -points[k];
    }
}

/** F(tile, taps) from its finite points, the last one being infinity. */
static struct oracle_matrices cook_toom(const double *points, int tile, int taps)
{
    int side = tile + taps - 1, finite = side - 1;
    struct oracle_matrices m = {
        .input = {side, side, {{0}}}, .filter = {side, taps, {{0}}}, .output = {tile, side, {{0}}}};
    for (int j = 0; j < side; j++) {
        double value = 1;
        for (int k = 0; j < finite && k < finite; k++)
            value *= k == j ? 1 : points[j] - points[k];
        multiply_out(points, finite, j, m.input.at[j]);
        for (int i = 0; i < taps; i++)
            m.filter.at[j][i] = j < finite ? pow(points[j], i) / value : i == taps - 1;
        for (int i = 0; i < tile; i++)
            m.output.at[i][j] = j < finite ? pow(points[j], i) : i == tile - 1;
    }
    return m;
}

/** Even pixels meet the outer taps, odd ones the middle tap. */
static struct oracle_matrices polyphase(void)
{
    static const double points[] = {0, 1};
    const struct oracle_matrices even = cook_toom(points, 2, 2);
    struct oracle_matrices m = {
        .input = {5, 5, {{0}}}, .filter = {5, 3, {{0}}}, .output = {2, 5, {{0}}}};
    for (int j = 0; j < 3; j++) {
        for (int i = 0; i < 3; i++)
            m.input.at[j][2 * i] = even.input.at[j][i];
        for (int i = 0; i < 2; i++) {
            m.filter.at[j][2 * i] = even.filter.at[j][i];
            m.output.at[i][j] = even.output.at[i][j];
        }
    }
    for (int i = 0; i < 2; i++)
        m.input.at[3 + i][2 * i + 1] = m.filter.at[3 + i][1] = m.output.at[i][3 + i] = 1;
    return m;
}

static struct oracle_matrices strassen(void)
{
    return (struct oracle_matrices){.input = {7,
                                              4,
                                              {{1, 0, 0, 1},
                                               {0, 0, 1, 1},
                                               {1, 1, 0, 0},
                                               {-1, 0, 1, 0},
                                               {0, 1, 0, -1},
                                               {1, 0, 0, 0},
                                               {0, 0, 0, 1}}},
                                    .filter = {7,
                                               4,
                                               {{1, 0, 0, 1},
                                                {1, 0, 0, 0},
                                                {0, 0, 0, 1},
                                                {1, 1, 0, 0},
                                                {0, 0, 1, 1},
                                                {0, 1, 0, -1},
                                                {-1, 0, 1, 0}}},
                                    .output = {4,
                                               7,
                                               {{1, 0, -1, 0, 1, 0, 1},
                                                {0, 0, 1, 0, 0, 1, 0},
                                                {0, 1, 0, 0, 0, 0, 1},
                                                {1, -1, 0, 1, 0, 1, 0}}}};
}

struct oracle_matrices oracle_matrices(enum algo algo)
{
    static const double points_2[] = {0, 1, -1};
    static const double points_4[] = {0, M_SQRT1_2, -M_SQRT1_2, M_SQRT2, -M_SQRT2};
    static const double points_6[] = {0, 1, -1, 2, -2, 0.5, -0.5};
    switch (algo) {
    case ALGO_WINOGRAD2:
        return cook_toom(points_2, 2, 3);
    case ALGO_WINOGRAD4:
        return cook_toom(points_4, 4, 3);
    case ALGO_WINOGRAD6:
        return cook_toom(points_6, 6, 3);
    case ALGO_POLYPHASE2:
        return polyphase();
    default:
        return strassen();
    }
}

int oracle_cut_outputs(enum algo algo, int outputs)
{
    if (algo == ALGO_WINOGRAD4)
        return outputs <= 2 ? 2 : 4;
    if (algo == ALGO_WINOGRAD6)
        return outputs <= 2 ? 2 : outputs <= 4 ? 4 : 6;
    return outputs;
}

/** F(k,3) on a part of the points of `whole`: row j of its matrices is row at[j] there. */
static struct oracle_matrices nest(const struct oracle_matrices *whole,
                                   const struct oracle_matrices *part, const int *at)
{
    struct oracle_matrices m = *whole;
    memset(m.input.at, 0, sizeof m.input.at);
    memset(m.output.at, 0, sizeof m.output.at);
    for (int j = 0; j < part->input.rows; j++) {
        int last = part->filter.columns - 1, some = j == part->input.rows - 1 ? last : 0;
        double factor = part->filter.at[j][some] / whole->filter.at[at[j]][some];
        for (int i = 0; i < part->input.columns; i++)
            m.input.at[at[j]][i] = (j == 0 ? factor : 1) * part->input.at[j][i];
        for (int i = 0; i < part->output.rows; i++)
            m.output.at[i][at[j]] = (j == 0 ? 1 : factor) * part->output.at[i][j];
    }
    return m;
}

struct oracle_matrices oracle_cut_matrices(enum algo algo, int outputs)
{
    static const double points_4_of_2[] = {0, M_SQRT1_2, -M_SQRT1_2};
    static const double points_6_of_4[] = {0, 1, -1, 2, -2};
    const struct oracle_matrices whole = oracle_matrices(algo);
    const int cut = oracle_cut_outputs(algo, outputs);
    struct oracle_matrices part;
    if (algo == ALGO_WINOGRAD4 && cut == 2) {
        part = cook_toom(points_4_of_2, 2, 3);
        return nest(&whole, &part, (const int[]){0, 1, 2, 5});
    }
    if (algo == ALGO_WINOGRAD6 && cut == 2) {
        part = oracle_matrices(ALGO_WINOGRAD2);
        return nest(&whole, &part, (const int[]){0, 1, 2, 7});
    }
    if (algo == ALGO_WINOGRAD6 && cut == 4) {
        part = cook_toom(points_6_of_4, 4, 3);
        return nest(&whole, &part, (const int[]){0, 1, 2, 3, 4, 7});
    }
    return whole;
}

/** Four sums of two numbers. */
static void winograd2_input(const double *d, const double *b, double *squares)
{
    (void)d;
    for (int i = 0; i < 4; i++)
        squares[i] = square(b[i]);
}

/** The ends are two operations; the rows of +-p are even +- p odd, with a rounded p. */
static void winograd4_input(const double *d, const double *b, double *squares)
{
    squares[0] = square(d[0] + d[4]) + square(b[0]);
    squares[5] = square(d[1] + d[5]) + square(b[5]);
    for (int i = 1; i < 5; i += 2) {
        double even = (b[i] + b[i + 1]) / 2, odd = (b[i] - b[i + 1]) / 2;
        squares[i] = square(even) + 2 * square(odd) + square(b[i]);
        squares[i + 1] = square(even) + 2 * square(odd) + square(b[i + 1]);
    }
}

/**
 * The ends are a difference, times 21/4, another and their sum; the rows of +-1 are even +- odd,
 * each of two operations; those of +-p even +- p odd, each x^4 - sum x^2 + product from the left.
 */
static void winograd6_input(const double *d, const double *b, double *squares)
{
    static const double sums[] = {1.25, 5};
    squares[0] = square(5.25 * (d[2] - d[4])) + square(d[6] - d[0]) + square(b[0]);
    squares[7] = square(5.25 * (d[3] - d[5])) + square(d[7] - d[1]) + square(b[7]);
    for (int i = 1; i < 7; i += 2) {
        double even = (b[i] + b[i + 1]) / 2, odd = (b[i] - b[i + 1]) / 2;
        double first_even = d[2] + d[6], first_odd = d[1] + d[5];
        if (i > 1) {
            first_even = d[6] - sums[i / 2 - 1] * d[4];
            first_odd = (i == 3 ? 2 : 0.5) * (d[5] - sums[i / 2 - 1] * d[3]);
        }
        double shared = square(first_even) + square(even) + square(first_odd) + square(odd);
        squares[i] = shared + square(b[i]);
        squares[i + 1] = shared + square(b[i + 1]);
    }
}

/** Of which +-sqrt(2)/2 is rounded. */
static void winograd4_of_2_input(const double *d, const double *b, double *squares)
{
    for (int i = 0; i < 6; i++)
        squares[i] = square(b[i]);
    squares[1] += square(M_SQRT1_2 * d[1]);
    squares[2] += square(M_SQRT1_2 * d[1]);
}

static void winograd6_of_2_input(const double *d, const double *b, double *squares)
{
    (void)d;
    for (int i = 0; i < 8; i++)
        squares[i] = square(b[i]);
}

/** The ends are two operations; the rows of +-p are even +- p odd, each of one. */
static void winograd6_of_4_input(const double *d, const double *b, double *squares)
{
    squares[0] = square(d[0] + 0.25 * d[4]) + square(b[0]);
    squares[7] = square(d[5] + 4 * d[1]) + square(b[7]);
    for (int i = 1; i < 5; i += 2) {
        double even = (b[i] + b[i + 1]) / 2, odd = (b[i] - b[i + 1]) / 2;
        squares[i] = square(even) + square(odd) + square(b[i]);
        squares[i + 1] = square(even) + square(odd) + square(b[i + 1]);
    }
}

/** Two differences, and copies. */
static void polyphase2_input(const double *d, const double *b, double *squares)
{
    (void)d;
    squares[0] = square(b[0]);
    squares[2] = square(b[2]);
}

/** Five sums, and copies. */
static void strassen_input(const double *d, const double *b, double *squares)
{
    (void)d;
    for (int i = 0; i < 5; i++)
        squares[i] = square(b[i]);
}

oracle_local_fn *oracle_local_input(enum algo algo, int outputs)
{
    const int cut = oracle_cut_outputs(algo, outputs);
    if (algo == ALGO_WINOGRAD4 && cut == 2)
        return winograd4_of_2_input;
    if (algo == ALGO_WINOGRAD6 && cut < 6)
        return cut == 2 ? winograd6_of_2_input : winograd6_of_4_input;
    static oracle_local_fn *const all[ALGO_COUNT] = {[ALGO_WINOGRAD2] = winograd2_input,
                                                     [ALGO_WINOGRAD4] = winograd4_input,
                                                     [ALGO_WINOGRAD6] = winograd6_input,
                                                     [ALGO_POLYPHASE2] = polyphase2_input,
                                                     [ALGO_STRASSEN] = strassen_input};
    return all[algo];
}

static void winograd2_output(const double *m, const double *y, double *squares)
{
    squares[0] = square(y[0] - m[2]) + square(y[0]);
    squares[1] = square(y[1] - m[3]) + square(y[1]);
}

/** Sums or differences of the pairs, times powers of the points, of which the odd are rounded. */
static void winograd4_output(const double *m, const double *y, double *squares)
{
    for (int i = 0; i < 4; i++) {
        double sign = i % 2 == 0 ? 1 : -1;
        double first = pow(M_SQRT1_2, i) * (m[1] + sign * m[2]);
        double second = pow(M_SQRT2, i) * (m[3] + sign * m[4]);
        double roundings = i % 2 == 0 ? 1 : 3;
        squares[i] =
            roundings * (square(first) + square(second)) + square(y[i] - second) + square(y[i]);
    }
}

/** Sums or differences of the pairs, times powers of the points, which are added one by one. */
static void winograd6_output(const double *m, const double *y, double *squares)
{
    for (int i = 0; i < 6; i++) {
        double sign = i % 2 == 0 ? 1 : -1;
        double first = m[1] + sign * m[2], second = pow(2, i) * (m[3] + sign * m[4]);
        double third = pow(0.5, i) * (m[5] + sign * m[6]);
        double end = i == 0 ? m[0] : i == 5 ? m[7] : 0;
        squares[i] = square(first) + square(second) + square(third) + square(y[i]);
        squares[i] += i == 0 ? square(second + third) : square(y[i] - third);
        squares[i] += i == 0 || i == 5 ? square(end + first) : 0;
    }
}

static void winograd4_of_2_output(const double *m, const double *y, double *squares)
{
    squares[0] = square(y[0] - m[0]) + square(y[0]);
    squares[1] = 2 * square(y[1] - m[5]) + square(y[1]);
}

static void winograd6_of_2_output(const double *m, const double *y, double *squares)
{
    squares[0] = square(y[0] - m[0]) + square(y[0]);
    squares[1] = square(y[1] - m[7]) + square(y[1]);
}

/** Both pairs times their factors and powers of the points; the second product is rounded unless an
 * end is added to it. */
static void winograd6_of_4_output(const double *m, const double *y, double *squares)
{
    for (int i = 0; i < 4; i++) {
        double sign = i % 2 == 0 ? 1 : -1;
        double first = 0.75 * (m[1] + sign * m[2]);
        double second = 3.75 * pow(2, i) * (m[3] + sign * m[4]);
        squares[i] = square(first) + square(second) + square(y[i] - first) + square(y[i]);
    }
}

static void polyphase2_output(const double *m, const double *y, double *squares)
{
    squares[0] = square(y[0] - m[3]) + square(y[0]);
    squares[1] = square(y[1] - m[4]) + square(y[1]);
}

static void strassen_output(const double *p, const double *c, double *squares)
{
    squares[0] = square(p[0] + p[6]) + square(c[0] - p[4]) + square(c[0]);
    squares[1] = square(c[1]);
    squares[2] = square(c[2]);
    squares[3] = square(p[0] - p[1]) + square(c[3] - p[3]) + square(c[3]);
}

oracle_local_fn *oracle_local_output(enum algo algo, int outputs)
{
    const int cut = oracle_cut_outputs(algo, outputs);
    if (algo == ALGO_WINOGRAD4 && cut == 2)
        return winograd4_of_2_output;
    if (algo == ALGO_WINOGRAD6 && cut < 6)
        return cut == 2 ? winograd6_of_2_output : winograd6_of_4_output;
    static oracle_local_fn *const all[ALGO_COUNT] = {[ALGO_WINOGRAD2] = winograd2_output,
                                                     [ALGO_WINOGRAD4] = winograd4_output,
                                                     [ALGO_WINOGRAD6] = winograd6_output,
                                                     [ALGO_POLYPHASE2] = polyphase2_output,
                                                     [ALGO_STRASSEN] = strassen_output};
    return all[algo];
}
