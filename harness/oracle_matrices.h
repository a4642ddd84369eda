/**
 * The matrices of the bilinear algorithms, built here from points and products; nothing is shared
 * with the kernels. Of one input channel, or for Strassen of one in each half,
 *
 *     V = B^T d,  U = G g,  Y = A^T (U . V)
 *
 * applied to both dimensions of a square patch (B^T d B, G g G^T, A^T M A), or for Strassen once,
 * to the four quarters of the matrices: d = (A11, A12, A21, A22), pixels in rows and channels in
 * columns, g = (B11, B12, B21, B22), input channels in rows, Y = (C11, C12, C21, C22).
 */
#ifndef RESMARK_HARNESS_ORACLE_MATRICES_H
#define RESMARK_HARNESS_ORACLE_MATRICES_H

#include "harness/algo.h"

#define ORACLE_SIDE 8

/** Phases of the stem's image: its even and odd rows, of each the even and the odd columns. Each
 * has input channels of its own, in this order. */
#define ORACLE_PHASES 4

struct oracle_matrix {
    int rows, columns;
    double at[ORACLE_SIDE][ORACLE_SIDE];
};

struct oracle_matrices {
    struct oracle_matrix input;  /**< B^T */
    struct oracle_matrix filter; /**< G */
    struct oracle_matrix output; /**< A^T */
};

/**
 * Cook and Toom's matrices for Winograd's tiles (Barabasz et al., arXiv:1803.10986, section 2): for
 * a point p, the rows of B^T are the coefficients of the product of x - q over the other points q,
 * those of G (1, p, p^2) over that product's value at p, the columns of A^T (1, p, ..., p^(m-1)).
 * The polyphase form of 3 taps has those of F(2,2) for the even pixels, and the odd ones as they
 * are; that of the stem those of F(4,4) for each phase. Strassen's are those of Numer. Math. 13
 * (1969), in the order of kernels/transform_pairs.h.
 */
struct oracle_matrices oracle_matrices(enum algo algo);

/**
 * B^T and A^T of one direction of a tile of which only the first `outputs` are there, with the G of
 * whole tiles. F(m,3) has the points of F(k,3) among its own, and there, but for a factor, its
 * filters; so a tile cut down to k outputs takes F(k,3)'s products. Rows and columns of the others
 * are zero.
 */
struct oracle_matrices oracle_cut_matrices(enum algo algo, int outputs);

/**
 * Absolute values: of each element of A^T, and of B^T as the sums of those of all paths on which
 * the kernels' sequence of operations takes an input to a product.
 */
void oracle_make_absolute(enum algo algo, struct oracle_matrices *m);

/** Outputs that the transforms of a tile with so many are made for: the least k that is enough. */
int oracle_cut_outputs(enum algo algo, int outputs);

/** The squares of all rounded intermediate results, for a line `in` and its transform `out`, which
 * is computed in the sequence of operations that the kernels fix. */
typedef void oracle_local_fn(const double *in, const double *out, double *squares);
oracle_local_fn *oracle_local_input(enum algo algo, int outputs);
oracle_local_fn *oracle_local_output(enum algo algo, int outputs);

#endif
