#include "harness/oracle_sums.h"

/* ORACLE_SUMS_ADD is the function's name: built for another instruction set it has another. */
oracle_sums_add ORACLE_SUMS_ADD;

#if defined __AVX512F__
#define WIDTH 8
#elif defined __AVX__
#define WIDTH 4
#else
#define WIDTH 2
#endif

typedef double vector __attribute__((vector_size(WIDTH * sizeof(double)), aligned(8), may_alias));

#define AT(array) (*(vector *)&(array))
#define INPUT(array) (*(const vector *)&(array))

/* The sums are variables, not arrays: compilers keep arrays in memory. */
#define LOAD(c)                                                                                    \
    vector value##c = AT(sums->value[c][first]), chain##c = AT(sums->chain[c][first]);             \
    vector spread##c = AT(sums->spread[c][first]);

#define ADD(c)                                                                                     \
    value##c += tap->weight[c] * x_here;                                                           \
    chain##c += value##c * value##c;                                                               \
    spread##c += tap->spread[c] * y_here;

#define STORE(c)                                                                                   \
    AT(sums->value[c][first]) = value##c;                                                          \
    AT(sums->chain[c][first]) = chain##c;                                                          \
    AT(sums->spread[c][first]) = spread##c;

void ORACLE_SUMS_ADD(struct oracle_sums *sums, const struct oracle_tap *taps, size_t count,
                     const double *x, const double *y)
{
    _Static_assert(ORACLE_GROUP == 4 && ORACLE_CHUNK % WIDTH == 0, "written out for these");
    for (int first = 0; first < ORACLE_CHUNK; first += WIDTH) {
        LOAD(0)
        LOAD(1) LOAD(2) LOAD(3) for (const struct oracle_tap *tap = taps; tap < taps + count; tap++)
        {
            vector x_here = INPUT(x[tap->at + (size_t)first]);
            vector y_here = INPUT(y[tap->at + (size_t)first]);
            ADD(0) ADD(1) ADD(2) ADD(3)
        }
        STORE(0) STORE(1) STORE(2) STORE(3)
    }
}
