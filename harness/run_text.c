#include "harness/run.h"

#include "harness/run_errors.h"
#include "harness/top_classes.h"

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
    fprintf(out, "network  %s (%s), %d classes, %dx%d, %.3f GMAC an image\n", net->name,
            net->variant, net->classes, s->width, s->height, net->macs * 1e-9);
    fprintf(out, "image    %s, %dx%d\n",
            run->options.image ? run->options.image : "built-in picture", run->image_width,
            run->image_height);
    print_weights(run, out);
    print_tuning(run, out);
    fprintf(out, "start    %.0f ms to the first output of %s, %d thread%s; peak memory %.0f MB\n\n",
            run->start_ms, shown->set->name, shown->threads, shown->threads == 1 ? "" : "s",
            (double)run->peak_bytes * 1e-6);
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
    char name[48], shape[64], rates[32] = "        -      -", roof[32] = "     - -";
    const struct plan_step *s = &c->plan->steps[step];
    const struct series_summary *summary = &c->summary[SERIES_HOT];
    double ceiling = summary->gflops_median / instances_count(c->instances);
    double ms = summary->steps[step].median, gflops = bench_gflops(s->macs, ms);
    struct floors floors = bench_floors(&run->bench, c, step);
    bool bytes = floors.bytes_ms > floors.arithmetic_ms;
    format_shape(run, s, shape, sizeof shape);
    if (s->macs > 0)
        snprintf(rates, sizeof rates, "%9.1f %6.1f", gflops, 100 * gflops / ceiling);
    if (floors.level)
        snprintf(roof, sizeof roof, "%6.1f %s",
                 100 * (bytes ? floors.bytes_ms : floors.arithmetic_ms) / ms,
                 bytes ? ceilings_level_name(floors.level) : "FMA");
    int other = bench_disagreement(&run->bench, c->model, step, NULL);
    const char *bits = run->bench.count == run->model_count ? "-" : other < 0 ? "equal" : "DIFFER";
    fprintf(out, "%-*s %-26s %-10s %8.3f %s %-11s  %-22s %s\n", width,
            run_step_name(run, step, name), shape, s->kind == NODE_CONV ? algo_name(s->algo) : "-",
            ms, rates, roof, s->kernel_name, bits);
}

static void print_layers(const struct run *run, FILE *out)
{
    char label[128];
    const struct contender *c = run_shown(run);
    int width = run_name_width(run);
    bench_label(c, label, sizeof label);
    fprintf(out, "layers of %s; FMA ceiling of the same cores %.1f GFLOP/s\n", label,
            c->summary[SERIES_HOT].gflops_median / instances_count(c->instances));
    fprintf(out, "%-*s %-26s %-10s %8s %9s %6s %6s %-4s  %-22s %s\n", width, "layer", "shape",
            "algo", "ms", "GFLOP/s", "%", "roof %", "by", "kernel", "bits");
    for (int i = 0; i < c->plan->step_count; i++)
        print_layer(run, c, i, width, out);
    fprintf(out, "\n");
}

/* The scalar contender with the same algorithms, threads and instances, or NULL. */
static const struct contender *scalar_like(const struct run *run, const struct contender *c)
{
    for (int i = 0; i < run->bench.count; i++) {
        const struct contender *other = &run->bench.contenders[i];
        if (other->set->isa == ISA_SCALAR && other->model == c->model &&
            other->threads == c->threads && run_is_measured(other) &&
            instances_count(other->instances) == instances_count(c->instances))
            return other;
    }
    return NULL;
}

static void print_contender(const struct run *run, const struct contender *c, FILE *out)
{
    const struct contender *scalar = scalar_like(run, c);
    const struct summary *hot = &c->summary[SERIES_HOT].ms, *cold = &c->summary[SERIES_COLD].ms;
    double images_per_s = bench_images_per_s(c, SERIES_HOT);
    double gflops = 2 * c->model->net.macs * images_per_s * 1e-9;
    char interval[32], cold_ms[16] = "-", speed_up[16] = "-";
    snprintf(interval, sizeof interval, "%.2f..%.2f", hot->ci_low, hot->ci_high);
    if (cold->count > 0)
        snprintf(cold_ms, sizeof cold_ms, "%.1f", cold->median);
    if (scalar)
        snprintf(speed_up, sizeof speed_up, "%.1fx",
                 scalar->summary[SERIES_HOT].ms.median / hot->median);
    fprintf(
        out,
        "%-7s %-10s %7d %5d %4d %8.1f %8s %9.2f %18s %8.2f %5d %8.2f %8.1f %6.1f %8s  %016" PRIx64
        "\n",
        c->set->name, model_algo_name(c->model), c->threads, c->plan->batch,
        instances_count(c->instances), c->first_ms, cold_ms, hot->median, interval, hot->p99,
        hot->count, images_per_s, gflops, 100 * gflops / c->summary[SERIES_HOT].gflops_median,
        speed_up, c->logits_hash);
}

