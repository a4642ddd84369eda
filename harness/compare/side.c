#include "harness/compare/side.h"

#include "harness/json_fields.h"

#include <stdlib.h>
#include <string.h>

/* Pixels, threads, images. */
#define MAX_COUNT (1 << 24)

static bool read_layer(struct side_layer *layer, const struct json_value *object, struct error *e)
{
    return (json_get_text(object, "name", layer->name, sizeof layer->name, e) &&
            json_get_text(object, "algo", layer->algo, sizeof layer->algo, e) &&
            json_get_text(object, "kernel", layer->kernel, sizeof layer->kernel, e)) ||
           json_in_part(e, "layers");
}

static bool read_layers(struct side_subject *s, const struct json_value *root, struct error *e)
{
    const struct json_value *list;
    if (!json_get_list(root, "layers", 1, SIDE_MAX_LAYERS, &list, e))
        return false;
    s->layer_count = (int)json_entries(list);
    for (int i = 0; i < s->layer_count; i++) {
        if (!read_layer(&s->layers[i], json_entry(list, (size_t)i), e))
            return false;
    }
    return true;
}

static bool read_subject(struct side_subject *s, const struct json_value *root, struct error *e)
{
    int version;
    return json_get_integer(root, "version", 1, 1, &version, e) &&
           json_get_text(root, "resmark_version", s->resmark_version, sizeof s->resmark_version,
                         e) &&
           json_get_text(root, "compiler", s->compiler, sizeof s->compiler, e) &&
           json_get_text(root, "network", s->network, sizeof s->network, e) &&
           json_get_text(root, "variant", s->variant, sizeof s->variant, e) &&
           json_get_text(root, "isa", s->isa, sizeof s->isa, e) &&
           json_get_text(root, "algo", s->algo, sizeof s->algo, e) &&
           json_get_integer(root, "size", 1, MAX_COUNT, &s->size, e) &&
           json_get_integer(root, "threads", 1, MAX_COUNT, &s->threads, e) &&
           json_get_integer(root, "batch", 1, MAX_COUNT, &s->batch, e) &&
           json_get_hash(root, "logits_hash", &s->logits_hash, e) && read_layers(s, root, e);
}

static bool refuse(const struct side *side, struct error *e)
{
    struct error inner = *e;
    return error_set(e,
                     "%.200s sample cannot be understood; is it a resmark that can be compared "
                     "live? %s",
                     side->child.program, inner.text);
}

bool side_start(struct side *side, const char *program, char *const *arguments, struct error *e)
{
    char name[] = "resmark", command[] = "sample";
    size_t count = 0;
    while (arguments[count])
        count++;
    char **all = calloc(count + 3, sizeof *all);
    if (!all)
        return error_set(e, "no memory for %zu arguments", count);
    all[0] = name;
    all[1] = command;
    memcpy(all + 2, arguments, count * sizeof *all);
    bool started = child_start(&side->child, program, all, e);
    free(all);
    char *line = started ? child_line(&side->child, e) : NULL;
    if (!line)
        return false;
    struct json_document document;
    bool ok = json_parse(&document, line, strlen(line), NULL, e) &&
              read_subject(&side->subject, document.root, e);
    json_document_free(&document);
    return ok || refuse(side, e);
}

/* The number at *at, which moves behind it. */
static bool next_number(char **at, double *value)
{
    char *end;
    *value = strtod(*at, &end);
    bool ok = end != *at && *value >= 0 && *value < 1e18;
    *at = end;
    return ok;
}

bool side_run(struct side *side, struct side_time *time, struct error *e)
{
    if (!child_tell(&side->child, "1\n", e))
        return false;
    char *line = child_line(&side->child, e);
    if (!line)
        return false;
    bool ok = next_number(&line, &time->wall) && next_number(&line, &time->cpu) && time->wall > 0 &&
              time->cpu > 0;
    for (int i = 0; ok && i < side->subject.layer_count; i++)
        ok = next_number(&line, &time->layers[i]);
    return (ok && !*line) || error_set(e, "%.200s sample: an answer is not of %d times",
                                       side->child.program, side->subject.layer_count + 2);
}

void side_end(struct side *side)
{
    child_end(&side->child);
}
