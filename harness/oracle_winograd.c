#include "harness/oracle_winograd.h"

#include <math.h>
#include <stdlib.h>

#define SIDE ORACLE_WINOGRAD_SIDE
#define PATCH (SIDE * SIDE)

/** What the magnitudes' own roundings, of |U| to float above all, may take away from them. */
#define SLACK (1 + 0x1p-20)

/** Of a direct sum's bound, the share that covers the reference: gamma_(K + 1) of double. */
#define REFERENCE_SHARE 0x1p-28

/** A matrix with the variances of its elements' errors. */
struct patch {
    double value[PATCH];
    double variance[PATCH];
};

/** The squares of all rounded intermediate results, for a line `in` and its transform `out`. */
typedef void local_fn(const double *in, const double *out, double *squares);

/** One image's tiles on their way; positions are the elements of a tile's matrices. */
struct work {
    const struct oracle_conv *conv;
    struct oracle_winograd_matrices m;
    int tile, columns, tiles, positions;
    bool absolute;           /**< absolute values throughout, instead of variances */
    double *in, *in_error;   /**< [position][cin][tiles] */
    float *filters;          /**< [position][cout][cin] */
    double *sums, *variance; /**< [position][cout][tiles] */
};

static double square(double x)
{
    return x * x;
}

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

struct oracle_winograd_matrices oracle_winograd_matrices(int tile)
{
    static const double points_2[] = {0, 1, -1};
    static const double points_4[] = {0, M_SQRT1_2, -M_SQRT1_2, M_SQRT2, -M_SQRT2};
    const double *points = tile == 2 ? points_2 : points_4;
    int side = tile + 2, finite = side - 1;
    struct oracle_winograd_matrices m = {
        .input = {side, side, {{0}}}, .filter = {side, 3, {{0}}}, .output = {tile, side, {{0}}}};
    for (int j = 0; j < side; j++) {
        double value = 1;
        for (int k = 0; j < finite && k < finite; k++)
            value *= k == j ? 1 : points[j] - points[k];
        multiply_out(points, finite, j, m.input.at[j]);
        for (int i = 0; i < 3; i++)
            m.filter.at[j][i] = j < finite ? pow(points[j], i) / value : i == 2;
        for (int i = 0; i < tile; i++)
            m.output.at[i][j] = j < finite ? pow(points[j], i) : i == tile - 1;
    }
    return m;
}

double oracle_winograd_roundings(int tile, int cin)
{
    return (tile == 2 ? 2 + 4 : 6 + 8) + 2 + cin;
}

double oracle_gamma(double n)
{
    return n * FLOAT_ROUNDOFF / (1 - n * FLOAT_ROUNDOFF);
}

static void make_absolute(struct oracle_matrix *m)
{
    for (int i = 0; i < m->rows; i++) {
        for (int j = 0; j < m->columns; j++)
            m->at[i][j] = fabs(m->at[i][j]);
    }
}

/** Four sums of two numbers. */
static void local_input_2(const double *d, const double *b, double *squares)
{
    (void)d;
    for (int i = 0; i < 4; i++)
        squares[i] = square(b[i]);
}

/** The ends are two operations; the rows of +-p are even +- p odd, with a rounded p. */
static void local_input_4(const double *d, const double *b, double *squares)
{
    squares[0] = square(d[0] + d[4]) + square(b[0]);
    squares[5] = square(d[1] + d[5]) + square(b[5]);
    for (int i = 1; i < 5; i += 2) {
        double even = (b[i] + b[i + 1]) / 2, odd = (b[i] - b[i + 1]) / 2;
        squares[i] = square(even) + 2 * square(odd) + square(b[i]);
        squares[i + 1] = square(even) + 2 * square(odd) + square(b[i + 1]);
    }
}

static void local_output_2(const double *m, const double *y, double *squares)
{
    squares[0] = square(y[0] - m[2]) + square(y[0]);
    squares[1] = square(y[1] - m[3]) + square(y[1]);
}

/** Sums or differences of the pairs, times powers of the points, of which the odd are rounded. */
static void local_output_4(const double *m, const double *y, double *squares)
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

/** A line of `in` that begins at `from` through the matrix, to one of `out`. */
static void transform_line(const struct oracle_matrix *m, local_fn *local, const struct patch *in,
                           int from, int in_step, struct patch *out, int to, int out_step)
{
    double line[SIDE], result[SIDE], squares[SIDE] = {0};
    for (int j = 0; j < m->columns; j++)
        line[j] = in->value[from + j * in_step];
    for (int i = 0; i < m->rows; i++) {
        double variance = 0;
        result[i] = 0;
        for (int j = 0; j < m->columns; j++) {
            result[i] += m->at[i][j] * line[j];
            variance += square(m->at[i][j]) * in->variance[from + j * in_step];
        }
        out->value[to + i * out_step] = result[i];
        out->variance[to + i * out_step] = variance;
    }
    if (local)
        local(line, result, squares);
    for (int i = 0; i < m->rows; i++)
        out->variance[to + i * out_step] += square(FLOAT_ROUNDOFF) * squares[i];
}

