/**
 * What single precision makes of a 3x3 convolution by Winograd's F(m x m, 3x3): the same two bounds
 * that oracle_conv.h has for the direct sum. Values are those of the direct sum in double. The
 * matrices are built here from the points; nothing is shared with the kernels.
 *
 * Of a tile, d_c are the (m + 2)^2 inputs and g_c the filter of input channel c:
 *
 *     V_c = B^T d_c B,  U_c = G g_c G^T,  M = sum of U_c . V_c,  Y = A^T M A + bias
 *
 * (Lavin and Gray, arXiv:1509.09308, eq. 8). What is modelled: transforms in the order of
 * operations that design.md fixes for the points 0, 1, -1, inf (m = 2) and 0, +-sqrt(2)/2,
 * +-sqrt(2), inf (m = 4); filters transformed in double and rounded once; M one chain of fused
 * multiply-adds over the channels from zero; the bias added last.
 */
#ifndef RESMARK_HARNESS_ORACLE_WINOGRAD_H
#define RESMARK_HARNESS_ORACLE_WINOGRAD_H

#include "harness/oracle_conv.h"

#define ORACLE_WINOGRAD_SIDE 6

struct oracle_matrix {
    int rows, columns;
    double at[ORACLE_WINOGRAD_SIDE][ORACLE_WINOGRAD_SIDE];
};

struct oracle_winograd_matrices {
    struct oracle_matrix input;  /**< B^T */
    struct oracle_matrix filter; /**< G */
    struct oracle_matrix output; /**< A^T */
};

/**
 * Cook and Toom's matrices for tile m = 2 or 4 (Barabasz et al., arXiv:1803.10986, section 2): for
 * a point p, the rows of B^T are the coefficients of the product of x - q over the other points q,
 * those of G (1, p, p^2) over that product's value at p, the columns of A^T (1, p, ..., p^(m-1)).
 */
struct oracle_winograd_matrices oracle_winograd_matrices(int tile);

/**
 * Roundings that a term of an output goes through at most: n = t_V + 1 + cin + t_Y + 1 of the input
 * transform, the filter, the chain, the output transform and the bias. Counted in the sequences of
 * operations, with the rounding of each irrational constant, for both dimensions: t_V = 2, t_Y = 4
 * for m = 2 (in the longest row 1 and 2), t_V = 6, t_Y = 8 for m = 4 (3 and 4).
 */
double oracle_winograd_roundings(int tile, int cin);

/** gamma_n = n u / (1 - n u), u = FLOAT_ROUNDOFF. */
double oracle_gamma(double n);

/**
 * The convolution (kernel 3, stride 1, pad 1) of a float input, and the rigorous bound
 *
 *     gamma_n (|A^T| (sum of |U_c| . |B^T| |d_c| |B|) |A| + |bias|).
 *
 * Derivation: written out, Y is a sum of terms A B B A d U and the bias. Every operation gives its
 * exact result times 1 + delta, |delta| <= u, so in the computed Y each term carries a product of
 * at most n such factors, which differs from 1 by gamma_n at most (Higham, Accuracy and Stability
 * of Numerical Algorithms, 2nd ed., lemma 3.1). No stage's cancellation helps: that is where the
 * transforms' amplification is. It holds always but for underflow; the errors of the double
 * computations are included. False with `e` set when there is no memory or no thread.
 */
bool oracle_winograd(const struct oracle_conv *conv, int tile, const float *in, double *out,
                     double *bound, struct error *e);

/**
 * The model for oracle_run(): a variance as oracle_conv_variance() gives it. An operation with the
 * result r errs by a random u r, unrelated to the others (Higham and Mary 2019, SIAM J. Sci.
 * Comput. 41(5)); a linear stage with matrix T turns variances s^2 into the sum of T^2 s^2. So
 *
 *     variance(V) = both passes' sums of (B^T)^2 s^2, plus u^2 r^2 of each operation
 *     variance(M) = sum of U^2 (variance(V) + (u V)^2) + u^2 sum of S_i^2
 *     variance(Y) = as for V, with A^T, plus (u Y)^2 of the bias
 *
 * S_i being M's partial sums. The inputs' own errors go through the exact convolution: sum of
 * w^2 in_variance. Outputs of a tile share errors, which counts as unrelated, as all else does.
 * Tile 0 is direct: oracle_conv_variance().
 */
bool oracle_winograd_variance(const struct oracle_conv *conv, int tile, const double *in,
                              const double *in_variance, double *out, double *variance,
                              struct error *e);

#endif
