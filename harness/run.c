#include "harness/run.h"

#include "arch/clock.h"
#include "harness/synthetic.h"

#include <string.h>

struct param_source run_source(const struct run *run)
{
    return run->weights_file.path ? weights_file_source(&run->weights_file)
                                  : synthetic_source(&run->options.seed);
}

const char *scenario_name(enum scenario scenario)
{
    static const char *const names[SCENARIO_COUNT] = {"latency", "throughput", "instances",
                                                      "sweep"};
    return names[scenario];
}

bool run_is_measured(const struct contender *c)
{
    return c->series[SERIES_HOT].count > 0;
}

/* Whether `c` is to be shown rather than `shown`. */
static bool goes_before(const struct contender *c, const struct contender *shown)
{
    if (run_is_measured(c) != run_is_measured(shown))
        return run_is_measured(c);
    if (c->set->isa != shown->set->isa)
        return c->set->isa > shown->set->isa;
    return instances_count(c->instances) <= instances_count(shown->instances) &&
           c->threads >= shown->threads;
}

const struct contender *run_shown(const struct run *run)
{
    const struct contender *shown = &run->bench.contenders[0];
    for (int i = 1; i < run->bench.count; i++) {
        if (goes_before(&run->bench.contenders[i], shown))
            shown = &run->bench.contenders[i];
    }
    return shown;
}

const struct contender *run_best_throughput(const struct run *run)
{
    const struct contender *best = NULL;
    for (int i = 0; i < run->bench.count; i++) {
        const struct contender *c = &run->bench.contenders[i];
        if (run_is_measured(c) &&
            (!best || bench_images_per_s(c, SERIES_HOT) > bench_images_per_s(best, SERIES_HOT)))
            best = c;
    }
    return best;
}

const struct contender *run_best_latency(const struct run *run)
{
    const struct contender *best = NULL;
    for (int i = 0; i < run->bench.count; i++) {
        const struct contender *c = &run->bench.contenders[i];
        if (run_is_measured(c) &&
            (!best || c->summary[SERIES_HOT].ms.median < best->summary[SERIES_HOT].ms.median))
            best = c;
    }
    return best;
}

double run_elapsed_s(const struct run *run)
{
    return run->bench.earlier_s + (double)(clock_ns() - run->bench.start_ns) * 1e-9;
}

const char *run_step_name(const struct run *run, int step, char name[48])
{
    return model_step_name(&run->models[0], step, name);
}

int run_name_width(const struct run *run)
{
    char name[48];
    size_t width = strlen("layer");
    for (int i = 0; i < run->models[0].steps.count; i++) {
        size_t length = strlen(run_step_name(run, i, name));
        width = length > width ? length : width;
    }
    return (int)width;
}
