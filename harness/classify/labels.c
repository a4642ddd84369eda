#include "harness/classify/labels.h"

#include <stddef.h>

static bool check(const struct lines *lines, const char *path, int classes, struct error *e)
{
    if (lines->count != classes)
        return error_set(e, "the labels file %s has %d lines, but the network has %d classes", path,
                         lines->count, classes);
    for (int i = 0; i < classes; i++) {
        if (!*lines->line[i])
            return error_set(e, "the labels file %s has nothing in line %d", path, i + 1);
    }
    return true;
}

bool labels_read(struct labels *labels, const char *path, int classes, struct error *e)
{
    *labels = (struct labels){0};
    if (!path) {
        labels->count = classes == LABELS_IMAGENET_COUNT ? classes : 0;
        return true;
    }
    if (lines_read(&labels->lines, path, "labels file", e) &&
        check(&labels->lines, path, classes, e)) {
        labels->count = classes;
        return true;
    }
    labels_free(labels);
    return false;
}

void labels_free(struct labels *labels)
{
    lines_free(&labels->lines);
    *labels = (struct labels){0};
}

const char *labels_name(const struct labels *labels, int class)
{
    if (class >= labels->count)
        return NULL;
    return labels->lines.line ? labels->lines.line[class] : labels_imagenet[class];
}
