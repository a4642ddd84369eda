#include "harness/compare/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {[OUTCOME_SAME] = "no difference",
                                        [OUTCOME_FASTER] = "faster",
                                        [OUTCOME_SLOWER] = "slower",
                                        [OUTCOME_SUSPECT] = "suspect",
                                        [OUTCOME_UNKNOWN] = "-"};
    return names[outcome];
}

enum outcome outcome_of(double ratio)
{
    return ratio < 1 ? OUTCOME_FASTER : OUTCOME_SLOWER;
}

bool differences_text(struct differences *d, bool refused, const char *what, const char *first,
                      const char *second, struct error *e)
{
    if (strcmp(first, second) == 0)
        return true;
    if (d->count == d->capacity) {
        int capacity = d->capacity ? 2 * d->capacity : 8;
        struct difference *list = realloc(d->list, (size_t)capacity * sizeof *list);
        if (!list)
            return error_set(e, "no memory for what differs");
        d->list = list;
        d->capacity = capacity;
    }
    struct difference *entry = &d->list[d->count++];
    entry->refused = refused;
    snprintf(entry->what, sizeof entry->what, "%s", what);
    snprintf(entry->values[0], sizeof entry->values[0], "%s", *first ? first : "unknown");
    snprintf(entry->values[1], sizeof entry->values[1], "%s", *second ? second : "unknown");
    return true;
}

bool differences_number(struct differences *d, bool refused, const char *what, double first,
                        double second, struct error *e)
{
    char texts[2][32];
    snprintf(texts[0], sizeof texts[0], "%.9g", first);
    snprintf(texts[1], sizeof texts[1], "%.9g", second);
    return differences_text(d, refused, what, texts[0], texts[1], e);
}

bool differences_allow(const struct differences *d, bool force, struct error *e)
{
    char text[400] = "";
    for (int i = 0; i < d->count && !force; i++) {
        const struct difference *entry = &d->list[i];
        size_t used = strlen(text);
        if (entry->refused)
            snprintf(text + used, sizeof text - used, "%s%s (%.60s, %.60s)", used ? ", " : "",
                     entry->what, entry->values[0], entry->values[1]);
    }
    return !*text || error_set(e, "they differ in %s; --force compares all the same", text);
}

void differences_free(struct differences *d)
{
    free(d->list);
    *d = (struct differences){0};
}
