#include "harness/compare/output.h"

#include <stdlib.h>

void output_differences(const struct differences *d, const char *indent, FILE *out)
{
    for (int i = 0; i < d->count; i++)
        fprintf(out, "%sdiffers  %s: %s, %s\n", indent, d->list[i].what, d->list[i].values[0],
                d->list[i].values[1]);
}

json_t *output_differences_json(const struct differences *d)
{
    json_t *list = json_array();
    for (int i = 0; i < d->count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:b}", "what", d->list[i].what, "base",
                                        d->list[i].values[0], "other", d->list[i].values[1],
                                        "refused", (int)d->list[i].refused));
    return list;
}

bool output_json(json_t *root, FILE *out, struct error *e)
{
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(7)) : NULL;
    json_decref(root);
    if (!text)
        return error_set(e, "no memory for the comparison");
    fprintf(out, "%s\n", text);
    free(text);
    return true;
}
