/**
 * One convolution in double precision, with bounds on what single precision makes of it.
 * Nothing here is shared with the kernels or the plan; layouts are plain NCHW and OIHW.
 */
#ifndef RESMARK_HARNESS_ORACLE_CONV_H
#define RESMARK_HARNESS_ORACLE_CONV_H

#include "arch/error.h"

#include <stdbool.h>
#include <stddef.h>

/** Unit roundoff of IEEE single precision, round to nearest. */
#define FLOAT_ROUNDOFF 0x1p-24

/**
 * A square, zero-padded convolution; the padded input holds at least one window. A negative pad
 * leaves rows and columns out. A dense layer is one with height, width and kernel 1.
 */
struct oracle_conv {
    int cin, height, width; /**< of the input */
    int cout, kernel, stride, pad;
    const float *weights; /**< [cout][cin][ky][kx] */
    const float *bias;    /**< [cout], or NULL */
    const double *fold;   /**< for oracle_bilinear.h alone: [cout], or NULL */
    int threads;          /**< over output channels, this one included; at least 1 */
};

/** Rows or columns of the output for an input of `size` rows or columns. */
int oracle_conv_out(const struct oracle_conv *conv, int size);

/**
 * A convolution of inputs that carry errors. `in` and `in_variance` are [cin][height][width], the
 * latter of the inputs' errors, or NULL when inputs and weights are exact. Writes
 *
 *     out[o][y][x] = bias + sum of w x
 *     variance[o][y][x] = sum of w^2 (in_variance + (u x)^2) + u^2 sum of S_i^2
 *
 * the latter of what a float computation errs by. u x stands for weights that were rounded after
 * folding. S_i are the partial sums of the chain of fused multiply-adds, in the order of kernels.h:
 * blocks of 16 channels, ky, kx, the channels of the block.
 *
 * Each step of the chain rounds by u |S_i| at most. For independent roundings of mean zero, Azuma
 * and Hoeffding's inequality then says that the chain errs by more than lambda u sqrt(sum S_i^2)
 * with a probability under 2 exp(-lambda^2 / 2). Higham and Mary (2019, SIAM J. Sci. Comput. 41(5))
 * go on to bound S_i by sum |w| |x|, which loses a factor of sqrt(K) where signs are mixed.
 *
 * False with `e` set when there is no memory or no thread.
 */
bool oracle_conv_variance(const struct oracle_conv *conv, const double *in,
                          const double *in_variance, double *out, double *variance,
                          struct error *e);

/**
 * The convolution of a float input [cin][height][width], and the rigorous bound on the error of any
 * float computation of it that accumulates one chain of K = cin kernel^2 fused multiply-adds, in
 * any order, from the bias: gamma_K (|bias| + sum |w| |x|), gamma_K = K u / (1 - K u) (Higham,
 * Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1). It holds always but for
 * underflow; the error of the double computation itself is included.
 * False with `e` set when there is no memory or no thread.
 */
bool oracle_conv(const struct oracle_conv *conv, const float *in, double *out, double *bound,
                 struct error *e);

#endif
