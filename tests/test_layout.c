/** Where values lie: none overwrites another that is still needed, and borders stay zero. */
#include "tests/engine_fixture.h"
#include "tests/network_fixture.h"

#include <limits.h>

TestSuite(layout, .timeout = 120);

/** A value's life, worked out from the steps alone, and its place. */
struct life {
    bool stored;
    int written;             /* step; -1: before the first */
    int last_read;           /* step; INT_MAX: needed for ever */
    const float *low, *high; /* memory, border included */
};

struct laid_out {
    struct network net;
    struct steps steps;
    struct layout layout;
    struct life *lives; /* one a node */
};

static void find_life(const struct laid_out *l, int value, struct life *life)
{
    const struct tensor *t = &l->layout.values[value];
    bool image = value == l->steps.image, read = false;
    *life = (struct life){.stored = image, .written = -1, .last_read = -1};
    for (int i = 0; i < l->steps.count; i++) {
        const struct step *step = &l->steps.step[i];
        if (step->sum == value || step->act == value) {
            life->stored = true;
            life->written = i;
        }
        if (step->in == value || step->residual == value) {
            read = true;
            life->last_read = i;
        }
    }
    if (!read || image) /* an output, or what the next run reads again */
        life->last_read = INT_MAX;
    if (life->stored) {
        life->low = t->data - (size_t)t->border * (t->row_stride + (size_t)t->pixel);
        life->high = life->low + tensor_floats(t, l->layout.batch);
    }
}

static struct laid_out lay_out(const char *name, int batch)
{
    struct laid_out l = {.net = build(name, 1000, network_least_size(name))};
    struct error e;
    cr_assert(steps_fuse(&l.steps, &l.net, &e), "%s", e.text);
    cr_assert(layout_make(&l.layout, &l.net, &l.steps, batch, &e), "%s", e.text);
    l.lives = calloc((size_t)l.net.node_count, sizeof *l.lives);
    cr_assert(l.lives);
    for (int v = 0; v < l.net.node_count; v++)
        find_life(&l, v, &l.lives[v]);
    return l;
}

static void release(struct laid_out *l)
{
    free(l->lives);
    layout_free(&l->layout);
    steps_free(&l->steps);
    network_free(&l->net);
}

static bool touch(const struct life *a, const struct life *b)
{
    return a->low < b->high && b->low < a->high;
}

/**
 * While a step runs, what it reads and writes and what later steps read is all needed. The one
 * exception: a sum may take the place of the residual that it is added to, pixel by pixel.
 */
static void check_pair(const struct laid_out *l, int first, int second)
{
    const struct life *a = &l->lives[first], *b = &l->lives[second];
    bool together = a->written <= b->last_read && b->written <= a->last_read;
    int later = a->written > b->written ? first : second, earlier = first + second - later;
    const struct life *new = &l->lives[later];
    const struct step *step = new->written < 0 ? NULL : &l->steps.step[new->written];
    bool in_place = step && step->sum == later && step->residual == earlier &&
                    l->lives[earlier].last_read == new->written &&
                    l->layout.values[later].data == l->layout.values[earlier].data &&
                    l->layout.values[later].row_stride == l->layout.values[earlier].row_stride;
    cr_expect(!together || in_place || !touch(a, b), "%s, batch %d: %s and %s share memory",
              l->net.name, l->layout.batch, l->net.nodes[first].name, l->net.nodes[second].name);
}

/** A border is zeroed once, when the memory is made: nothing else may ever lie there. */
static void check_border(const struct laid_out *l, int bordered, int other)
{
    const struct tensor *a = &l->layout.values[bordered], *b = &l->layout.values[other];
    bool same = a->data == b->data && a->border == b->border && a->width == b->width &&
                a->height == b->height && a->block_stride == b->block_stride;
    cr_expect(a->border == 0 || same || !touch(&l->lives[bordered], &l->lives[other]),
              "%s, batch %d: %s lies in the border of %s", l->net.name, l->layout.batch,
              l->net.nodes[other].name, l->net.nodes[bordered].name);
}

static void check_layout(const struct laid_out *l)
{
    const float *memory = l->layout.memory.data;
    for (int v = 0; v < l->net.node_count; v++) {
        const struct life *life = &l->lives[v];
        cr_expect_eq(life->stored, l->layout.values[v].data != NULL, "%s", l->net.nodes[v].name);
        if (!life->stored)
            continue;
        cr_expect(life->low >= memory && life->high <= memory + l->layout.memory.floats,
                  "%s, batch %d: %s leaves the memory", l->net.name, l->layout.batch,
                  l->net.nodes[v].name);
        for (int other = 0; other < l->net.node_count; other++) {
            if (other == v || !l->lives[other].stored)
                continue;
            check_pair(l, v, other);
            check_border(l, v, other);
        }
    }
}

Test(layout, no_two_live_values_meet)
{
    for (int i = 0; network_name(i); i++) {
        for (int batch = 1; batch <= 3; batch++) {
            struct laid_out l = lay_out(network_name(i), batch);
            check_layout(&l);
            release(&l);
        }
    }
}

