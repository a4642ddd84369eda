#include "harness/oracle_bilinear.h"
#include "harness/oracle_tiles.h"
#include "harness/square.h"

#include <math.h>
#include <stdlib.h>

/** What the magnitudes' own roundings, of |U| to float above all, may take away from them. */
#define SLACK (1 + 0x1p-20)

/** Of a direct sum's bound, the share that covers the reference: gamma_(K + 1) of double. */
#define REFERENCE_SHARE 0x1p-28

double oracle_bilinear_roundings(enum algo algo, int cin)
{
    static const int transforms[ALGO_COUNT] = {
        [ALGO_WINOGRAD2] = 2 + 4,  [ALGO_WINOGRAD4] = 6 + 8,  [ALGO_WINOGRAD6] = 6 + 8,
        [ALGO_POLYPHASE2] = 2 + 4, [ALGO_POLYPHASE4] = 6 + 8, [ALGO_STRASSEN] = 1 + 3};
    const double terms = algo == ALGO_STRASSEN     ? cin / 2
                         : algo == ALGO_POLYPHASE4 ? ORACLE_PHASES * cin
                                                   : cin;
    return transforms[algo] + 2 + terms;
}

double oracle_gamma(double n)
{
    return n * FLOAT_ROUNDOFF / (1 - n * FLOAT_ROUNDOFF);
}

static size_t output_pixels(const struct oracle_conv *conv)
{
    return (size_t)oracle_conv_out(conv, conv->height) * (size_t)oracle_conv_out(conv, conv->width);
}

bool oracle_bilinear(const struct oracle_conv *conv, enum algo algo, const float *in, double *out,
                     double *bound, struct error *e)
{
    size_t plane = output_pixels(conv), outputs = (size_t)conv->cout * plane;
    size_t inputs = (size_t)conv->cin * (size_t)conv->height * (size_t)conv->width;
    double gamma = oracle_gamma(oracle_bilinear_roundings(algo, conv->cin));
    double *exact = malloc(inputs * sizeof *exact), *size = malloc(outputs * sizeof *size);
    double *unused = malloc(outputs * sizeof *unused);
    bool ok = (exact && size && unused) ||
              error_set(e, "no memory for a convolution of %zu inputs", inputs);
    for (size_t i = 0; ok && i < inputs; i++)
        exact[i] = (double)in[i];
    ok = ok && oracle_conv(conv, in, out, bound, e) &&
         oracle_tiles(conv, algo, true, exact, size, unused, e);
    for (size_t i = 0; ok && i < outputs; i++) {
        double fold = oracle_fold(conv, (int)(i / plane));
        double bias = conv->bias ? fabs(fold * (double)conv->bias[i / plane]) : 0;
        out[i] *= fold;
        bound[i] = gamma * (SLACK * size[i] + bias) + REFERENCE_SHARE * fabs(fold) * bound[i];
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
    size_t count = (size_t)conv->cout * (size_t)conv->cin * (size_t)(conv->kernel * conv->kernel);
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

bool oracle_bilinear_variance(const struct oracle_conv *conv, enum algo algo, const double *in,
                              const double *in_variance, double *out, double *variance,
                              struct error *e)
{
    if (algo == ALGO_DIRECT)
        return oracle_conv_variance(conv, in, in_variance, out, variance, e);
    size_t plane = output_pixels(conv), outputs = (size_t)conv->cout * plane;
    double *local = malloc(outputs * sizeof *local), *unused = malloc(outputs * sizeof *unused);
    bool ok =
        (local && unused) || error_set(e, "no memory for a convolution of %zu outputs", outputs);
    ok = ok && oracle_conv_variance(conv, in, NULL, out, unused, e) &&
         oracle_tiles(conv, algo, false, in, unused, local, e) &&
         propagate(conv, in_variance, variance, unused, e);
    for (size_t i = 0; ok && i < outputs; i++) {
        double fold = oracle_fold(conv, (int)(i / plane));
        out[i] *= fold;
        variance[i] = square(fold) * variance[i] + local[i] + square(FLOAT_ROUNDOFF * out[i]);
    }
    free(local);
    free(unused);
    return ok;
}
