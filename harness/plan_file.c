#include "harness/plan_file.h"

#include "harness/json_fields.h"
#include "harness/whole_file.h"

#include <stdlib.h>
#include <string.h>

/* A reader accepts its own and older ones. */
#define VERSION 1

/* Bytes: a plan of all cuts has under a quarter of it. */
#define MAX_BYTES ((size_t)4 << 20)

/* Blocks of channels in a group or a chunk, at most: no layer has more. */
#define MAX_BLOCKS 4096

static json_t *network_json(const struct tuned_network *n)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:o}", "name", n->name, "variant", n->variant,
                     "classes", n->classes, "size", n->size, "batch", n->batch, "steps", n->steps,
                     "graph_hash", json_hash(n->hash));
}

static json_t *machine_json(const struct tuned_machine *m)
{
    json_t *caches = json_array();
    for (int i = 0; i < CACHE_LEVELS; i++)
        json_array_append_new(caches, json_integer((json_int_t)m->caches[i]));
    return json_pack("{s:s, s:i, s:i, s:i, s:o, s:i}", "cpu", m->cpu, "family", m->family, "model",
                     m->model, "stepping", m->stepping, "cache_bytes", caches, "allowed_cores",
                     m->allowed_cores);
}

static json_t *blocking_json(enum algo algo, const struct step_blocking *b,
                             const struct tuned_time *time)
{
    json_t *row = algo == ALGO_DIRECT ? json_pack("{s:i, s:i, s:i}", "strip", b->conv.strip,
                                                  "group", b->conv.group, "chunk", b->conv.chunk)
                                      : json_pack("{s:i, s:b}", "chunk", b->bilinear.chunk,
                                                  "by_channels", (int)b->bilinear.by_channels);
    json_object_set_new(row, "rule_us", json_real(time->rule_us));
    json_object_set_new(row, "tuned_us", json_real(time->tuned_us));
    return row;
}

static json_t *cut_json(const struct tuned_plan *plan, const struct tuned_cut *cut)
{
    json_t *rows = json_array();
    for (int i = 0; i < plan->conv_count; i++)
        json_array_append_new(rows,
                              blocking_json(plan->algos[i], &cut->blockings[i], &cut->times[i]));
    return json_pack("{s:s, s:i, s:o}", "isa", isa_name(cut->isa), "threads", cut->threads,
                     "blockings", rows);
}

json_t *tuned_plan_json(const struct tuned_plan *plan)
{
    json_t *convs = json_array(), *cuts = json_array();
    for (int i = 0; i < plan->conv_count; i++)
        json_array_append_new(convs, json_pack("{s:s, s:s}", "name", plan->names[i], "algo",
                                               algo_name(plan->algos[i])));
    for (int i = 0; i < plan->cut_count; i++)
        json_array_append_new(cuts, cut_json(plan, &plan->cuts[i]));
    return json_pack("{s:s, s:i, s:s, s:o, s:o, s:o, s:o}", "format", "resmark plan", "version",
                     VERSION, "resmark_version", plan->resmark_version, "network",
                     network_json(&plan->network), "machine", machine_json(&plan->machine),
                     "convolutions", convs, "cuts", cuts);
}

static bool read_network(const struct json_value *object, struct tuned_network *n, struct error *e)
{
    if (!json_get_text(object, "name", n->name, sizeof n->name, e) ||
        !json_get_text(object, "variant", n->variant, sizeof n->variant, e) ||
        !json_get_integer(object, "classes", 1, 100000, &n->classes, e) ||
        !json_get_integer(object, "size", 1, 4096, &n->size, e) ||
        !json_get_integer(object, "batch", 1, 1 << 20, &n->batch, e) ||
        !json_get_integer(object, "steps", 1, 1 << 20, &n->steps, e))
        return false;
    return json_get_hash(object, "graph_hash", &n->hash, e);
}

static bool read_machine(const struct json_value *object, struct tuned_machine *m, struct error *e)
{
    const struct json_value *caches;
    if (!json_get_text(object, "cpu", m->cpu, sizeof m->cpu, e) ||
        !json_get_integer(object, "family", 0, INT32_MAX, &m->family, e) ||
        !json_get_integer(object, "model", 0, INT32_MAX, &m->model, e) ||
        !json_get_integer(object, "stepping", 0, INT32_MAX, &m->stepping, e) ||
        !json_get_integer(object, "allowed_cores", 1, INT32_MAX, &m->allowed_cores, e) ||
        !json_get_list(object, "cache_bytes", CACHE_LEVELS, CACHE_LEVELS, &caches, e))
        return false;
    for (int i = 0; i < CACHE_LEVELS; i++) {
        long long bytes;
        json_integer_of(json_entry(caches, (size_t)i), &bytes);
        if (bytes < 0)
            return error_set(e, "\"cache_bytes\" has a negative size");
        m->caches[i] = (size_t)bytes;
    }
    return true;
}

static bool read_conv(const struct json_value *object, char name[48], enum algo *algo,
                      struct error *e)
{
    char word[16];
    if (!json_get_text(object, "name", name, 48, e) ||
        !json_get_text(object, "algo", word, sizeof word, e))
        return false;
    return (algo_parse(word, algo) && *algo != ALGO_AUTO) ||
           error_set(e, "\"algo\" of %s is none of " ALGO_NAMES ": %s", name, word);
}

