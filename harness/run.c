#include "harness/run.h"

#include "harness/synthetic.h"

#include <string.h>

struct param_source run_source(const struct run *run)
{
    return run->weights_file.path ? weights_file_source(&run->weights_file)
                                  : synthetic_source(&run->options.seed);
}

const struct contender *run_shown(const struct run *run)
{
    const struct contender *shown = &run->bench.contenders[0];
    for (int i = 1; i < run->bench.count; i++) {
        const struct contender *c = &run->bench.contenders[i];
        if (c->set->isa != shown->set->isa)
            shown = c->set->isa > shown->set->isa ? c : shown;
        else if (team_threads(c->team) >= team_threads(shown->team))
            shown = c;
    }
    return shown;
}

const char *run_step_name(const struct run *run, int step, char name[48])
{
    const struct model *model = &run->models[0];
    return node_short_name(&model->net.nodes[model->steps.step[step].node], name);
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

const char *run_verdict(const struct run *run, const struct contender *c)
{
    double gflops = bench_gflops(c->model->net.macs * run->options.batch, c->total.median);
    if (c->model->request == ALGO_DIRECT && gflops > c->ceiling_median)
        return "INVALID: faster than the FMA ceiling measured beside it; measure again";
    if (c->total.count < 6)
        return "SUSPECT: under 6 repetitions, too few for an interval";
    if (c->total.ci_high - c->total.ci_low > 0.05 * c->total.median)
        return "SUSPECT: the 95 % interval is wider than 5 %; is the machine busy?";
    return "VALID";
}
