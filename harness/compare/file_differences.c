#include "harness/compare/file_differences.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool machine_differences(struct differences *d, const struct result_machine *a,
                                const struct result_machine *b, int version, struct error *e)
{
    return differences_text(d, true, "CPU", a->cpu, b->cpu, e) &&
           differences_number(d, true, "cores", a->cores, b->cores, e) &&
           differences_number(d, true, "allowed cores", a->allowed_cores, b->allowed_cores, e) &&
           differences_number(d, true, "CPU quota", a->quota_cores, b->quota_cores, e) &&
           differences_text(d, false, "huge pages", a->huge_pages, b->huge_pages, e) &&
           (version < 2 ||
            (differences_text(d, true, "architecture", a->architecture, b->architecture, e) &&
             differences_text(d, false, "governor", a->governor, b->governor, e) &&
             differences_text(d, false, "kernel of the system", a->kernel, b->kernel, e)));
}

static bool hash_difference(struct differences *d, const char *what, uint64_t a, uint64_t b,
                            struct error *e)
{
    char texts[2][20];
    snprintf(texts[0], sizeof texts[0], "%016" PRIx64, a);
    snprintf(texts[1], sizeof texts[1], "%016" PRIx64, b);
    return differences_text(d, false, what, texts[0], texts[1], e);
}

bool file_differences(struct differences *d, const struct result *a, const struct result *b,
                      struct error *e)
{
    int version = a->version < b->version ? a->version : b->version;
    return machine_differences(d, &a->machine, &b->machine, version, e) &&
           differences_number(d, true, "size of the image", a->image_size, b->image_size, e) &&
           differences_text(d, false, "version", a->resmark_version, b->resmark_version, e) &&
           differences_text(d, false, "compiler", a->compiler, b->compiler, e) &&
           (version < 2 ||
            (hash_difference(d, "build", a->executable_hash, b->executable_hash, e) &&
             differences_text(d, false, "build type", a->build_type, b->build_type, e))) &&
           differences_text(d, false, "status", a->status, b->status, e);
}

bool row_matches(const struct result_row *a, const struct result_row *b)
{
    return strcmp(a->network, b->network) == 0 && strcmp(a->isa, b->isa) == 0 &&
           strcmp(a->algo, b->algo) == 0 && a->threads == b->threads && a->batch == b->batch &&
           a->instances == b->instances && strcmp(a->cache, b->cache) == 0 &&
           strcmp(a->scenario, b->scenario) == 0;
}

const char *row_name(const struct result_row *row, char name[160])
{
    int used = snprintf(name, 160, "%s, %s, %s, %d thread%s, batch %d", row->network, row->isa,
                        row->algo, row->threads, row->threads == 1 ? "" : "s", row->batch);
    if (row->instances > 1)
        used += snprintf(name + used, 160 - (size_t)used, ", %d instances", row->instances);
    if (strcmp(row->cache, "hot") != 0)
        snprintf(name + used, 160 - (size_t)used, ", %s", row->cache);
    return name;
}

static bool same_layer(const struct result_layer *a, const struct result_layer *b)
{
    return strcmp(a->name, b->name) == 0 && a->cin == b->cin && a->cout == b->cout &&
           a->height == b->height && a->width == b->width && a->stride == b->stride &&
           a->kernel_size == b->kernel_size;
}

bool row_same_layers(const struct result_row *a, const struct result_row *b)
{
    bool same = a->layer_count == b->layer_count;
    for (int i = 0; same && i < a->layer_count; i++)
        same = same_layer(&a->layers[i], &b->layers[i]);
    return same;
}

/* The first layer that runs otherwise; where none does, the plans may still cut their loops
 * otherwise. */
static bool plan_difference(struct differences *d, const struct result_row *a,
                            const struct result_row *b, struct error *e)
{
    for (int i = 0; row_same_layers(a, b) && i < a->layer_count; i++) {
        const struct result_layer *x = &a->layers[i], *y = &b->layers[i];
        char what[64], texts[2][96];
        if (strcmp(x->algo, y->algo) == 0 && strcmp(x->kernel, y->kernel) == 0)
            continue;
        snprintf(what, sizeof what, "plan, first in %s", x->name);
        snprintf(texts[0], sizeof texts[0], "%s, %s", x->algo, x->kernel);
        snprintf(texts[1], sizeof texts[1], "%s, %s", y->algo, y->kernel);
        return differences_text(d, false, what, texts[0], texts[1], e);
    }
    return !a->plan_hash || !b->plan_hash ||
           hash_difference(d, "plan", a->plan_hash, b->plan_hash, e);
}

bool row_differences(struct differences *d, const struct result_row *a, const struct result_row *b,
                     struct error *e)
{
    return differences_text(d, true, "network variant", a->variant, b->variant, e) &&
           differences_text(d, true, "precision", a->precision, b->precision, e) &&
           (row_same_layers(a, b) ||
            differences_number(d, true, "layers", a->layer_count, b->layer_count, e)) &&
           plan_difference(d, a, b, e) &&
           hash_difference(d, "bits of the logits", a->logits_hash, b->logits_hash, e);
}

const char *row_spoiled(const struct result_row *row, bool short_ones)
{
    static const struct {
        const char *code;
        bool only_long;
    } causes[] = {{"above_ceiling", false},       {"steal", true},       {"others_on_cores", true},
                  {"involuntary_switches", true}, {"migrations", false}, {"quota_throttled", true}};
    for (int i = 0; i < row->reasons.count; i++) {
        for (size_t k = 0; k < sizeof causes / sizeof *causes; k++) {
            if (strcmp(row->reasons.list[i].code, causes[k].code) == 0 &&
                !(short_ones && causes[k].only_long))
                return causes[k].code;
        }
    }
    return NULL;
}
