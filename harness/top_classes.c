#include "harness/top_classes.h"

#include <math.h>
#include <stdbool.h>

static bool is_larger(const float *values, int a, int b)
{
    return values[a] > values[b] || (isnan(values[b]) && !isnan(values[a]));
}

int top_classes(const float *values, int count, int most, int *top)
{
    int found = 0;
    for (int i = 0; i < count; i++) {
        int at = found < most ? found++ : most;
        for (; at > 0 && is_larger(values, i, top[at - 1]); at--) {
            if (at < most)
                top[at] = top[at - 1];
        }
        if (at < most)
            top[at] = i;
    }
    return found;
}