/** Sharing is worth while: without it, resnet50_v2 would need several times the memory. */
Test(layout, memory_is_shared)
{
    struct laid_out l = lay_out("resnet50_v2", 1);
    size_t apart = 0;
    for (int v = 0; v < l.net.node_count; v++)
        apart += (size_t)(l.lives[v].high - l.lives[v].low);
    cr_expect_leq(l.layout.memory.floats * 4, apart, "%zu of %zu floats", l.layout.memory.floats,
                  apart);
    release(&l);
}

/** Memory that is spare during a step. */
static void check_spare(const struct laid_out *l, int step, const float *spare, size_t floats)
{
    const struct life place = {.low = spare, .high = spare + floats};
    cr_expect(spare >= l->layout.memory.data &&
                  place.high <= l->layout.memory.data + l->layout.memory.floats,
              "%s, batch %d: what is spare at step %d leaves the memory", l->net.name,
              l->layout.batch, step);
    for (int v = 0; v < l->net.node_count; v++) {
        const struct life *life = &l->lives[v];
        bool needed = life->stored && ((life->written <= step && step <= life->last_read) ||
                                       l->layout.values[v].border > 0);
        cr_expect(!needed || !touch(life, &place), "%s, batch %d: at step %d, %s is not spare",
                  l->net.name, l->layout.batch, step, l->net.nodes[v].name);
    }
}

/** What the step before has read for the last time is what was needed last. */
static void check_latest(const struct laid_out *l, int step)
{
    int value = step > 0 ? l->steps.step[step - 1].in : -1;
    int residual = step > 0 ? l->steps.step[step - 1].residual : -1;
    if (value < 0 || l->lives[value].last_read != step - 1 || l->layout.values[value].border > 0)
        return;
    if (residual >= 0 && l->lives[residual].last_read == step - 1)
        return;
    const float *low = l->lives[value].low;
    for (int v = 0; v < l->net.node_count; v++) {
        const struct life *life = &l->lives[v];
        if (life->stored && life->written <= step && step <= life->last_read &&
            touch(life, &l->lives[value]))
            return;
    }
    cr_expect(layout_spare(&l->layout, step, step - 2, 1) == low &&
                  layout_spare(&l->layout, step, -1, 1) == low &&
                  !layout_spare(&l->layout, step, step - 1, 1),
              "%s: at step %d, %s was needed last", l->net.name, step, l->net.nodes[value].name);
}

Test(layout, spare_memory_holds_nothing)
{
    for (int i = 0; network_name(i); i++) {
        struct laid_out l = lay_out(network_name(i), i % 3 + 1);
        int found = 0;
        for (int step = 0; step < l.steps.count; step++) {
            check_latest(&l, step);
            for (size_t floats = 1; floats < l.layout.memory.floats; floats = floats * 3 / 2 + 1) {
                const float *spare =
                    layout_spare(&l.layout, step, step % 2 ? step - 4 : -1, floats);
                found += spare != NULL;
                if (spare)
                    check_spare(&l, step, spare, floats);
            }
        }
        cr_expect_gt(found, l.steps.count, "%s: %d found", l.net.name, found);
        release(&l);
    }
}

static size_t nonzero_in_row(const float *row, size_t floats)
{
    size_t found = 0;
    for (size_t i = 0; i < floats; i++)
        found += row[i] != 0;
    return found;
}

/** Floats of a tensor's border that are not zero. */
static size_t nonzero_in_border(const struct tensor *t, int batch)
{
    size_t found = 0, planes = t->image_stride / t->block_stride * (size_t)batch;
    size_t side = (size_t)(t->border * t->pixel);
    const float *low = t->data - (size_t)t->border * t->row_stride - side;
    for (size_t plane = 0; plane < planes; plane++) {
        for (int y = 0; y < t->height + 2 * t->border; y++) {
            const float *row = low + plane * t->block_stride + (size_t)y * t->row_stride;
            bool inside = y >= t->border && y < t->height + t->border;
            found += inside ? nonzero_in_row(row, side) +
                                  nonzero_in_row(row + t->row_stride - side, side)
                            : nonzero_in_row(row, t->row_stride);
        }
    }
    return found;
}

static void check_borders(struct subject *s, enum isa isa)
{
    int bordered = 0;
    subject_run(s, isa, 2, NULL, NULL);
    for (int v = 0; v < s->model.net.node_count; v++) {
        const struct tensor *t = &s->layout.values[v];
        if (!t->data || t->border == 0)
            continue;
        bordered++;
        size_t found = nonzero_in_border(t, s->layout.batch);
        cr_expect_eq(found, 0, "%s on %s: %zu numbers in the border of %s", s->model.net.name,
                     isa_name(isa), found, s->model.net.nodes[v].name);
    }
    cr_expect_gt(bordered, 2, "%s: the inputs of convolutions that pad", s->model.net.name);
}

Test(layout, borders_stay_zero)
{
    struct isa_list isas = usable_isas();
    for (int i = 0; network_name(i); i++) {
        struct subject s;
        if (only_repeats(network_name(i)))
            continue;
        const struct model_options options =
            subject_options(network_name(i), network_least_size(network_name(i)), 2, ALGO_DIRECT);
        subject_make(&s, &options, 1);
        for (int k = 0; k < isas.count; k++) {
            if (isas.isas[k] != ISA_SCALAR || !SLOW_BUILD)
                check_borders(&s, isas.isas[k]);
        }
        subject_free(&s);
    }
}
