#include "harness/verify/record_file.h"

#include "arch/cpu.h"
#include "harness/json_fields.h"
#include "harness/team.h"
#include "harness/whole_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reader accepts its own and older ones. */
#define VERSION 1

/* Bytes: a record of all algorithms at 224 pixels has a tenth of it. */
#define MAX_BYTES ((size_t)8 << 20)

#define WHAT "verify file"

/* Numbers as one text of `digits` hexadecimal digits each; NULL when memory runs out. */
static json_t *digits_json(const void *numbers, size_t count, int digits)
{
    char *text = malloc(count * (size_t)digits + 1);
    for (size_t i = 0; text && i < count; i++) {
        unsigned number =
            digits == 4 ? ((const uint16_t *)numbers)[i] : ((const uint32_t *)numbers)[i];
        snprintf(text + i * (size_t)digits, (size_t)digits + 1, "%0*x", digits, number);
    }
    json_t *json = text && count > 0 ? json_string(text) : NULL;
    free(text);
    return json;
}

static json_t *layer_json(const struct record_layer *l)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "name", l->name, "algo",
                     l->algo, "channels", l->shape.channels, "height", l->shape.height, "width",
                     l->shape.width, "weights", json_hash(l->weights), "output", json_hash(l->hash),
                     "bands", digits_json(l->bands, record_bands(&l->shape), 4), "samples",
                     digits_json(l->samples, RECORD_SAMPLES, 8));
}

static json_t *run_json(const struct record_run *r, int layers)
{
    json_t *run = json_pack("{s:s, s:i}", "isa", isa_name(r->isa), "threads", r->threads);
    json_t *hashes = r->hashes ? json_array() : NULL;
    for (int i = 0; hashes && i < layers; i++)
        json_array_append_new(hashes, json_hash(r->hashes[i]));
    if (hashes)
        json_object_set_new(run, "hashes", hashes);
    return run;
}

static json_t *model_json(const struct record_model *m)
{
    json_t *layers = json_array(), *runs = json_array();
    for (int i = 0; i < m->layer_count; i++)
        json_array_append_new(layers, layer_json(&m->layers[i]));
    for (int i = 0; i < m->run_count; i++)
        json_array_append_new(runs, run_json(&m->runs[i], m->layer_count));
    return json_pack("{s:s, s:o, s:o}", "name", m->name, "runs", runs, "layers", layers);
}

json_t *record_json(const struct record *r)
{
    json_t *models = json_array();
    for (int i = 0; i < r->model_count; i++)
        json_array_append_new(models, model_json(&r->models[i]));
    json_t *network = json_pack("{s:s, s:s, s:i, s:i, s:i, s:o}", "name", r->network, "variant",
                                r->variant, "classes", r->classes, "size", r->size, "batch",
                                r->batch, "seed", json_hash(r->seed));
    if (*r->weights)
        json_object_set_new(network, "weights", json_string(r->weights));
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:o, s:o}", "format", "resmark verify file",
                     "version", VERSION, "resmark_version", r->resmark_version, "compiler",
                     r->compiler, "cpu", r->cpu, "architecture", r->architecture, "network",
                     network, "models", models);
}

/* Reads what digits_json() made of `count` numbers. */
static bool read_digits(const struct json_value *object, const char *key, int digits, size_t count,
                        uint32_t *numbers, struct error *e)
{
    const struct json_value *value = json_member(object, key);
    const char *text = json_text(value);
    size_t length = count * (size_t)digits;
    if (!text || value->size != length || strspn(text, "0123456789abcdef") != length)
        return error_set(e, "\"%s\" is missing or not of %zu hexadecimal digits", key, length);
    for (size_t i = 0; i < count; i++) {
        char number[9] = "";
        memcpy(number, text + i * (size_t)digits, (size_t)digits);
        numbers[i] = (uint32_t)strtoul(number, NULL, 16);
    }
    return true;
}

static bool read_bands(const struct json_value *object, struct record_layer *l, struct error *e)
{
    size_t count = record_bands(&l->shape);
    uint32_t *numbers = malloc(count * sizeof *numbers);
    l->bands = malloc(count * sizeof *l->bands);
    bool ok = (numbers && l->bands) || error_set(e, "no memory for %zu bands", count);
    ok = ok && read_digits(object, "bands", 4, count, numbers, e);
    for (size_t i = 0; ok && i < count; i++)
        l->bands[i] = (uint16_t)numbers[i];
    free(numbers);
    return ok;
}

static bool read_layer(const struct json_value *object, struct record_layer *l, struct error *e)
{
    return json_get_text(object, "name", l->name, sizeof l->name, e) &&
           json_get_text(object, "algo", l->algo, sizeof l->algo, e) &&
           json_get_integer(object, "channels", 1, PATTERN_MAX * BLOCK, &l->shape.channels, e) &&
           json_get_integer(object, "height", 1, PATTERN_MAX, &l->shape.height, e) &&
           json_get_integer(object, "width", 1, PATTERN_MAX, &l->shape.width, e) &&
           json_get_hash(object, "weights", &l->weights, e) &&
           json_get_hash(object, "output", &l->hash, e) && read_bands(object, l, e) &&
           read_digits(object, "samples", 8, RECORD_SAMPLES, l->samples, e);
}

