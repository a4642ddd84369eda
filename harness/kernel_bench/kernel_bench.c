#include "harness/kernel_bench/kernel_bench.h"

#include "arch/clock.h"
#include "harness/kernel_bench/kernel_work.h"
#include "harness/measure/flush.h"
#include "harness/measure/stats.h"
#include "harness/measure/stream.h"

#include <stdio.h>

#define SAMPLES 15

/* How long the calls of one sample take at least, against which reading the time is nothing. */
#define SAMPLE_NS 20000

/* What is timed: a kernel, or the ceiling beside it. */
struct subject {
    void (*call)(const struct subject *s);
    const struct kernel_work *work;
    struct stream stream;
    size_t stream_floats; /* that are read or copied; the first half of the memory to the second */
};

static void call_kernel(const struct subject *s)
{
    kernel_work_run(s->work);
}

static void call_read(const struct subject *s)
{
    s->stream.read(s->work->memory, s->stream_floats);
}

static void call_copy(const struct subject *s)
{
    s->stream.copy(s->work->memory, s->work->memory + s->work->floats / 2, s->stream_floats);
}

static double time_calls(const struct subject *s, long calls)
{
    uint64_t begin = clock_ns();
    for (long i = 0; i < calls; i++)
        s->call(s);
    return (double)(clock_ns() - begin);
}

/* Nanoseconds of a call that finds everything where the one before has left it. */
static double time_hot(const struct subject *s)
{
    double samples[SAMPLES];
    long calls = 1;
    while (time_calls(s, calls) < SAMPLE_NS)
        calls *= 2;
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = time_calls(s, calls) / (double)calls;
    return summarize(samples, SAMPLES).median;
}

/* Nanoseconds of a call behind a flush, without those of reading the time. */
static double time_cold(const struct subject *s)
{
    double samples[SAMPLES], clocks[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        flush_memory(s->work->memory, s->work->floats * sizeof(float));
        clocks[i] = time_calls(s, 0);
        samples[i] = time_calls(s, 1);
    }
    double ns = summarize(samples, SAMPLES).median - summarize(clocks, SAMPLES).median;
    return ns > 1 ? ns : 1;
}

static struct subject ceiling_of(const struct kernel_work *w)
{
    struct subject s = {
        .call = w->reads ? call_read : call_copy, .work = w, .stream = stream_get(w->set->isa)};
    size_t floats = (size_t)(w->bytes / sizeof(float)) / (w->reads ? 1 : 2);
    s.stream_floats = floats / STREAM_FLOATS * STREAM_FLOATS;
    if (s.stream_floats == 0)
        s.stream_floats = STREAM_FLOATS;
    return s;
}

static double stream_rate(const struct subject *s, double ns)
{
    double bytes = (double)s->stream_floats * sizeof(float) * (s->work->reads ? 1 : 2);
    return bytes / ns;
}

/* GFLOP/s of the set's chains of FMAs. */
static bool measure_peak(const struct kernel_set *set, double *gflops)
{
    struct kernel_work w;
    if (!kernel_work_make(&w, set, KERNEL_peak))
        return false;
    const struct subject peak = {.call = call_kernel, .work = &w};
    *gflops = w.operations / time_hot(&peak);
    kernel_work_free(&w);
    return true;
}

static void fill(struct kernel_rate *rate, const struct kernel_work *w, double ns, double ceiling)
{
    rate->cycles = ns * 1e-9 * clock_core_hz();
    rate->rate = (w->operations > 0 ? w->operations : w->bytes) / ns;
    rate->fraction = rate->rate / ceiling;
}

bool kernel_bench(const struct kernel_set *set, enum kernel_op op, struct kernel_timing *timing)
{
    struct kernel_work w;
    double hot_ceiling, cold_ceiling;
    if (!measure_peak(set, &hot_ceiling) || !kernel_work_make(&w, set, op))
        return false;
    const struct subject kernel = {.call = call_kernel, .work = &w}, stream = ceiling_of(&w);
    double hot = time_hot(&kernel), cold = time_cold(&kernel);
    cold_ceiling = hot_ceiling;
    if (w.operations == 0) {
        hot_ceiling = stream_rate(&stream, time_hot(&stream));
        cold_ceiling = stream_rate(&stream, time_cold(&stream));
    }
    timing->unit = w.operations > 0 ? "GFLOP/s" : "GB/s";
    snprintf(timing->shape, sizeof timing->shape, "%s", w.shape);
    fill(&timing->hot, &w, hot, hot_ceiling);
    fill(&timing->cold, &w, cold, cold_ceiling);
    kernel_work_free(&w);
    return true;
}
