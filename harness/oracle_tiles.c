#include "harness/oracle_tiles.h"
#include "harness/oracle_matrices.h"
#include "harness/square.h"

#include <math.h>
#include <stdlib.h>

#define SIDE ORACLE_SIDE
#define PATCH (SIDE * SIDE)

/** A matrix with the variances of its elements' errors. */
struct patch {
    double value[PATCH];
    double variance[PATCH];
};

/** What a tile of so many outputs in a direction goes through there. */
struct line {
    int outputs;
    struct oracle_matrices m;
};

/** One image's tiles on their way; positions are the products of a tile. */
struct work {
    const struct oracle_conv *conv;
    enum algo algo;
    struct line whole;
    struct line last[2]; /**< the last row of tiles, and the last column */
    int height, width;   /**< of the output */
    int columns, tiles, positions;
    int cin, cout;           /**< of a product */
    bool absolute;           /**< absolute values throughout, instead of variances */
    double *in, *in_error;   /**< [position][cin][tiles] */
    float *filters;          /**< [position][cout][cin] */
    double *sums, *variance; /**< [position][cout][tiles] */
};

/** A line of `in` that begins at `from` through the matrix, to one of `out`. */
static void transform_line(const struct oracle_matrix *m, oracle_local_fn *local,
                           const struct patch *in, int from, int in_step, struct patch *out, int to,
                           int out_step)
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

/** A matrix, and the roundings of its kernel, or NULL. */
struct side {
    const struct oracle_matrix *m;
    oracle_local_fn *local;
};

/** out = rows in columns^T, columns first, or for Strassen rows in; both are of one size. */
static void transform(const struct work *w, struct side rows, struct side columns,
                      const struct patch *in, struct patch *out)
{
    const struct oracle_matrix *m = rows.m;
    struct patch half;
    if (w->algo == ALGO_STRASSEN) {
        transform_line(m, rows.local, in, 0, 1, out, 0, 1);
        return;
    }
    for (int x = 0; x < m->columns; x++)
        transform_line(m, rows.local, in, x, m->columns, &half, x, m->columns);
    for (int y = 0; y < m->rows; y++)
        transform_line(columns.m, columns.local, &half, y * m->columns, 1, out, y * m->rows, 1);
}

/** Whether a tile is in the last row (direction 0) or column (1). */
static bool is_last(const struct work *w, int tile, int direction)
{
    return direction == 0 ? tile / w->columns == (w->tiles - 1) / w->columns
                          : tile % w->columns == w->columns - 1;
}

static const struct line *line_of(const struct work *w, int tile, int direction)
{
    return is_last(w, tile, direction) ? &w->last[direction] : &w->whole;
}

static struct side input_side(const struct work *w, int tile, int direction)
{
    const struct line *l = line_of(w, tile, direction);
    return (struct side){&l->m.input, w->absolute ? NULL : oracle_local_input(w->algo, l->outputs)};
}

static struct side output_side(const struct work *w, int tile, int direction)
{
    const struct line *l = line_of(w, tile, direction);
    return (struct side){&l->m.output,
                         w->absolute ? NULL : oracle_local_output(w->algo, l->outputs)};
}

/** From a pixel or tap of a phase to the next; an algorithm without phases has but the first. */
static int phase_step(const struct work *w)
{
    return w->algo == ALGO_POLYPHASE4 ? 2 : 1;
}

/** The inputs of a square tile in channel c, with the zeros around the image and behind a phase's
 * last pixel. */
static void cut_square(const struct work *w, const double *in, int c, int tile, double *patch)
{
    const struct oracle_conv *conv = w->conv;
    const int phase = c / conv->cin, apart = phase_step(w), side = w->whole.m.input.columns;
    const int pixels = apart * (side - 1) + 1, step = w->whole.m.output.rows * conv->stride;
    const double *plane = in + (size_t)(c % conv->cin) * (size_t)conv->height * (size_t)conv->width;
    int top = tile / w->columns * step - conv->pad, left = tile % w->columns * step - conv->pad;
    for (int i = 0; i < side * side; i++) {
        int row = apart * (i / side) + phase / 2, column = apart * (i % side) + phase % 2;
        int y = top + row, x = left + column;
        bool inside = row < pixels && column < pixels && y >= 0 && y < conv->height && x >= 0 &&
                      x < conv->width;
        patch[i] = inside ? plane[y * conv->width + x] : 0;
    }
}

