#include "harness/measure/stats.h"

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

double quantile(const double *sorted, int count, double share)
{
    /* Exact shares of whole counts must not be pushed over the next whole number. */
    int rank = (int)ceil(share * count - 1e-9);
    return sorted[rank < 1 ? 0 : rank > count ? count - 1 : rank - 1];
}

int quantile_rank_above(int count, double share)
{
    double log_term = count * log1p(-share), odds = log(share) - log1p(-share), below = 0;
    for (int k = 0; k < count; k++) {
        below += exp(log_term);
        if (below >= 0.975)
            return k + 1;
        log_term += log((double)(count - k) / (k + 1)) + odds;
    }
    return count;
}

static int count_outliers(const double *sorted, int count)
{
    double low = quantile(sorted, count, 0.25), high = quantile(sorted, count, 0.75);
    double fence = 3 * (high - low);
    int outliers = 0;
    for (int i = 0; i < count; i++)
        outliers += sorted[i] < low - fence || sorted[i] > high + fence;
    return outliers;
}

struct summary summarize(double *samples, int count)
{
    qsort(samples, (size_t)count, sizeof *samples, compare);
    int rank = interval_rank(count);
    double middle = (samples[(count - 1) / 2] + samples[count / 2]) / 2;
    return (struct summary){.count = count,
                            .median = middle,
                            .ci_low = samples[rank],
                            .ci_high = samples[count - 1 - rank],
                            .p50 = quantile(samples, count, 0.5),
                            .p90 = quantile(samples, count, 0.9),
                            .p99 = quantile(samples, count, 0.99),
                            .p99_9 = quantile(samples, count, 0.999),
                            .min = samples[0],
                            .max = samples[count - 1],
                            .outliers = count_outliers(samples, count)};
}

double summary_width(const struct summary *summary)
{
    return summary->median > 0 ? (summary->ci_high - summary->ci_low) / summary->median : 0;
}