static bool read_blocking(const struct json_value *object, enum algo algo, struct step_blocking *b,
                          struct tuned_time *time, struct error *e)
{
    if (!json_get_number(object, "rule_us", 0, &time->rule_us, e) ||
        !json_get_number(object, "tuned_us", 0, &time->tuned_us, e))
        return false;
    if (algo == ALGO_DIRECT)
        return json_get_integer(object, "strip", 1, CONV_MAX_STRIP, &b->conv.strip, e) &&
               json_get_integer(object, "group", 1, MAX_BLOCKS, &b->conv.group, e) &&
               json_get_integer(object, "chunk", 1, MAX_BLOCKS, &b->conv.chunk, e);
    const struct json_value *by_channels = json_member(object, "by_channels");
    b->bilinear.by_channels = json_holds(by_channels);
    return json_get_integer(object, "chunk", 1, BILINEAR_MAX_CHUNK, &b->bilinear.chunk, e) &&
           (json_is(by_channels, JSON_KIND_BOOLEAN) ||
            error_set(e, "\"by_channels\" is missing or neither true nor false"));
}

static bool read_cut(struct tuned_plan *plan, const struct json_value *object, struct error *e)
{
    char word[16];
    enum isa isa;
    int threads = 0;
    const struct json_value *rows;
    size_t convs = (size_t)plan->conv_count;
    if (!json_get_text(object, "isa", word, sizeof word, e) || !isa_parse(word, &isa, e) ||
        !json_get_integer(object, "threads", 1, TEAM_MAX_THREADS, &threads, e) ||
        !json_get_list(object, "blockings", convs, convs, &rows, e))
        return false;
    if (tuned_plan_find(plan, isa, threads))
        return error_set(e, "there are two for %s on %d threads", word, threads);
    struct tuned_cut *cut = tuned_plan_add(plan, isa, threads, e);
    for (size_t i = 0; cut && i < convs; i++) {
        if (!read_blocking(json_entry(rows, i), plan->algos[i], &cut->blockings[i], &cut->times[i],
                           e))
            return json_in_part(e, plan->names[i]);
    }
    return cut != NULL;
}

static bool read_convs(struct tuned_plan *plan, const struct json_value *root, struct error *e)
{
    const struct json_value *rows;
    if (!json_get_list(root, "convolutions", 1, TUNED_MAX_CONVS, &rows, e))
        return false;
    size_t count = json_entries(rows);
    plan->names = calloc(count, sizeof *plan->names);
    plan->algos = calloc(count, sizeof *plan->algos);
    if (!plan->names || !plan->algos)
        return error_set(e, "no memory for a plan of %zu convolutions", count);
    for (size_t i = 0; i < count; i++) {
        if (!read_conv(json_entry(rows, i), plan->names[i], &plan->algos[i], e))
            return json_in_part(e, "convolutions");
    }
    plan->conv_count = (int)count;
    return true;
}

static bool read_cuts(struct tuned_plan *plan, const struct json_value *root, struct error *e)
{
    const struct json_value *rows;
    if (!json_get_list(root, "cuts", 1, TUNED_MAX_CUTS, &rows, e))
        return false;
    for (size_t i = 0; i < json_entries(rows); i++) {
        if (!read_cut(plan, json_entry(rows, i), e))
            return json_in_part(e, "cuts");
    }
    return true;
}

static bool read_plan(struct tuned_plan *plan, const struct json_value *root, struct error *e)
{
    bool ok = json_check_format(root, "plan", VERSION, e) &&
              json_get_text(root, "resmark_version", plan->resmark_version,
                            sizeof plan->resmark_version, e);
    ok = ok && (read_network(json_member(root, "network"), &plan->network, e) ||
                json_in_part(e, "network"));
    ok = ok && (read_machine(json_member(root, "machine"), &plan->machine, e) ||
                json_in_part(e, "machine"));
    return ok && read_convs(plan, root, e) && read_cuts(plan, root, e);
}

bool plan_file_decode(struct tuned_plan *plan, const char *bytes, size_t size, struct error *e)
{
    struct json_document document;
    *plan = (struct tuned_plan){0};
    bool ok = json_parse(&document, bytes, size, NULL, e) && read_plan(plan, document.root, e);
    json_document_free(&document);
    if (!ok)
        tuned_plan_free(plan);
    return ok;
}

bool plan_file_write(const struct tuned_plan *plan, const char *path, struct error *e)
{
    json_t *root = tuned_plan_json(plan);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(root);
    bool ok = text ? whole_file_write(path, "plan file", text, e)
                   : error_set(e, "no memory for the plan file");
    free(text);
    return ok;
}

/* Puts the file's name in front of why it cannot be used. */
static bool refuse(const char *path, struct error *e)
{
    struct error inner = *e;
    return error_set(e, "cannot use the plan file %.200s: %s", path, inner.text);
}

bool plan_file_read(struct tuned_plan *plan, const char *path, struct error *e)
{
    size_t size;
    *plan = (struct tuned_plan){0};
    char *bytes = whole_file_read(path, "plan file", MAX_BYTES, &size, e);
    if (!bytes)
        return false;
    bool ok = plan_file_decode(plan, bytes, size, e);
    free(bytes);
    return ok || refuse(path, e);
}

bool plan_file_use(struct tuned_plan *plan, const char *path, const struct network *net,
                   const struct steps *steps, int batch, const struct machine *machine,
                   struct error *e)
{
    return plan_file_read(plan, path, e) &&
           (tuned_plan_fits(plan, net, steps, batch, machine, e) || refuse(path, e));
}
