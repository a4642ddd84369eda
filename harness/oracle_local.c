#include "harness/oracle_matrices.h"
#include "harness/square.h"

#include <math.h>

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

/**
 * Sums e of two neighbours go into all rows but one; the rows of 0, -1/2 and the last are two more
 * operations, those of +-p even +- p odd, each of one.
 */
static void polyphase4_input(const double *d, const double *b, double *squares)
{
    double e[6], error[6];
    for (int i = 0; i < 6; i++) {
        e[i] = d[i + 1] + 0.5 * d[i];
        error[i] = square(e[i]);
    }
    squares[0] = 16 * error[0] + 25 * error[2] + error[4] + square(e[4] - 5 * e[2]) + square(b[0]);
    for (int i = 1; i < 5; i += 2) {
        double even = (b[i] + b[i + 1]) / 2, odd = (b[i] - b[i + 1]) / 2;
        double shared = square(even) + square(odd);
        shared += i == 1 ? 16 * (error[1] + error[2]) + error[3] + error[4]
                         : 4 * (error[1] + error[3]) + error[2] + error[4];
        squares[i] = shared + square(b[i]);
        squares[i + 1] = shared + square(b[i + 1]);
    }
    squares[5] = square(d[5] - 5 * d[3]) + square(b[5]);
    squares[6] = 16 * error[1] + 25 * error[3] + error[5] + square(e[5] - 5 * e[3]) + square(b[6]);
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
    static oracle_local_fn *const all[ALGO_COUNT] = {
        [ALGO_WINOGRAD2] = winograd2_input,   [ALGO_WINOGRAD4] = winograd4_input,
        [ALGO_WINOGRAD6] = winograd6_input,   [ALGO_POLYPHASE2] = polyphase2_input,
        [ALGO_POLYPHASE4] = polyphase4_input, [ALGO_STRASSEN] = strassen_input};
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

/** Sums or differences of the pairs, times powers of the points, which are added one by one. */
static void polyphase4_output(const double *m, const double *y, double *squares)
{
    for (int i = 0; i < 4; i++) {
        double sign = i % 2 == 0 ? 1 : -1;
        double first = m[1] + sign * m[2], second = pow(2, i) * (m[3] + sign * m[4]);
        double third = pow(-0.5, i) * m[5], end = i == 0 ? m[0] : i == 3 ? m[6] : 0;
        squares[i] = square(first) + square(second) + square(y[i]);
        squares[i] += i == 0 ? square(second + third) : square(y[i] - third);
        squares[i] += i == 0 || i == 3 ? square(end + first) : 0;
    }
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
    static oracle_local_fn *const all[ALGO_COUNT] = {
        [ALGO_WINOGRAD2] = winograd2_output,   [ALGO_WINOGRAD4] = winograd4_output,
        [ALGO_WINOGRAD6] = winograd6_output,   [ALGO_POLYPHASE2] = polyphase2_output,
        [ALGO_POLYPHASE4] = polyphase4_output, [ALGO_STRASSEN] = strassen_output};
    return all[algo];
}
