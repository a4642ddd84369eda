#include "harness/stats.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest k with P(Binomial(n, 1/2) < k) <= 2.5 %: samples k and n - 1 - k, from 0, bound it.
 */
static int interval_rank(int n)
{
    double log_half = n * log(0.5), below = 0;
    int k = 0;
    while (k < n / 2) {
        below += exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + log_half);
        if (below > 0.025)
            break;
        k++;
    }
    return k > 0 ? k - 1 : 0;
}

struct summary summarize(double *samples, int count)
{
    qsort(samples, (size_t)count, sizeof *samples, compare);
    int rank = interval_rank(count), p99 = (int)ceil(0.99 * count) - 1;
    double middle = (samples[(count - 1) / 2] + samples[count / 2]) / 2;
    return (struct summary){.count = count,
                            .median = middle,
                            .ci_low = samples[rank],
                            .ci_high = samples[count - 1 - rank],
                            .p99 = samples[p99],
                            .min = samples[0]};
}
