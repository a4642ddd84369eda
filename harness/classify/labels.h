/** Names of classes. */
#ifndef RESMARK_HARNESS_CLASSIFY_LABELS_H
#define RESMARK_HARNESS_CLASSIFY_LABELS_H

#include "harness/classify/lines.h"

#define LABELS_IMAGENET_COUNT 1000

/** ImageNet's, which every published network of 1000 classes has. */
extern const char *const labels_imagenet[LABELS_IMAGENET_COUNT];

struct labels {
    struct lines lines; /**< of a file */
    int count;          /**< 0: classes go by their numbers */
};

/**
 * Reads a file with a name on each line, for `classes` classes. With a NULL path the names are
 * ImageNet's if there are 1000 classes, else none. False with `e` set: the file cannot be read, has
 * more or fewer lines, or an empty one. labels_free() releases.
 */
bool labels_read(struct labels *labels, const char *path, int classes, struct error *e);
void labels_free(struct labels *labels);

/** The name of a class; NULL when it has none. */
const char *labels_name(const struct labels *labels, int class);

#endif
