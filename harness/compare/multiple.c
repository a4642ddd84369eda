#include "harness/compare/multiple.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const struct hypothesis *x = *(struct hypothesis *const *)a,
                            *y = *(struct hypothesis *const *)b;
    double left = x->p * y->weight, right = y->p * x->weight;
    return (left > right) - (left < right);
}

bool multiple_holm(struct hypothesis *hypotheses, size_t count, struct error *e)
{
    struct hypothesis **order = calloc(count + 1, sizeof(struct hypothesis *));
    if (!order)
        return error_set(e, "no memory for %zu comparisons", count);
    double left = 0, adjusted = 0;
    for (size_t i = 0; i < count; i++) {
        order[i] = &hypotheses[i];
        left += hypotheses[i].weight;
    }
    qsort(order, count, sizeof(struct hypothesis *), compare);
    for (size_t i = 0; i < count; i++) {
        double p = order[i]->p * left / order[i]->weight;
        adjusted = p > adjusted ? p : adjusted;
        order[i]->adjusted = adjusted < 1 ? adjusted : 1;
        left -= order[i]->weight;
    }
    free(order);
    return true;
}
