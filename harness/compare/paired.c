#include "harness/compare/paired.h"

#include <math.h>
#include <stdlib.h>

double normal_two_sided(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

double normal_critical(double p)
{
    double low = 0, high = 40;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (normal_two_sided(middle) > p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* The number at place `k` if `values` were sorted (Hoare's selection, which reorders them). */
static double select_place(double *values, int count, int k)
{
    int low = 0, high = count - 1;
    while (low < high) {
        double pivot = values[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i <= j) {
                double swap = values[i];
                values[i++] = values[j];
                values[j--] = swap;
            }
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return values[k];
}

/* Averages of all pairs of differences, each with itself too. */
static int walsh_averages(const double *d, int count, double *averages)
{
    int total = 0;
    for (int i = 0; i < count; i++) {
        for (int k = i; k < count; k++)
            averages[total++] = (d[i] + d[k]) / 2;
    }
    return total;
}

struct paired paired_test(const double *differences, int count, double confidence, double *scratch)
{
    double n = count, mean = n * (n + 1) / 4, deviation = sqrt(n * (n + 1) * (2 * n + 1) / 24);
    int total = walsh_averages(differences, count, scratch);
    double positive = 0;
    /* Tukey: the signed-rank statistic is the number of positive averages. */
    for (int i = 0; i < total; i++)
        positive += scratch[i] > 0 ? 1 : scratch[i] < 0 ? 0 : 0.5;
    double off = fabs(positive - mean) - 0.5;
    int rank = (int)floor(mean - normal_critical(1 - confidence) * deviation);
    rank = rank < 0 ? 0 : rank;
    struct paired result = {.p = normal_two_sided(off > 0 ? off / deviation : 0)};
    result.estimate =
        (select_place(scratch, total, (total - 1) / 2) + select_place(scratch, total, total / 2)) /
        2;
    result.low = select_place(scratch, total, rank);
    result.high = select_place(scratch, total, total - 1 - rank);
    return result;
}