static bool read_layers(const struct json_value *object, struct record_model *m, struct error *e)
{
    const struct json_value *rows;
    if (!json_get_list(object, "layers", 1, RECORD_MAX_LAYERS, &rows, e))
        return false;
    int count = (int)json_entries(rows);
    m->layers = calloc((size_t)count, sizeof *m->layers);
    if (!m->layers)
        return error_set(e, "no memory for %d layers", count);
    m->layer_count = count;
    for (int i = 0; i < count; i++) {
        if (!read_layer(json_entry(rows, (size_t)i), &m->layers[i], e))
            return json_in_part(e, *m->layers[i].name ? m->layers[i].name : "layers");
    }
    return true;
}

static bool read_run(const struct json_value *object, struct record_run *r, size_t layers,
                     struct error *e)
{
    char word[16];
    const struct json_value *hashes = json_member(object, "hashes");
    if (!json_get_text(object, "isa", word, sizeof word, e) || !isa_parse(word, &r->isa, e) ||
        !json_get_integer(object, "threads", 1, TEAM_MAX_THREADS, &r->threads, e))
        return false;
    if (!hashes)
        return true;
    if (!json_get_list(object, "hashes", layers, layers, &hashes, e))
        return false;
    r->hashes = calloc(layers, sizeof *r->hashes);
    for (size_t i = 0; r->hashes && i < layers; i++) {
        if (!json_hash_of(json_entry(hashes, i), &r->hashes[i]))
            return error_set(e, "\"hashes\" has an entry that is no 16 hexadecimal digits");
    }
    return r->hashes || error_set(e, "no memory for the hashes of %zu layers", layers);
}

static bool read_runs(const struct json_value *object, struct record_model *m, struct error *e)
{
    const struct json_value *rows;
    if (!json_get_list(object, "runs", 1, RECORD_MAX_RUNS, &rows, e))
        return false;
    for (size_t i = 0; i < json_entries(rows); i++) {
        if (!read_run(json_entry(rows, i), &m->runs[m->run_count++], (size_t)m->layer_count, e))
            return json_in_part(e, "runs");
    }
    return true;
}

static bool read_models(struct record *record, const struct json_value *root, struct error *e)
{
    const struct json_value *rows;
    if (!json_get_list(root, "models", 1, RECORD_MAX_MODELS, &rows, e))
        return false;
    for (size_t i = 0; i < json_entries(rows); i++) {
        const struct json_value *row = json_entry(rows, i);
        struct record_model *m = &record->models[record->model_count++];
        *m = (struct record_model){0};
        if (!json_get_text(row, "name", m->name, sizeof m->name, e) || !read_layers(row, m, e) ||
            !read_runs(row, m, e))
            return json_in_part(e, *m->name ? m->name : "models");
    }
    return true;
}

static bool read_network(struct record *r, const struct json_value *object, struct error *e)
{
    return json_get_text(object, "name", r->network, sizeof r->network, e) &&
           json_get_text(object, "variant", r->variant, sizeof r->variant, e) &&
           json_get_integer(object, "classes", 1, MODEL_MAX_CLASSES, &r->classes, e) &&
           json_get_integer(object, "size", MODEL_MIN_SIZE, MODEL_MAX_SIZE, &r->size, e) &&
           json_get_integer(object, "batch", 1, MODEL_MAX_BATCH, &r->batch, e) &&
           json_get_hash(object, "seed", &r->seed, e) &&
           (!json_member(object, "weights") ||
            json_get_text(object, "weights", r->weights, sizeof r->weights, e));
}

static bool read_record(struct record *r, const struct json_value *root, struct error *e)
{
    bool ok =
        json_check_format(root, "verify file", VERSION, e) &&
        json_get_text(root, "resmark_version", r->resmark_version, sizeof r->resmark_version, e) &&
        json_get_text(root, "compiler", r->compiler, sizeof r->compiler, e) &&
        json_get_text(root, "cpu", r->cpu, sizeof r->cpu, e) &&
        json_get_text(root, "architecture", r->architecture, sizeof r->architecture, e);
    ok = ok && (read_network(r, json_member(root, "network"), e) || json_in_part(e, "network"));
    return ok && read_models(r, root, e);
}

bool record_file_write(const struct record *record, const char *path, struct error *e)
{
    json_t *root = record_json(record);
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    bool ok =
        text ? whole_file_write(path, WHAT, text, e) : error_set(e, "no memory for the " WHAT);
    free(text);
    return ok;
}

bool record_decode(struct record *record, const char *bytes, size_t size, const char *name,
                   struct error *e)
{
    struct json_document document;
    *record = (struct record){0};
    bool ok = json_parse(&document, bytes, size, NULL, e) && read_record(record, document.root, e);
    json_document_free(&document);
    if (ok)
        return true;
    record_free(record);
    struct error inner = *e;
    return error_set(e, "cannot use the " WHAT " %.200s: %s", name, inner.text);
}

bool record_file_read(struct record *record, const char *path, struct error *e)
{
    size_t size;
    *record = (struct record){0};
    char *bytes = whole_file_read(path, WHAT, MAX_BYTES, &size, e);
    bool ok = bytes && record_decode(record, bytes, size, path, e);
    free(bytes);
    return ok;
}