/** out = m in m^T, columns first. `local` may be NULL. */
static void transform(const struct oracle_matrix *m, local_fn *local, const struct patch *in,
                      struct patch *out)
{
    struct patch half;
    for (int x = 0; x < m->columns; x++)
        transform_line(m, local, in, x, m->columns, &half, x, m->columns);
    for (int y = 0; y < m->rows; y++)
        transform_line(m, local, &half, y * m->columns, 1, out, y * m->rows, 1);
}

/** The inputs of a tile, with the zeros around the image. */
static void cut_patch(const struct work *w, const double *plane, int tile, struct patch *patch)
{
    int side = w->tile + 2, top = tile / w->columns * w->tile - 1;
    int left = tile % w->columns * w->tile - 1;
    for (int i = 0; i < side * side; i++) {
        int y = top + i / side, x = left + i % side;
        bool inside = y >= 0 && y < w->conv->height && x >= 0 && x < w->conv->width;
        double value = inside ? plane[y * w->conv->width + x] : 0;
        patch->value[i] = w->absolute ? fabs(value) : value;
        patch->variance[i] = 0;
    }
}

static void transform_inputs(struct work *w, const double *in)
{
    local_fn *local = w->absolute ? NULL : w->tile == 2 ? local_input_2 : local_input_4;
    size_t plane = (size_t)w->conv->height * (size_t)w->conv->width;
    size_t position = (size_t)w->conv->cin * (size_t)w->tiles;
    struct patch patch, done;
    for (int i = 0; i < w->conv->cin * w->tiles; i++) {
        cut_patch(w, in + (size_t)(i / w->tiles) * plane, i % w->tiles, &patch);
        transform(&w->m.input, local, &patch, &done);
        for (int p = 0; p < w->positions; p++) {
            w->in[(size_t)p * position + (size_t)i] = done.value[p];
            w->in_error[(size_t)p * position + (size_t)i] = done.variance[p];
        }
    }
}

static void transform_filters(struct work *w)
{
    size_t count = (size_t)w->conv->cout * (size_t)w->conv->cin;
    struct patch filter = {{0}, {0}}, done;
    for (size_t i = 0; i < count; i++) {
        for (int t = 0; t < 9; t++)
            filter.value[t] = (double)w->conv->weights[i * 9 + (size_t)t];
        transform(&w->m.filter, NULL, &filter, &done);
        for (int p = 0; p < w->positions; p++)
            w->filters[(size_t)p * count + i] =
                (float)(w->absolute ? fabs(done.value[p]) : done.value[p]);
    }
}

/** At each position a 1x1 convolution whose pixels are the tiles. */
static bool multiply(struct work *w, struct error *e)
{
    size_t cin = (size_t)w->conv->cin, cout = (size_t)w->conv->cout, tiles = (size_t)w->tiles;
    struct oracle_conv product = {.cin = w->conv->cin,
                                  .height = 1,
                                  .width = w->tiles,
                                  .cout = w->conv->cout,
                                  .kernel = 1,
                                  .stride = 1,
                                  .threads = w->conv->threads};
    for (size_t p = 0; p < (size_t)w->positions; p++) {
        product.weights = w->filters + p * cout * cin;
        if (!oracle_conv_variance(&product, w->in + p * cin * tiles, w->in_error + p * cin * tiles,
                                  w->sums + p * cout * tiles, w->variance + p * cout * tiles, e))
            return false;
    }
    return true;
}

/** Writes the pixels of a tile that are in the output, [height][width]. */
static void store_tile(const struct work *w, const struct patch *done, int tile, double *value,
                       double *variance)
{
    int top = tile / w->columns * w->tile, left = tile % w->columns * w->tile;
    for (int i = 0; i < w->tile * w->tile; i++) {
        int y = top + i / w->tile, x = left + i % w->tile;
        if (y >= w->conv->height || x >= w->conv->width)
            continue;
        value[y * w->conv->width + x] = done->value[i];
        variance[y * w->conv->width + x] = done->variance[i];
    }
}

static void transform_outputs(const struct work *w, double *value, double *variance)
{
    local_fn *local = w->absolute ? NULL : w->tile == 2 ? local_output_2 : local_output_4;
    size_t plane = (size_t)w->conv->height * (size_t)w->conv->width;
    size_t position = (size_t)w->conv->cout * (size_t)w->tiles;
    struct patch patch, done;
    for (int i = 0; i < w->conv->cout * w->tiles; i++) {
        size_t first = (size_t)(i / w->tiles) * plane;
        for (int p = 0; p < w->positions; p++) {
            patch.value[p] = w->sums[(size_t)p * position + (size_t)i];
            patch.variance[p] = w->variance[(size_t)p * position + (size_t)i];
        }
        transform(&w->m.output, local, &patch, &done);
        store_tile(w, &done, i % w->tiles, value + first, variance + first);
    }
}

