#include "harness/run.h"

#include "harness/run_errors.h"

#include <inttypes.h>
#include <string.h>

#define TOP_CLASSES 5

static void print_machine(const struct run *run, FILE *out)
{
    const struct topology *t = &run->machine.topology;
    fprintf(out, "resmark %s, built with %s\n", RESMARK_VERSION, MACHINE_COMPILER);
    fprintf(out, "machine  %s, %d of %d cores allowed", run->machine.cpu.brand, t->allowed_cores,
            t->cores);
    for (int level = 0; level < CACHE_LEVELS; level++) {
        if (t->caches[level].bytes)
            fprintf(out, ", L%d %zu KiB", level + 1, t->caches[level].bytes >> 10);
    }
    fprintf(out, "\n");
}

static void print_tuning(const struct run *run, FILE *out)
{
    const char *kept = run->options.tune_file;
    if (run->options.tune)
        fprintf(out, "tuned    here, in %.0f s%s%s\n", run->tune_ms * 1e-3,
                kept ? "; the plan is in " : "", kept ? kept : "");
    else if (run->tuned.conv_count > 0)
        fprintf(out, "tuned    as %s says\n", run->options.plan_file);
}

static void print_weights(const struct run *run, FILE *out)
{
    const struct weights_file *file = &run->weights_file;
    double packed = 0;
    for (int i = 0; i < run->model_count; i++)
        packed += (double)run->models[i].weights.memory.floats;
    if (file->path)
        fprintf(out, "weights  %s (%s)\n         SHA-256 %s\n         checked in %.0f ms",
                file->path, file->format, file->sha256, run->weights_check_ms);
    else
        fprintf(out, "weights  synthetic, seed %" PRIu64, run->options.seed);
    fprintf(out, ", %.0f MB made and packed in %.0f ms\n", packed * 4e-6, run->weights_ms);
}

static void print_work(const struct run *run, FILE *out)
{
    const struct network *net = &run->models[0].net;
    const struct shape *s = &net->nodes[0].shape;
    const struct contender *shown = run_shown(run);
    fprintf(out, "network  %s (%s), %d classes, %dx%d, batch %d, %.3f GMAC an image\n", net->name,
            net->variant, net->classes, s->width, s->height, run->options.batch, net->macs * 1e-9);
    fprintf(out, "image    %s, %dx%d\n",
            run->options.image ? run->options.image : "built-in picture", run->image_width,
            run->image_height);
    print_weights(run, out);
    print_tuning(run, out);
    fprintf(out, "start    %.0f ms to the first output of %s, %d thread%s; peak memory %.0f MB\n\n",
            run->start_ms, shown->set->name, team_threads(shown->team),
            team_threads(shown->team) == 1 ? "" : "s", (double)memory_peak_bytes() * 1e-6);
}

static void format_shape(const struct run *run, const struct plan_step *s, char *text, size_t size)
{
    const struct node *node = &run->models[0].net.nodes[s->node];
    const struct shape *in = &run->models[0].net.nodes[node->inputs[0]].shape;
    int used = snprintf(text, size, "%dx%dx%d -> %d", in->channels, in->height, in->width,
                        node->shape.channels);
    if (node->kernel && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, " %dx%d/%d", node->kernel, node->kernel,
                 node->stride);
}

static void print_layer(const struct run *run, const struct contender *c, int step, int width,
                        FILE *out)
{
    char name[48], shape[64], rates[32] = "        -      -";
    const struct plan_step *s = &c->plan.steps[step];
    double ms = c->steps[step].median, gflops = bench_gflops(s->macs, ms);
    format_shape(run, s, shape, sizeof shape);
    if (s->macs > 0)
        snprintf(rates, sizeof rates, "%9.1f %6.1f", gflops, 100 * gflops / c->ceiling_median);
    int other = bench_disagreement(&run->bench, c->model, step, NULL);
    const char *bits = run->bench.count == run->model_count ? "-" : other < 0 ? "equal" : "DIFFER";
    fprintf(out, "%-*s %-26s %-9s %8.3f %s  %-22s %s\n", width, run_step_name(run, step, name),
            shape, s->kind == NODE_CONV ? algo_name(s->algo) : "-", ms, rates, s->kernel_name,
            bits);
}

