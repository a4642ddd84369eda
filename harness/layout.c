#include "harness/layout.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A piece of memory and the steps during which it holds something. */
struct place {
    size_t floats;
    size_t offset;
    int first, last; /* steps, inclusive; the image is there before step 0 */
    bool used;
    int shares; /* the value whose place this one takes; itself for most */
};

struct planner {
    const struct network *net;
    const struct steps *steps;
    struct tensor *values;
    struct place *places; /* one a value */
};

static bool stores(const struct step *step, int value)
{
    return step->sum == value || step->act == value;
}

static bool reads(const struct step *step, int value)
{
    return step->in == value || step->residual == value;
}

static bool wants_border(const struct node *node)
{
    return node->kind == NODE_CONV || (node->kind == NODE_MAX_POOL && node->zeros);
}

/* Zeros that the readers of a value expect round it. */
static int border_of(const struct planner *p, int value)
{
    int border = 0;
    for (int i = 0; i < p->steps->count; i++) {
        const struct step *step = &p->steps->step[i];
        const struct node *node = &p->net->nodes[step->node];
        if (step->in == value && wants_border(node) && node->pad > border)
            border = node->pad;
    }
    return border;
}

/* When a value lives; the image and what nothing reads (the outputs) live for ever. */
static void find_life(struct planner *p, int value)
{
    struct place *place = &p->places[value];
    place->used = value == p->steps->image;
    place->first = -1;
    place->last = -1;
    place->shares = value;
    for (int i = 0; i < p->steps->count; i++) {
        if (stores(&p->steps->step[i], value)) {
            place->used = true;
            place->first = i;
        }
        if (reads(&p->steps->step[i], value))
            place->last = i;
    }
    if (place->last < 0 || value == p->steps->image) {
        place->first = -1;
        place->last = INT_MAX;
    }
}

static void describe(struct planner *p, int value, int batch)
{
    const struct shape *s = &p->net->nodes[value].shape;
    int border = border_of(p, value);
    p->values[value] = value == p->steps->image
                           ? tensor_image(s->height, s->width, border)
                           : tensor_blocked(s->channels, s->height, s->width, border);
    size_t floats = tensor_floats(&p->values[value], batch);
    p->places[value].floats = (floats + BLOCK - 1) / BLOCK * BLOCK;
}

static bool same_geometry(const struct tensor *a, const struct tensor *b)
{
    return a->channels == b->channels && a->height == b->height && a->width == b->width &&
           a->border == b->border && a->pixel == b->pixel;
}

