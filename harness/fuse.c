#include "harness/fuse.h"

#include <assert.h>
#include <stdlib.h>

#define NONE (-1)

struct fuser {
    const struct network *net;
    struct steps *steps;
    bool *done; /* nodes that a step computes, or that are part of one */
};

static bool reads(const struct node *reader, int value)
{
    return reader->inputs[0] == value || reader->inputs[1] == value;
}

static int count_readers(const struct network *net, int value)
{
    int readers = 0;
    for (int n = value + 1; n < net->node_count; n++)
        readers += reads(&net->nodes[n], value);
    return readers;
}

/* The first reader of a value that is of this kind, or NONE. */
static int reader_of_kind(const struct network *net, int value, enum node_kind kind)
{
    for (int n = value + 1; n < net->node_count; n++) {
        if (net->nodes[n].kind == kind && reads(&net->nodes[n], value))
            return n;
    }
    return NONE;
}

/* The same, if nothing else reads the value. */
static int only_reader(const struct network *net, int value, enum node_kind kind)
{
    return count_readers(net, value) == 1 ? reader_of_kind(net, value, kind) : NONE;
}

static int take_in(struct fuser *f, int node)
{
    f->done[node] = true;
    return node;
}

/* Stores `value`, and behind it its batch norm and ReLU, whichever of these are read. */
static void finish(struct fuser *f, struct step *step, int value)
{
    const struct network *net = f->net;
    int norm = reader_of_kind(net, value, NODE_BATCH_NORM);
    int relu =
        norm != NONE ? only_reader(net, norm, NODE_RELU) : only_reader(net, value, NODE_RELU);
    int readers = count_readers(net, value);
    if (relu != NONE) {
        step->norm = norm == NONE ? NONE : take_in(f, norm);
        step->act = take_in(f, relu);
        readers--;
    }
    if (readers > 0 || relu == NONE)
        step->sum = value;
}

static void fuse_conv(struct fuser *f, struct step *step)
{
    const struct network *net = f->net;
    int norm = only_reader(net, step->node, NODE_BATCH_NORM);
    int add = only_reader(net, step->node, NODE_ADD);
    if (norm != NONE) {
        step->folded_norm = take_in(f, norm);
        finish(f, step, norm);
    } else if (add != NONE) {
        const int *inputs = net->nodes[add].inputs;
        int other = inputs[0] == step->node ? inputs[1] : inputs[0];
        if (!f->done[other]) {
            step->sum = step->node;
            return;
        }
        step->residual = other;
        finish(f, step, take_in(f, add));
    } else {
        finish(f, step, step->node);
    }
}

static void append_step(struct fuser *f, int node)
{
    const struct node *n = &f->net->nodes[node];
    struct step *step = &f->steps->step[f->steps->count++];
    *step = (struct step){.kind = n->kind,
                          .node = node,
                          .in = n->inputs[0],
                          .folded_norm = NONE,
                          .residual = NONE,
                          .sum = NONE,
                          .norm = NONE,
                          .act = NONE};
    take_in(f, node);
    if (n->kind == NODE_CONV)
        fuse_conv(f, step);
    else if (n->kind == NODE_MAX_POOL)
        finish(f, step, node);
    else
        step->sum = node;
}

static void fuse_image(struct fuser *f)
{
    int input = take_in(f, 0);
    int norm = only_reader(f->net, input, NODE_BATCH_NORM);
    f->steps->image_norm = norm;
    f->steps->image = norm == NONE ? input : take_in(f, norm);
}

static bool fuse_nodes(struct fuser *f, struct error *e)
{
    const struct network *net = f->net;
    fuse_image(f);
    for (int n = 0; n < net->node_count; n++) {
        if (f->done[n])
            continue;
        enum node_kind kind = net->nodes[n].kind;
        if (kind == NODE_BATCH_NORM || kind == NODE_RELU || kind == NODE_ADD)
            return error_set(e,
                             "%s: node %s does not follow a convolution or a pool that could "
                             "take it in",
                             net->name, net->nodes[n].name);
        append_step(f, n);
    }
    return true;
}

bool steps_fuse(struct steps *steps, const struct network *net, struct error *e)
{
    assert(net->node_count > 0 && net->nodes[0].kind == NODE_INPUT);
    *steps = (struct steps){0};
    steps->step = calloc((size_t)net->node_count, sizeof *steps->step);
    bool *done = calloc((size_t)net->node_count, sizeof *done);
    struct fuser f = {net, steps, done};
    bool ok = steps->step && done;
    if (!ok)
        error_set(e, "no memory for the steps of %s", net->name);
    ok = ok && fuse_nodes(&f, e);
    free(done);
    if (!ok)
        steps_free(steps);
    return ok;
}

void steps_free(struct steps *steps)
{
    free(steps->step);
    *steps = (struct steps){0};
}