static bool work_make(struct work *w, struct error *e)
{
    const struct oracle_conv *conv = w->conv;
    size_t inputs = (size_t)w->positions * (size_t)conv->cin * (size_t)w->tiles;
    size_t filters = (size_t)w->positions * (size_t)conv->cout * (size_t)conv->cin;
    size_t sums = (size_t)w->positions * (size_t)conv->cout * (size_t)w->tiles;
    w->in = malloc(inputs * sizeof *w->in);
    w->in_error = malloc(inputs * sizeof *w->in_error);
    w->filters = malloc(filters * sizeof *w->filters);
    w->sums = malloc(sums * sizeof *w->sums);
    w->variance = malloc(sums * sizeof *w->variance);
    return (w->in && w->in_error && w->filters && w->sums && w->variance) ||
           error_set(e, "no memory for the oracle's Winograd tiles");
}

static void work_free(struct work *w)
{
    free(w->in);
    free(w->in_error);
    free(w->filters);
    free(w->sums);
    free(w->variance);
}

/**
 * By Winograd in double, without a bias: the output and the variance of what a float computation
 * adds to its error; or, when `absolute`, |A^T| (sum of |U| . |B^T| |d| |B|) |A| as the output.
 */
static bool by_tiles(const struct oracle_conv *conv, int tile, bool absolute, const double *in,
                     double *value, double *variance, struct error *e)
{
    int rows = (conv->height + tile - 1) / tile, columns = (conv->width + tile - 1) / tile;
    struct work w = {.conv = conv,
                     .m = oracle_winograd_matrices(tile),
                     .tile = tile,
                     .columns = columns,
                     .tiles = rows * columns,
                     .positions = (tile + 2) * (tile + 2),
                     .absolute = absolute};
    if (absolute) {
        make_absolute(&w.m.input);
        make_absolute(&w.m.output);
    }
    bool ok = work_make(&w, e);
    if (ok) {
        transform_inputs(&w, in);
        transform_filters(&w);
        ok = multiply(&w, e);
    }
    if (ok)
        transform_outputs(&w, value, variance);
    work_free(&w);
    return ok;
}

bool oracle_winograd(const struct oracle_conv *conv, int tile, const float *in, double *out,
                     double *bound, struct error *e)
{
    size_t plane = (size_t)conv->height * (size_t)conv->width;
    size_t inputs = (size_t)conv->cin * plane, outputs = (size_t)conv->cout * plane;
    double gamma = oracle_gamma(oracle_winograd_roundings(tile, conv->cin));
    double *exact = malloc(inputs * sizeof *exact), *size = malloc(outputs * sizeof *size);
    double *unused = malloc(outputs * sizeof *unused);
    bool ok = (exact && size && unused) ||
              error_set(e, "no memory for a convolution of %zu inputs", inputs);
    for (size_t i = 0; ok && i < inputs; i++)
        exact[i] = (double)in[i];
    ok = ok && oracle_conv(conv, in, out, bound, e) &&
         by_tiles(conv, tile, true, exact, size, unused, e);
    for (size_t i = 0; ok && i < outputs; i++) {
        double bias = conv->bias ? fabs((double)conv->bias[i / plane]) : 0;
        bound[i] = gamma * (SLACK * size[i] + bias) + REFERENCE_SHARE * bound[i];
    }
    free(exact);
    free(size);
    free(unused);
    return ok;
}

/** The inputs' variances through the exact convolution; squares of weights may be rounded. */
static bool propagate(const struct oracle_conv *conv, const double *in_variance, double *variance,
                      double *unused, struct error *e)
{
    size_t count = (size_t)conv->cout * (size_t)conv->cin * 9;
    float *squares = malloc(count * sizeof *squares);
    if (!squares)
        return error_set(e, "no memory for %zu weights", count);
    for (size_t i = 0; i < count; i++)
        squares[i] = (float)square((double)conv->weights[i]);
    struct oracle_conv squared = *conv;
    squared.weights = squares;
    squared.bias = NULL;
    bool ok = oracle_conv_variance(&squared, in_variance, NULL, variance, unused, e);
    free(squares);
    return ok;
}

bool oracle_winograd_variance(const struct oracle_conv *conv, int tile, const double *in,
                              const double *in_variance, double *out, double *variance,
                              struct error *e)
{
    if (tile == 0)
        return oracle_conv_variance(conv, in, in_variance, out, variance, e);
    size_t outputs = (size_t)conv->cout * (size_t)conv->height * (size_t)conv->width;
    double *local = malloc(outputs * sizeof *local), *unused = malloc(outputs * sizeof *unused);
    bool ok =
        (local && unused) || error_set(e, "no memory for a convolution of %zu outputs", outputs);
    ok = ok && oracle_conv_variance(conv, in, NULL, out, unused, e) &&
         by_tiles(conv, tile, false, in, unused, local, e) &&
         propagate(conv, in_variance, variance, unused, e);
    for (size_t i = 0; ok && i < outputs; i++)
        variance[i] += local[i] + square(FLOAT_ROUNDOFF * out[i]);
    free(local);
    free(unused);
    return ok;
}