/** Strassen's pair of output pixels; one without a partner is its own. */
static void pair_of(const struct work *w, int tile, int pixels[2])
{
    pixels[0] = tile;
    pixels[1] = tile + w->tiles < w->height * w->width ? tile + w->tiles : tile;
}

/** A11, A12, A21, A22 of a pair of pixels, channel c and its partner. */
static void cut_pair(const struct work *w, const double *in, int c, int tile, double *patch)
{
    const struct oracle_conv *conv = w->conv;
    int pixels[2];
    pair_of(w, tile, pixels);
    for (int i = 0; i < 4; i++) {
        int y = pixels[i / 2] / w->width * conv->stride,
            x = pixels[i / 2] % w->width * conv->stride;
        size_t plane = (size_t)(c + i % 2 * w->cin) * (size_t)conv->height * (size_t)conv->width;
        patch[i] = in[plane + (size_t)(y * conv->width + x)];
    }
}

static void transform_inputs(struct work *w, const double *in)
{
    size_t position = (size_t)w->cin * (size_t)w->tiles;
    struct patch patch = {{0}, {0}}, done;
    for (int i = 0; i < w->cin * w->tiles; i++) {
        (w->algo == ALGO_STRASSEN ? cut_pair : cut_square)(w, in, i / w->tiles, i % w->tiles,
                                                           patch.value);
        for (int k = 0; w->absolute && k < PATCH; k++)
            patch.value[k] = fabs(patch.value[k]);
        transform(w, input_side(w, i % w->tiles, 0), input_side(w, i % w->tiles, 1), &patch, &done);
        for (int p = 0; p < w->positions; p++) {
            w->in[(size_t)p * position + (size_t)i] = done.value[p];
            w->in_error[(size_t)p * position + (size_t)i] = done.variance[p];
        }
    }
}

/** The weights of a filter, or of one phase of it, with zeros behind those of the shorter ones. */
static void cut_taps(const struct work *w, int o, int c, double *filter)
{
    const int side = w->conv->kernel, taps = w->whole.m.filter.columns, apart = phase_step(w);
    const int phase = c / w->conv->cin, channel = c % w->conv->cin;
    const float *weights =
        w->conv->weights + (size_t)(o * w->conv->cin + channel) * (size_t)(side * side);
    for (int t = 0; t < taps * taps; t++) {
        int y = apart * (t / taps) + phase / 2, x = apart * (t % taps) + phase % 2;
        filter[t] =
            y < side && x < side ? oracle_fold(w->conv, o) * (double)weights[y * side + x] : 0;
    }
}

/** B11, B12, B21, B22 of a pair of output and a pair of input channels. */
static void cut_quarters(const struct work *w, int o, int c, double *filter)
{
    for (int i = 0; i < 4; i++) {
        int output = o + i % 2 * w->cout, input = c + i / 2 * w->cin;
        size_t at = (size_t)output * (size_t)w->conv->cin + (size_t)input;
        filter[i] = oracle_fold(w->conv, output) * (double)w->conv->weights[at];
    }
}

static void transform_filters(struct work *w)
{
    size_t count = (size_t)w->cout * (size_t)w->cin;
    const struct side g = {&w->whole.m.filter, NULL};
    struct patch filter = {{0}, {0}}, done;
    for (int i = 0; i < w->cout * w->cin; i++) {
        (w->algo == ALGO_STRASSEN ? cut_quarters : cut_taps)(w, i / w->cin, i % w->cin,
                                                             filter.value);
        transform(w, g, g, &filter, &done);
        for (int p = 0; p < w->positions; p++)
            w->filters[(size_t)p * count + (size_t)i] =
                (float)(w->absolute ? fabs(done.value[p]) : done.value[p]);
    }
}

