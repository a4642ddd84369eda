#include "harness/run_errors.h"

#include <stdlib.h>

/* The contender of a model that measures it soonest: all of a model compute the same bits. */
static struct contender *fastest_of(struct run *run, const struct model *model)
{
    struct contender *best = NULL;
    for (int i = 0; i < run->bench.count; i++) {
        struct contender *c = &run->bench.contenders[i];
        if (c->model == model && (!best || c->first_ms < best->first_ms))
            best = c;
    }
    return best;
}

bool run_errors_measure(struct run *run, struct error *e)
{
    struct param_source source = run_source(run);
    for (int m = 0; run->options.errors && m < run->model_count; m++) {
        struct contender *c = fastest_of(run, &run->models[m]);
        run->errors[m] = calloc((size_t)c->plan->step_count, sizeof *run->errors[m]);
        if (!run->errors[m])
            return error_set(e, "no memory for the errors of %d layers", c->plan->step_count);
        if (!layer_error_measure(c->engine, &source, 1, run->errors[m], e))
            return false;
    }
    return true;
}

bool run_errors_check(const struct run *run, struct error *e)
{
    char name[48];
    for (int m = 0; run->options.errors && m < run->model_count; m++) {
        for (int i = 0; i < run->models[m].steps.count; i++) {
            if (!(run->errors[m][i].fraction <= 1))
                return error_set(e, "%s: layer %s is further from float64 than its bound allows",
                                 algo_name(run->models[m].request), run_step_name(run, i, name));
        }
    }
    return true;
}

void run_errors_print(const struct run *run, FILE *out)
{
    char name[48];
    int width = run_name_width(run);
    if (!run->options.errors)
        return;
    fprintf(out,
            "largest error against float64, and the share of the layer's bound that it uses\n");
    fprintf(out, "%-*s", width, "layer");
    for (int m = 0; m < run->model_count; m++)
        fprintf(out, "  %26s", algo_name(run->models[m].request));
    fprintf(out, "\n");
    for (int i = 0; i < run->models[0].steps.count; i++) {
        if (run->models[0].net.nodes[run->models[0].steps.step[i].node].kind != NODE_CONV)
            continue;
        fprintf(out, "%-*s", width, run_step_name(run, i, name));
        for (int m = 0; m < run->model_count; m++)
            fprintf(out, "  %-10s %8.1e %6.2f %%", algo_name(run->models[m].steps.step[i].algo),
                    run->errors[m][i].error, 100 * run->errors[m][i].fraction);
        fprintf(out, "\n");
    }
    fprintf(out, "\n");
}

void run_errors_free(struct run *run)
{
    for (int m = 0; m < run->model_count; m++)
        free(run->errors[m]);
}
