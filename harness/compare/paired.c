#include "harness/compare/paired.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

double normal_two_sided(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

double student_two_sided(double t, int freedom)
{
    double angle = atan(fabs(t) / sqrt(freedom)), cosine = cos(angle), sum = 0;
    bool odd = freedom % 2 == 1;
    double term = odd ? cosine : 1;
    for (int k = odd ? 3 : 2; k <= freedom; k += 2) {
        sum += term;
        term *= cosine * cosine * (k - 1) / k;
    }
    sum *= sin(angle);
    return 1 - (odd ? (angle + sum) * M_2_PI : sum);
}

/* Of Student's t, or with no degree of freedom of the normal distribution. */
static double critical(double p, int freedom)
{
    double low = 0, high = 1;
    while ((freedom ? student_two_sided(high, freedom) : normal_two_sided(high)) > p)
        high *= 2;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if ((freedom ? student_two_sided(middle, freedom) : normal_two_sided(middle)) > p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double normal_critical(double p)
{
    return critical(p, 0);
}

double student_critical(double p, int freedom)
{
    return critical(p, freedom);
}

struct paired starts_test(const double *estimates, int count, double tolerance, double confidence)
{
    double mean = 0, squares = 0;
    for (int i = 0; i < count; i++)
        mean += estimates[i] / count;
    if (count < 2)
        return (struct paired){mean, -HUGE_VAL, HUGE_VAL, 1};
    for (int i = 0; i < count; i++)
        squares += (estimates[i] - mean) * (estimates[i] - mean);
    double deviation = sqrt(squares / (count - 1) / count), beyond = fabs(mean) - tolerance;
    double reach = student_critical(1 - confidence, count - 1) * deviation;
    double p = beyond <= 0     ? 1
               : deviation > 0 ? student_two_sided(beyond / deviation, count - 1)
                               : 0;
    return (struct paired){mean, mean - reach, mean + reach, p};
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
