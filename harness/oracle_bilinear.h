/**
 * What single precision makes of a convolution by a bilinear algorithm: the same two bounds that
 * oracle_conv.h has for the direct sum. Values are those of the direct sum in double.
 *
 * Of a tile, d_c are the inputs and g_c the filter of input channel c (for Strassen, of a channel
 * in each half); as oracle_matrices.h says,
 *
 *     V_c = B^T d_c B,  U_c = G g_c G^T,  M = sum of U_c . V_c,  Y = A^T M A + bias
 *
 * (Lavin and Gray, arXiv:1509.09308, eq. 8). What is modelled: transforms in the kernels' order of
 * operations; filters transformed in double and rounded once; M one chain of fused multiply-adds
 * over the channels from zero; the bias added last.
 */
#ifndef RESMARK_HARNESS_ORACLE_BILINEAR_H
#define RESMARK_HARNESS_ORACLE_BILINEAR_H

#include "harness/oracle_conv.h"
#include "harness/oracle_matrices.h"

/**
 * Roundings that a term of an output goes through at most: n = t_V + 1 + K + t_Y + 1 of the input
 * transform, the filter, the chain of K channels, the output transform and the bias. Counted in the
 * sequences of operations, with the rounding of each irrational constant, for both dimensions:
 * t_V = 2, t_Y = 4 for winograd2 and polyphase2 (in the longest row 1 and 2), t_V = 6, t_Y = 8 for
 * winograd4, winograd6 and polyphase4 (3 and 4; no more in cut tiles), t_V = 1, t_Y = 3 for
 * Strassen. K is cin, for Strassen cin / 2, for polyphase4 4 cin.
 */
double oracle_bilinear_roundings(enum algo algo, int cin);

/** gamma_n = n u / (1 - n u), u = FLOAT_ROUNDOFF. */
double oracle_gamma(double n);

/**
 * A convolution may have a factor for each output channel, `fold`: both functions below give the
 * results and errors of what an engine computes that has multiplied the weights by it in double,
 * before they were transformed. Strassen's algorithm mixes output channels, so that folding
 * afterwards would miss the errors of a small one's large partner.
 *
 * The convolution of a float input by an algorithm that serves it, and the rigorous bound
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
bool oracle_bilinear(const struct oracle_conv *conv, enum algo algo, const float *in, double *out,
                     double *bound, struct error *e);

/**
 * The model for oracle_run(): a variance as oracle_conv_variance() gives it. An operation with the
 * result r errs by a random u r, unrelated to the others (Higham and Mary 2019, SIAM J. Sci.
 * Comput. 41(5)); a linear stage with matrix T turns variances s^2 into the sum of T^2 s^2. So
 *
 *     variance(V) = all passes' sums of (B^T)^2 s^2, plus u^2 r^2 of each operation
 *     variance(M) = sum of U^2 (variance(V) + (u V)^2) + u^2 sum of S_i^2
 *     variance(Y) = as for V, with A^T, plus (u Y)^2 of the bias
 *
 * S_i being M's partial sums. The inputs' own errors go through the exact convolution: sum of
 * w^2 in_variance. Outputs of a tile share errors, which counts as unrelated, as all else does.
 * ALGO_DIRECT is oracle_conv_variance().
 */
bool oracle_bilinear_variance(const struct oracle_conv *conv, enum algo algo, const double *in,
                              const double *in_variance, double *out, double *variance,
                              struct error *e);

#endif
