#include "harness/verify/pattern.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Most pixels that the largest tile of an algorithm cuts off at an edge. */
#define EDGE_PIXELS 4

/* The marks of an axis. */
struct span {
    int size, count, first, last;
};

static struct span span_of(const struct pattern *p, enum pattern_axis axis)
{
    struct span s = {.size = p->size[axis], .first = -1};
    for (int i = 0; i < s.size; i++) {
        if (!p->marked[axis][i])
            continue;
        s.count++;
        s.first = s.first < 0 ? i : s.first;
        s.last = i;
    }
    return s;
}

void pattern_clear(struct pattern *p, const struct tensor *t)
{
    memset(p, 0, sizeof *p);
    p->size[PATTERN_LANE] = t->channels < BLOCK ? t->channels : BLOCK;
    p->size[PATTERN_BLOCK] = tensor_blocks(t);
    p->size[PATTERN_ROW] = t->height;
    p->size[PATTERN_COLUMN] = t->width;
    for (int axis = 0; axis < PATTERN_AXES; axis++)
        assert(p->size[axis] <= PATTERN_MAX);
}

void pattern_mark(struct pattern *p, const int at[PATTERN_AXES])
{
    for (int axis = 0; axis < PATTERN_AXES; axis++)
        p->marked[axis][at[axis]] = true;
}

static bool is_edge(const struct span *s, int most)
{
    return s->size > most && s->first >= s->size - most;
}

enum pattern_kind pattern_kind(const struct pattern *p)
{
    bool one = true, all = true, edge = false;
    for (int axis = 0; axis < PATTERN_AXES; axis++) {
        struct span s = span_of(p, (enum pattern_axis)axis);
        if (s.count == 0)
            return PATTERN_NOTHING;
        one = one && s.count == 1;
        all = all && s.count == s.size;
        edge =
            edge || (axis != PATTERN_LANE && is_edge(&s, axis == PATTERN_BLOCK ? 1 : EDGE_PIXELS));
    }
    return one ? PATTERN_ONE_VALUE : all ? PATTERN_EVERYTHING : edge ? PATTERN_EDGE : PATTERN_PART;
}

static void append(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", more);
}

/* `unit` numbers stand behind one mark: the 16 channels of a block. */
static void append_span(const struct span *s, const char *name, int unit, char *text, size_t size)
{
    char part[96];
    bool whole = s->count == s->last - s->first + 1;
    if (s->count == s->size)
        snprintf(part, sizeof part, s->size == 1 ? "the only %s" : "all %ss", name);
    else if (!whole)
        snprintf(part, sizeof part, "%d %ss between %d and %d of %d", s->count * unit, name,
                 s->first * unit, s->last * unit + unit - 1, s->size * unit);
    else if (s->count * unit == 1)
        snprintf(part, sizeof part, "%s %d of %d", name, s->first, s->size);
    else
        snprintf(part, sizeof part, "%ss %d to %d of %d", name, s->first * unit,
                 s->last * unit + unit - 1, s->size * unit);
    append(text, size, part);
}

static void append_channels(const struct pattern *p, char *text, size_t size)
{
    char part[64];
    struct span lane = span_of(p, PATTERN_LANE), block = span_of(p, PATTERN_BLOCK);
    if (lane.count == 1 && block.count == 1) {
        snprintf(part, sizeof part, "channel %d", block.first * BLOCK + lane.first);
        append(text, size, part);
        return;
    }
    append_span(&block, "channel", BLOCK, text, size);
    if (lane.count < lane.size) {
        snprintf(part, sizeof part, " (%d of each 16)", lane.count);
        append(text, size, part);
    }
}

void pattern_describe(const struct pattern *p, char *text, size_t size)
{
    static const char *const kinds[] = {"nothing", "one value: ", "a tile's edge: ", "",
                                        "everything: "};
    struct span row = span_of(p, PATTERN_ROW), column = span_of(p, PATTERN_COLUMN);
    enum pattern_kind kind = pattern_kind(p);
    snprintf(text, size, "%s", kinds[kind]);
    if (kind == PATTERN_NOTHING)
        return;
    append_channels(p, text, size);
    append(text, size, ", ");
    append_span(&row, "row", 1, text, size);
    append(text, size, ", ");
    append_span(&column, "column", 1, text, size);
}