static void print_layers(const struct run *run, FILE *out)
{
    const struct contender *c = run_shown(run);
    int width = run_name_width(run);
    fprintf(out, "layers of %s on %d thread%s; FMA ceiling of the same cores %.1f GFLOP/s\n",
            c->set->name, team_threads(c->team), team_threads(c->team) == 1 ? "" : "s",
            c->ceiling_median);
    fprintf(out, "%-*s %-26s %-9s %8s %9s %6s  %-22s %s\n", width, "layer", "shape", "algo", "ms",
            "GFLOP/s", "%", "kernel", "bits");
    for (int i = 0; i < c->plan.step_count; i++)
        print_layer(run, c, i, width, out);
    fprintf(out, "\n");
}

/* The scalar contender with the same algorithms on as many threads, or NULL. */
static const struct contender *scalar_like(const struct run *run, const struct contender *c)
{
    for (int i = 0; i < run->bench.count; i++) {
        const struct contender *other = &run->bench.contenders[i];
        if (other->set->isa == ISA_SCALAR && other->model == c->model &&
            team_threads(other->team) == team_threads(c->team))
            return other;
    }
    return NULL;
}

static void print_contender(const struct run *run, const struct contender *c, FILE *out)
{
    const struct contender *scalar = scalar_like(run, c);
    double ms = c->total.median, batch = run->options.batch;
    double gflops = bench_gflops(c->model->net.macs * batch, ms);
    char interval[32], speed_up[16] = "-";
    snprintf(interval, sizeof interval, "%.2f..%.2f", c->total.ci_low, c->total.ci_high);
    if (scalar)
        snprintf(speed_up, sizeof speed_up, "%.1fx", scalar->total.median / ms);
    fprintf(out, "%-7s %-9s %7d %9.1f %9.2f %18s %5d %8.2f %8.1f %6.1f %8s  %016" PRIx64 "\n",
            c->set->name, model_algo_name(c->model), team_threads(c->team), c->first_ms, ms,
            interval, c->total.count, batch * 1e3 / ms, gflops, 100 * gflops / c->ceiling_median,
            speed_up, c->logits_hash);
}

static void print_contenders(const struct run *run, FILE *out)
{
    fprintf(out, "%-7s %-9s %7s %9s %9s %18s %5s %8s %8s %6s %8s  %s\n", "isa", "algo", "threads",
            "first ms", "median ms", "95 % interval", "runs", "images/s", "GFLOP/s", "%",
            "speed-up", "logits");
    for (int i = 0; i < run->bench.count; i++)
        print_contender(run, &run->bench.contenders[i], out);
    fprintf(out, "(%% of the FMA ceiling measured in between; speed-up over scalar on as many "
                 "threads)\n");
    for (int i = 0; i < run->bench.count; i++) {
        const struct contender *c = &run->bench.contenders[i];
        const char *verdict = run_verdict(run, c);
        if (strcmp(verdict, "VALID") != 0)
            fprintf(out, "%s on %d: %s\n", c->set->name, team_threads(c->team), verdict);
    }
    fprintf(out, "\n");
}

static void print_agreement(const struct run *run, FILE *out)
{
    const struct bench *bench = &run->bench;
    int steps = bench->contenders[0].plan.step_count, runs = bench->count / run->model_count;
    for (int m = 0; m < run->model_count && runs > 1; m++) {
        int equal = 0;
        for (int i = 0; i < steps; i++)
            equal += bench_disagreement(bench, &run->models[m], i, NULL) < 0;
        fprintf(out, "%s: %d of %d layers have the same bits in all %d runs\n",
                model_algo_name(&run->models[m]), equal, steps, runs);
    }
}

static void print_top(const struct run *run, FILE *out)
{
    const struct contender *c = run_shown(run);
    const struct tensor *t = plan_output(&c->plan);
    int shown[TOP_CLASSES];
    for (int k = 0; k < TOP_CLASSES && k < t->channels; k++) {
        int best = -1;
        for (int i = 0; i < t->channels; i++) {
            bool taken = false;
            for (int j = 0; j < k; j++)
                taken = taken || shown[j] == i;
            if (!taken && (best < 0 || t->data[i] > t->data[best]))
                best = i;
        }
        shown[k] = best;
        double value = (double)t->data[best];
        fprintf(out, "%s class %4d  %5.2f%s\n", k == 0 ? "top" : "   ", best,
                run->options.no_softmax ? value : 100 * value, run->options.no_softmax ? "" : " %");
    }
}

void run_print(const struct run *run, FILE *out)
{
    print_machine(run, out);
    print_work(run, out);
    print_layers(run, out);
    run_errors_print(run, out);
    print_contenders(run, out);
    print_agreement(run, out);
    print_top(run, out);
}
