#include "harness/tuned_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Everything that a plan's meaning depends on, node by node. */
static uint64_t hash_graph(const struct network *net)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (int i = 0; i < net->node_count; i++) {
        const struct node *n = &net->nodes[i];
        int32_t words[] = {n->kind,         n->inputs[0],           n->inputs[1], n->shape.channels,
                           n->shape.height, n->shape.width,         n->kernel,    n->stride,
                           n->pad,          n->bias | n->zeros << 1};
        XXH3_64bits_update(&state, words, sizeof words);
        XXH3_64bits_update(&state, n->name, strlen(n->name) + 1);
    }
    return XXH3_64bits_digest(&state);
}

static void describe(struct tuned_plan *plan, const struct network *net, const struct steps *steps,
                     int batch, const struct machine *machine)
{
    struct tuned_network *n = &plan->network;
    struct tuned_machine *m = &plan->machine;
    *n = (struct tuned_network){.classes = net->classes,
                                .size = net->nodes[0].shape.width,
                                .batch = batch,
                                .steps = steps->count,
                                .hash = hash_graph(net)};
    snprintf(n->name, sizeof n->name, "%s", net->name);
    snprintf(n->variant, sizeof n->variant, "%s", net->variant);
    *m = (struct tuned_machine){.family = machine->cpu.family,
                                .model = machine->cpu.model,
                                .stepping = machine->cpu.stepping,
                                .allowed_cores = machine->topology.allowed_cores};
    snprintf(m->cpu, sizeof m->cpu, "%s", machine->cpu.brand);
    for (int i = 0; i < CACHE_LEVELS; i++)
        m->caches[i] = machine->topology.caches[i].bytes;
}

bool tuned_plan_make(struct tuned_plan *plan, const struct network *net, const struct steps *steps,
                     int batch, const struct machine *machine, struct error *e)
{
    *plan = (struct tuned_plan){.resmark_version = RESMARK_VERSION};
    describe(plan, net, steps, batch, machine);
    plan->names = calloc((size_t)steps->count, sizeof *plan->names);
    plan->algos = calloc((size_t)steps->count, sizeof *plan->algos);
    if (!plan->names || !plan->algos) {
        tuned_plan_free(plan);
        return error_set(e, "no memory for a plan of %d steps", steps->count);
    }
    for (int i = 0; i < steps->count; i++) {
        if (steps->step[i].kind == NODE_CONV)
            memcpy(plan->names[plan->conv_count++], net->nodes[steps->step[i].node].name,
                   sizeof *plan->names);
    }
    return true;
}

void tuned_plan_free(struct tuned_plan *plan)
{
    for (int i = 0; i < plan->cut_count; i++) {
        free(plan->cuts[i].blockings);
        free(plan->cuts[i].times);
    }
    free(plan->names);
    free(plan->algos);
    *plan = (struct tuned_plan){0};
}

struct tuned_cut *tuned_plan_add(struct tuned_plan *plan, enum isa isa, int threads,
                                 struct error *e)
{
    if (plan->cut_count == TUNED_MAX_CUTS) {
        error_set(e, "too many ISAs and thread counts for a plan: at most %d", TUNED_MAX_CUTS);
        return NULL;
    }
    struct tuned_cut *cut = &plan->cuts[plan->cut_count++];
    size_t convs = (size_t)plan->conv_count;
    *cut = (struct tuned_cut){isa, threads, calloc(convs, sizeof *cut->blockings),
                              calloc(convs, sizeof *cut->times)};
    if (cut->blockings && cut->times)
        return cut;
    error_set(e, "no memory for a plan of %zu convolutions", convs);
    return NULL;
}

const struct tuned_cut *tuned_plan_find(const struct tuned_plan *plan, enum isa isa, int threads)
{
    for (int i = 0; i < plan->cut_count; i++) {
        if (plan->cuts[i].isa == isa && plan->cuts[i].threads == threads)
            return &plan->cuts[i];
    }
    return NULL;
}

static bool same_network(const struct tuned_network *a, const struct tuned_network *b,
                         struct error *e)
{
    if (strcmp(a->name, b->name) != 0 || strcmp(a->variant, b->variant) != 0)
        return error_set(e, "it is for another network: %s (%s), not %s (%s)", a->name, a->variant,
                         b->name, b->variant);
    if (a->classes != b->classes)
        return error_set(e, "it is for %d classes, not %d", a->classes, b->classes);
    if (a->size != b->size)
        return error_set(e, "it is for images of %dx%d, not %dx%d", a->size, a->size, b->size,
                         b->size);
    if (a->batch != b->batch)
        return error_set(e, "it is for batch %d, not %d", a->batch, b->batch);
    if (a->steps != b->steps)
        return error_set(e, "it is for %d steps, but %s has %d", a->steps, b->name, b->steps);
    return a->hash == b->hash ||
           error_set(e, "it is for another graph of %s: %016" PRIx64 ", not %016" PRIx64, b->name,
                     a->hash, b->hash);
}

static bool same_machine(const struct tuned_machine *a, const struct tuned_machine *b,
                         struct error *e)
{
    if (strcmp(a->cpu, b->cpu) != 0)
        return error_set(e, "it is from another machine: %s, and this is %s", a->cpu, b->cpu);
    if (a->family != b->family || a->model != b->model || a->stepping != b->stepping)
        return error_set(e,
                         "it is from another CPU: family %d model %d stepping %d, and this is "
                         "family %d model %d stepping %d",
                         a->family, a->model, a->stepping, b->family, b->model, b->stepping);
    for (int i = 0; i < CACHE_LEVELS; i++) {
        if (a->caches[i] != b->caches[i])
            return error_set(e, "it is from a machine with %zu KiB of L%d cache, and this has %zu",
                             a->caches[i] >> 10, i + 1, b->caches[i] >> 10);
    }
    return a->allowed_cores == b->allowed_cores ||
           error_set(e, "it is from a run allowed on %d cores, and this one is on %d",
                     a->allowed_cores, b->allowed_cores);
}

static bool same_convs(const struct tuned_plan *plan, const struct network *net,
                       const struct steps *steps, struct error *e)
{
    int conv = 0;
    for (int i = 0; i < steps->count; i++) {
        const struct node *node = &net->nodes[steps->step[i].node];
        if (steps->step[i].kind != NODE_CONV)
            continue;
        const char *name = conv < plan->conv_count ? plan->names[conv] : "nothing";
        if (strcmp(name, node->name) != 0)
            return error_set(e, "where %s has the convolution %s, it has %s", net->name, node->name,
                             name);
        if (!algo_serves(plan->algos[conv], net, steps->step[i].node))
            return error_set(e, "%s cannot compute the convolution %s",
                             algo_name(plan->algos[conv]), node->name);
        conv++;
    }
    return conv == plan->conv_count ||
           error_set(e, "it has %d convolutions, but %s has %d", plan->conv_count, net->name, conv);
}

bool tuned_plan_fits(const struct tuned_plan *plan, const struct network *net,
                     const struct steps *steps, int batch, const struct machine *machine,
                     struct error *e)
{
    struct tuned_plan asked = {0};
    describe(&asked, net, steps, batch, machine);
    return same_network(&plan->network, &asked.network, e) &&
           same_machine(&plan->machine, &asked.machine, e) && same_convs(plan, net, steps, e);
}
