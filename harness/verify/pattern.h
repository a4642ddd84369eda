/** Where two tensors differ, seen from each side: in which channels, rows and columns. */
#ifndef RESMARK_HARNESS_VERIFY_PATTERN_H
#define RESMARK_HARNESS_VERIFY_PATTERN_H

#include "kernels/tensor.h"

/** A channel is a block and a lane in it: channel = block * 16 + lane. */
enum pattern_axis { PATTERN_LANE, PATTERN_BLOCK, PATTERN_ROW, PATTERN_COLUMN, PATTERN_AXES };

/** Longest axis: a network's input has at most 4096 pixels a side, and no layer more channels than
 * the dense one, of at most 100000 classes. */
#define PATTERN_MAX 8192

struct pattern {
    int size[PATTERN_AXES];
    bool marked[PATTERN_AXES][PATTERN_MAX];
};

/** What a pattern amounts to. */
enum pattern_kind {
    PATTERN_NOTHING,
    PATTERN_ONE_VALUE,
    PATTERN_EDGE, /**< the last rows, columns or channels alone: where a tile is cut off */
    PATTERN_PART,
    PATTERN_EVERYTHING,
};

/** Sets the sizes of a tensor's axes; nothing is marked. */
void pattern_clear(struct pattern *p, const struct tensor *t);

/** Marks an element: a lane, block, row and column. */
void pattern_mark(struct pattern *p, const int at[PATTERN_AXES]);

enum pattern_kind pattern_kind(const struct pattern *p);

/** In words, such as "a tile's edge: all channels, rows 54 to 55 of 56, all columns". */
void pattern_describe(const struct pattern *p, char *text, size_t size);

#endif