static bool overlap(const struct place *a, const struct place *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Lets `value` take the place of `owner`, which then lives for both. */
static void share(struct planner *p, int value, int owner)
{
    struct place *a = &p->places[owner], *b = &p->places[value];
    a->first = b->first < a->first ? b->first : a->first;
    a->last = b->last > a->last ? b->last : a->last;
    b->shares = owner;
}

/* A sum goes where the shortcut was, if this step is the last that needs the shortcut. */
static void share_shortcuts(struct planner *p)
{
    for (int i = 0; i < p->steps->count; i++) {
        const struct step *step = &p->steps->step[i];
        if (step->sum < 0 || step->residual < 0)
            continue;
        int owner = step->residual;
        while (p->places[owner].shares != owner)
            owner = p->places[owner].shares;
        if (p->places[owner].last == i && same_geometry(&p->values[step->sum], &p->values[owner]) &&
            step->sum != owner)
            share(p, step->sum, owner);
    }
}

/*
 * Values with a border: each takes the place of an earlier one of its geometry that is no longer
 * needed. Where it is the first, its place is kept for its geometry during the whole run.
 */
static void share_bordered(struct planner *p, int nodes)
{
    for (int v = 0; v < nodes; v++) {
        if (!p->places[v].used || p->values[v].border == 0)
            continue;
        for (int owner = 0; owner < v && p->places[v].shares == v; owner++) {
            if (p->places[owner].used && p->places[owner].shares == owner &&
                same_geometry(&p->values[v], &p->values[owner]) &&
                !overlap(&p->places[v], &p->places[owner]))
                share(p, v, owner);
        }
    }
    for (int v = 0; v < nodes; v++) {
        if (p->values[v].border > 0) {
            p->places[v].first = -1;
            p->places[v].last = INT_MAX;
        }
    }
}

/* The lowest offset at which `value` meets no value that is already placed and lives with it. */
static void place_value(struct planner *p, int value, const int *placed, int placed_count)
{
    struct place *place = &p->places[value];
    for (int i = 0; i < placed_count;) {
        const struct place *other = &p->places[placed[i]];
        bool meets = overlap(place, other) && place->offset < other->offset + other->floats &&
                     other->offset < place->offset + place->floats;
        if (meets)
            place->offset = other->offset + other->floats;
        i = meets ? 0 : i + 1;
    }
}

/* The largest value that is not yet placed; -1 at the end. */
static int next_largest(const struct planner *p, int nodes, const bool *is_placed)
{
    int best = -1;
    for (int v = 0; v < nodes; v++) {
        if (!p->places[v].used || p->places[v].shares != v || is_placed[v])
            continue;
        if (best < 0 || p->places[v].floats > p->places[best].floats)
            best = v;
    }
    return best;
}

/* Places everything; returns the floats of memory it takes. */
static size_t place_all(struct planner *p, int nodes, int *placed, bool *is_placed)
{
    size_t end = 0;
    int count = 0;
    for (int v; (v = next_largest(p, nodes, is_placed)) >= 0;) {
        place_value(p, v, placed, count);
        placed[count++] = v;
        is_placed[v] = true;
        size_t v_end = p->places[v].offset + p->places[v].floats;
        end = v_end > end ? v_end : end;
    }
    return end;
}

static bool point_values(struct planner *p, int nodes, struct memory *memory, size_t floats,
                         struct error *e)
{
    if (!memory_map(memory, floats, "the activations", e))
        return false;
    for (int v = 0; v < nodes; v++) {
        int owner = v;
        while (p->places[owner].shares != owner)
            owner = p->places[owner].shares;
        if (p->places[v].used)
            tensor_place(&p->values[v], memory->data + p->places[owner].offset);
    }
    return true;
}

/* Kernels take offsets of 32 bits. */
static bool check_sizes(const struct planner *p, int batch, struct error *e)
{
    for (int v = 0; v < p->net->node_count; v++) {
        if (p->places[v].used && tensor_floats(&p->values[v], batch) > INT32_MAX)
            return error_set(e, "a batch of %d is too large: %s would have over 2^31 elements",
                             batch, p->net->nodes[v].name);
    }
    return true;
}

bool layout_make(struct layout *layout, const struct network *net, const struct steps *steps,
                 int batch, struct error *e)
{
    size_t nodes = (size_t)net->node_count;
    *layout = (struct layout){.batch = batch,
                              .values = calloc(nodes, sizeof *layout->values),
                              .places = calloc(nodes, sizeof *layout->places),
                              .value_count = net->node_count};
    struct planner p = {net, steps, layout->values, layout->places};
    int *placed = calloc(nodes, sizeof *placed);
    bool *is_placed = calloc(nodes, sizeof *is_placed);
    bool ok = p.values && p.places && placed && is_placed;
    if (!ok)
        error_set(e, "no memory to lay out %s", net->name);
    for (int v = 0; ok && v < net->node_count; v++) {
        find_life(&p, v);
        describe(&p, v, batch);
    }
    ok = ok && check_sizes(&p, batch, e);
    if (ok) {
        share_shortcuts(&p);
        share_bordered(&p, net->node_count);
        size_t floats = place_all(&p, net->node_count, placed, is_placed);
        ok = point_values(&p, net->node_count, &layout->memory, floats, e);
    }
    free(placed);
    free(is_placed);
    if (!ok)
        layout_free(layout);
    return ok;
}

void layout_free(struct layout *layout)
{
    memory_unmap(&layout->memory);
    free(layout->values);
    free(layout->places);
    *layout = (struct layout){0};
}

static bool owns_memory(const struct layout *layout, int value)
{
    return layout->places[value].used && layout->places[value].shares == value;
}

/* Whether no value lies in so many floats from `offset` on. */
static bool is_spare(const struct layout *layout, int step, size_t offset, size_t floats)
{
    for (int v = 0; v < layout->value_count; v++) {
        const struct place *p = &layout->places[v];
        if (owns_memory(layout, v) && p->first <= step && step <= p->last &&
            p->offset < offset + floats && offset < p->offset + p->floats)
            return false;
    }
    return true;
}

float *layout_spare(const struct layout *layout, int step, int since, size_t floats)
{
    const struct place *latest = NULL;
    for (int v = 0; v < layout->value_count; v++) {
        const struct place *p = &layout->places[v];
        bool later = p->last > (latest ? latest->last : since) && p->last < step;
        if (later && owns_memory(layout, v) && p->floats >= floats &&
            is_spare(layout, step, p->offset, floats))
            latest = p;
    }
    return latest ? layout->memory.data + latest->offset : NULL;
}