/** At each position a 1x1 convolution whose pixels are the tiles. */
static bool multiply(struct work *w, struct error *e)
{
    size_t cin = (size_t)w->cin, cout = (size_t)w->cout, tiles = (size_t)w->tiles;
    struct oracle_conv product = {.cin = w->cin,
                                  .height = 1,
                                  .width = w->tiles,
                                  .cout = w->cout,
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

/** Writes the pixels of a tile of channel o that are in the output, [cout][height][width]. */
static void store_square(const struct work *w, const struct patch *done, int o, int tile,
                         double *value, double *variance)
{
    int side = w->whole.m.output.rows, top = tile / w->columns * side,
        left = tile % w->columns * side;
    size_t plane = (size_t)o * (size_t)w->height * (size_t)w->width;
    for (int i = 0; i < side * side; i++) {
        int y = top + i / side, x = left + i % side;
        size_t at = plane + (size_t)(y * w->width + x);
        if (y >= w->height || x >= w->width)
            continue;
        value[at] = done->value[i];
        variance[at] = done->variance[i];
    }
}

/** C11, C12, C21, C22; the last two of a pixel that is its own partner are none. */
static void store_pair(const struct work *w, const struct patch *done, int o, int tile,
                       double *value, double *variance)
{
    int pixels[2];
    pair_of(w, tile, pixels);
    for (int i = 0; i < (pixels[1] == pixels[0] ? 2 : 4); i++) {
        size_t plane = (size_t)(o + i % 2 * w->cout) * (size_t)w->height * (size_t)w->width;
        value[plane + (size_t)pixels[i / 2]] = done->value[i];
        variance[plane + (size_t)pixels[i / 2]] = done->variance[i];
    }
}

static void transform_outputs(const struct work *w, double *value, double *variance)
{
    size_t position = (size_t)w->cout * (size_t)w->tiles;
    struct patch patch, done;
    for (int i = 0; i < w->cout * w->tiles; i++) {
        for (int p = 0; p < w->positions; p++) {
            patch.value[p] = w->sums[(size_t)p * position + (size_t)i];
            patch.variance[p] = w->variance[(size_t)p * position + (size_t)i];
        }
        transform(w, output_side(w, i % w->tiles, 0), output_side(w, i % w->tiles, 1), &patch,
                  &done);
        (w->algo == ALGO_STRASSEN ? store_pair : store_square)(w, &done, i / w->tiles, i % w->tiles,
                                                               value, variance);
    }
}

static bool work_make(struct work *w, struct error *e)
{
    size_t inputs = (size_t)w->positions * (size_t)w->cin * (size_t)w->tiles;
    size_t filters = (size_t)w->positions * (size_t)w->cout * (size_t)w->cin;
    size_t sums = (size_t)w->positions * (size_t)w->cout * (size_t)w->tiles;
    w->in = malloc(inputs * sizeof *w->in);
    w->in_error = malloc(inputs * sizeof *w->in_error);
    w->filters = malloc(filters * sizeof *w->filters);
    w->sums = malloc(sums * sizeof *w->sums);
    w->variance = malloc(sums * sizeof *w->variance);
    return (w->in && w->in_error && w->filters && w->sums && w->variance) ||
           error_set(e, "no memory for the tiles of the oracle's bilinear algorithms");
}

static void work_free(struct work *w)
{
    free(w->in);
    free(w->in_error);
    free(w->filters);
    free(w->sums);
    free(w->variance);
}

static struct line line_make(enum algo algo, int outputs, bool absolute)
{
    struct line l = {outputs, oracle_cut_matrices(algo, outputs)};
    if (absolute)
        oracle_make_absolute(algo, &l.m);
    return l;
}

static struct work describe(const struct oracle_conv *conv, enum algo algo, bool absolute)
{
    struct work w = {.conv = conv,
                     .algo = algo,
                     .height = oracle_conv_out(conv, conv->height),
                     .width = oracle_conv_out(conv, conv->width),
                     .cin = conv->cin,
                     .cout = conv->cout,
                     .absolute = absolute};
    const int side = oracle_matrices(algo).output.rows;
    w.whole = line_make(algo, side, absolute);
    w.last[0] = line_make(algo, (w.height - 1) % side + 1, absolute);
    w.last[1] = line_make(algo, (w.width - 1) % side + 1, absolute);
    w.columns = (w.width + side - 1) / side;
    w.tiles = (w.height + side - 1) / side * w.columns;
    w.positions = w.whole.m.input.rows * w.whole.m.input.rows;
    if (algo == ALGO_STRASSEN) {
        w.cin /= 2;
        w.cout /= 2;
        w.tiles = (w.height * w.width + 1) / 2;
        w.positions = w.whole.m.input.rows;
    } else if (algo == ALGO_POLYPHASE4) {
        w.cin *= ORACLE_PHASES;
    }
    return w;
}

bool oracle_tiles(const struct oracle_conv *conv, enum algo algo, bool absolute, const double *in,
                  double *value, double *variance, struct error *e)
{
    struct work w = describe(conv, algo, absolute);
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
