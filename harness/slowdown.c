#include "harness/slowdown.h"

#ifdef RESMARK_SLOWDOWN

#include <time.h>

static uint64_t thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t slowdown_begin(void)
{
    return thread_cpu_ns();
}

bool slowdown_end(uint64_t begin_ns)
{
    double used = (double)(thread_cpu_ns() - begin_ns);
    uint64_t end = begin_ns + (uint64_t)(used * (1 + RESMARK_SLOWDOWN / 100.0));
    while (thread_cpu_ns() < end)
        continue;
    return true;
}

#else

uint64_t slowdown_begin(void)
{
    return 0;
}

bool slowdown_end(uint64_t begin_ns)
{
    (void)begin_ns;
    return false;
}

#endif
