#include "harness/verify/arithmetic.h"

#include <fenv.h>
#include <float.h>
#include <stddef.h>

const char *arithmetic_fault(void)
{
    volatile float smallest = FLT_MIN, denormal = FLT_TRUE_MIN, half = 0.5F, large = 0x1p100F;
    volatile float result = smallest * half, scaled = denormal * large;
    if (result == 0)
        return "flushes denormal results to zero";
    if (scaled == 0)
        return "takes denormal inputs for zero";
    return fegetround() == FE_TONEAREST ? NULL : "does not round to nearest";
}

struct survey {
    const char *faults[TEAM_MAX_THREADS];
};

static void check_thread(void *context, int thread)
{
    struct survey *survey = context;
    survey->faults[thread] = arithmetic_fault();
    if (survey->faults[thread])
        fesetenv(FE_DFL_ENV);
}

int arithmetic_check(struct team *team, const char **fault)
{
    struct survey survey;
    team_run_each(team, check_thread, &survey);
    for (int i = 0; i < team_threads(team); i++) {
        *fault = survey.faults[i];
        if (*fault)
            return i;
    }
    return -1;
}
