#include "harness/oracle_matrices.h"

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

#define STEM_TAPS 4
static const double points_stem[] = {0, 1, -1, 2, -2, -0.5};
#define STEM_LAST 5 /* the number of the last */

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
    case ALGO_POLYPHASE4:
        return cook_toom(points_stem, 4, STEM_TAPS);
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

/**
 * All rows but the last point's see the input through d times x - that point: each element on two
 * paths, of which some cancel in part.
 */
static void add_stem_paths(struct oracle_matrix *input)
{
    const struct oracle_matrices others = cook_toom(points_stem, 3, STEM_TAPS);
    for (int j = 0; j <= STEM_LAST; j++) {
        double *row = input->at[j < STEM_LAST ? j : j + 1];
        for (int i = 0; i <= STEM_LAST + 1; i++) {
            double own = i <= STEM_LAST ? fabs(others.input.at[j][i]) : 0;
            double before = i > 0 ? fabs(others.input.at[j][i - 1]) : 0;
            row[i] = fabs(points_stem[STEM_LAST]) * own + before;
        }
    }
}

void oracle_make_absolute(enum algo algo, struct oracle_matrices *m)
{
    for (int i = 0; i < ORACLE_SIDE; i++) {
        for (int j = 0; j < ORACLE_SIDE; j++) {
            m->input.at[i][j] = fabs(m->input.at[i][j]);
            m->output.at[i][j] = fabs(m->output.at[i][j]);
        }
    }
    if (algo == ALGO_POLYPHASE4)
        add_stem_paths(&m->input);
}