static void print_verdict(const struct contender *c, FILE *out)
{
    char label[128];
    const struct series *s = &c->series[SERIES_HOT];
    const struct verdict *v = &c->verdict[SERIES_HOT];
    bench_label(c, label, sizeof label);
    fprintf(out, "%-7s %s, ended by %s after %.1f s\n", verdict_name(v->kind), label,
            ended_by_name(s->ended_by), s->spent_s);
    for (int i = 0; i < v->reason_count; i++)
        fprintf(out, "        - %s: %s\n", v->reasons[i].text, v->reasons[i].advice);
    for (int i = 0; i < v->note_count; i++)
        fprintf(out, "        note: %s: %s\n", v->notes[i].text, v->notes[i].advice);
}

static void print_energy(const struct run *run, FILE *out)
{
    if (run->bench.energy.count == 0) {
        fprintf(out, "energy  not available: %s\n", run->bench.energy.reason);
        return;
    }
    for (int i = 0; i < run->bench.count; i++) {
        char label[128];
        const struct contender *c = &run->bench.contenders[i];
        const struct series *s = &c->series[SERIES_HOT];
        bench_label(c, label, sizeof label);
        if (s->images > 0)
            fprintf(out, "energy  %s: %.3f J an image, %.1f W\n", label, s->joules / s->images,
                    s->joules / s->busy_s);
    }
}

static void print_best(const struct run *run, FILE *out)
{
    char throughput[128], latency[128];
    const struct contender *most = run_best_throughput(run), *least = run_best_latency(run);
    if (run->options.scenario != SCENARIO_SWEEP || !most || !least)
        return;
    bench_label(most, throughput, sizeof throughput);
    bench_label(least, latency, sizeof latency);
    fprintf(out, "best    %.2f images/s with %s\n", bench_images_per_s(most, SERIES_HOT),
            throughput);
    fprintf(out, "        %.2f ms with %s\n", least->summary[SERIES_HOT].ms.median, latency);
}

static void print_contenders(const struct run *run, FILE *out)
{
    fprintf(out, "%-7s %-10s %7s %5s %4s %8s %8s %9s %18s %8s %5s %8s %8s %6s %8s  %s\n", "isa",
            "algo", "threads", "batch", "inst", "first ms", "cold ms", "median ms", "95 % interval",
            "p99 ms", "runs", "images/s", "GFLOP/s", "%", "speed-up", "logits");
    for (int i = 0; i < run->bench.count; i++) {
        if (run_is_measured(&run->bench.contenders[i]))
            print_contender(run, &run->bench.contenders[i], out);
    }
    fprintf(out, "(%% of the FMA ceiling measured in between; cold: flushed from all caches before "
                 "each run;\n speed-up over scalar on as many threads)\n\n");
    for (int i = 0; i < run->bench.count; i++) {
        if (run_is_measured(&run->bench.contenders[i]))
            print_verdict(&run->bench.contenders[i], out);
    }
    print_energy(run, out);
    print_best(run, out);
    fprintf(out, "\n");
}

static void print_agreement(const struct run *run, FILE *out)
{
    const struct bench *bench = &run->bench;
    int steps = bench->contenders[0].plan->step_count, runs = bench->count / run->model_count;
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
    const struct tensor *t = plan_output(run_shown(run)->plan);
    int top[TOP_CLASSES], count = top_classes(t->data, t->channels, TOP_CLASSES, top);
    for (int k = 0; k < count; k++) {
        double value = (double)t->data[top[k]];
        fprintf(out, "%s class %4d  %5.2f%s\n", k == 0 ? "top" : "   ", top[k],
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
