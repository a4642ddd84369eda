#include "harness/result/result.h"

#include "harness/json_fields.h"
#include "harness/result/result_parts.h"
#include "harness/whole_file.h"

#include <stdlib.h>
#include <string.h>

bool result_in_entry(struct error *e, const char *list, size_t index)
{
    char place[64];
    snprintf(place, sizeof place, "%s[%zu]", list, index);
    return json_in_part(e, place);
}

static bool read_version(struct result *result, const struct json_value *root, struct error *e)
{
    const struct json_value *resmark = json_member(root, "resmark");
    long long version;
    if (!json_is(resmark, JSON_KIND_OBJECT))
        return error_set(e, "it is no result file: it has no \"resmark\" object");
    json_integer_of(json_member(resmark, "version"), &version);
    if (version > RESULT_NEWEST_VERSION)
        return error_set(
            e, "it is of format version %lld, and this resmark reads up to %d: use a newer one",
            version, RESULT_NEWEST_VERSION);
    result->version = (int)version;
    return version >= 1 || error_set(e, "resmark: \"version\" is missing or no version");
}

static bool read_machine(struct result_machine *m, const struct json_value *object, struct error *e)
{
    return (json_get_text(object, "cpu", m->cpu, sizeof m->cpu, e) &&
            json_get_text_or_none(object, "architecture", m->architecture, sizeof m->architecture,
                                  e) &&
            json_get_text_or_none(object, "kernel", m->kernel, sizeof m->kernel, e) &&
            json_get_text_or_none(object, "os", m->os, sizeof m->os, e) &&
            json_get_integer(object, "cores", 1, RESULT_MAX_COUNT, &m->cores, e) &&
            json_get_integer(object, "allowed_cores", 1, RESULT_MAX_COUNT, &m->allowed_cores, e) &&
            json_get_number(object, "quota_cores", 0, &m->quota_cores, e) &&
            json_get_text_or_none(object, "huge_pages", m->huge_pages, sizeof m->huge_pages, e) &&
            json_get_text_or_none(object, "governor", m->governor, sizeof m->governor, e) &&
            json_get_measured(object, "memory_bytes", 0, &m->memory_bytes, e)) ||
           json_in_part(e, "machine");
}

static bool read_network(struct result *result, const struct json_value *network, struct error *e)
{
    return (json_get_integer(network, "size", 1, RESULT_MAX_COUNT, &result->image_size, e) &&
            json_get_number(network, "macs", 1, &result->image_macs, e)) ||
           json_in_part(e, "network");
}

static bool read_build(struct result *result, const struct json_value *build, struct error *e)
{
    const struct json_value *hash = json_member(build, "executable_hash");
    return (json_get_text(build, "type", result->build_type, sizeof result->build_type, e) &&
            (json_is(hash, JSON_KIND_NULL) ||
             json_get_hash(build, "executable_hash", &result->executable_hash, e))) ||
           json_in_part(e, "build");
}

static bool read_status(struct result *result, const struct json_value *resmark, struct error *e)
{
    return json_get_text(resmark, "status", result->status, sizeof result->status, e) &&
           (strcmp(result->status, "complete") == 0 || strcmp(result->status, "interrupted") == 0 ||
            error_set(e, "\"status\" is neither complete nor interrupted: %s", result->status));
}

static bool read_head(struct result *result, const struct json_value *root, struct error *e)
{
    const struct json_value *context = json_member(root, "context");
    const struct json_value *own = json_member(root, "resmark");
    strcpy(result->status, "complete");
    if (!json_get_text_or_none(context, "host_name", result->host, sizeof result->host, e) ||
        !json_get_text_or_none(context, "date", result->date, sizeof result->date, e))
        return json_in_part(e, "context");
    return (json_get_text(own, "resmark_version", result->resmark_version,
                          sizeof result->resmark_version, e) &&
            json_get_text(own, "compiler", result->compiler, sizeof result->compiler, e) &&
            read_machine(&result->machine, json_member(own, "machine"), e) &&
            (result->version == 1 ||
             (read_status(result, own, e) && read_build(result, json_member(own, "build"), e) &&
              read_network(result, json_member(own, "network"), e)))) ||
           json_in_part(e, "resmark");
}

static bool read_root(struct result *result, const struct json_value *root, struct error *e)
{
    const struct json_value *own = json_member(root, "resmark");
    return read_version(result, root, e) && read_head(result, root, e) &&
           (result->version == 1 || result_ceilings_read(&result->ceilings, own, e)) &&
           result_rows_read(result, own, e) && result_samples_read(result, root, e) &&
           result_layers_read(result, own, e);
}

bool result_parse(struct result *result, const char *bytes, size_t size, struct error *e)
{
    struct json_document document;
    *result = (struct result){0};
    bool ok = json_parse(&document, bytes, size, NULL, e) && read_root(result, document.root, e);
    json_document_free(&document);
    return ok;
}

bool result_read(struct result *result, const char *path, struct error *e)
{
    size_t size;
    *result = (struct result){0};
    char *bytes = whole_file_read(path, "result file", RESULT_MAX_BYTES, &size, e);
    if (!bytes)
        return false;
    bool ok = result_parse(result, bytes, size, e);
    free(bytes);
    if (ok)
        return true;
    struct error inner = *e;
    return error_set(e, "cannot use the result file %.200s: %s", path, inner.text);
}

static void free_row(struct result_row *row)
{
    free(row->reasons.list);
    free(row->notes.list);
    free(row->samples.ms);
    free(row->samples.ceiling_gflops);
    free(row->samples.clock_ghz);
    free(row->samples.at_s);
    free(row->layers);
}

void result_free(struct result *result)
{
    for (int i = 0; i < result->row_count; i++)
        free_row(&result->end_to_end[i]);
    free(result->end_to_end);
    free(result->ceilings.fma);
    free(result->ceilings.bandwidth);
    *result = (struct result){0};
}
