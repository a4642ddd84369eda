#include "harness/fuse.h"

#include <assert.h>
#include <stdlib.h>

#define NONE (-1)

struct fuser {
    const struct network *net;
    struct steps *steps;
    bool *done; /* nodes that a step computes, or that are part of one */
};

static int take_in(struct fuser *f, int node)
{
    f->done[node] = true;
    return node;
}

/* Stores `value`, and behind it its batch norm and ReLU, whichever of these are read. */
static void finish(struct fuser *f, struct step *step, int value)
{
    const struct network *net = f->net;
    int norm = network_reader(net, value, NODE_BATCH_NORM);
    int relu = norm != NONE ? network_only_reader(net, norm, NODE_RELU)
                            : network_only_reader(net, value, NODE_RELU);
    int readers = network_readers(net, value);
    if (relu != NONE) {
        step->norm = norm == NONE ? NONE : take_in(f, norm);
        step->act = take_in(f, relu);
        readers--;
    }
    if (readers > 0 || relu == NONE)
        step->sum = value;
}

static int other_input(const struct node *node, int input)
{
    return node->inputs[0] == input ? node->inputs[1] : node->inputs[0];
}

/*
 * Whether a max-pool is nothing but a shortcut's stride, which the convolution that adds it can
 * take over. The epilogue of a tile of several rows cannot: it reads the shortcut row by row.
 */
static bool is_strided_shortcut(const struct network *net, int pool)
{
    const struct node *n = &net->nodes[pool];
    int add = network_only_reader(net, pool, NODE_ADD);
    if (n->kind != NODE_MAX_POOL || n->kernel != 1 || n->pad != 0 || add == NONE)
        return false;
    int branch = other_input(&net->nodes[add], pool);
    if (net->nodes[branch].kind == NODE_BATCH_NORM)
        branch = net->nodes[branch].inputs[0];
    return net->nodes[branch].kind == NODE_CONV && !algo_serves(ALGO_WINOGRAD2, net, branch) &&
           !algo_serves(ALGO_POLYPHASE2, net, branch);
}

static void add_residual(struct step *step, const struct network *net, int value)
{
    bool strided = is_strided_shortcut(net, value);
    step->residual = strided ? net->nodes[value].inputs[0] : value;
    step->residual_stride = strided ? net->nodes[value].stride : 1;
}

static void fuse_conv(struct fuser *f, struct step *step)
{
    const struct network *net = f->net;
    int value = step->node, norm = network_only_reader(net, value, NODE_BATCH_NORM);
    if (norm != NONE)
        value = step->folded_norm = take_in(f, norm);
    int add = network_only_reader(net, value, NODE_ADD);
    int other = add == NONE ? NONE : other_input(&net->nodes[add], value);
    if (add == NONE) {
        finish(f, step, value);
    } else if (!f->done[other]) {
        step->sum = value;
    } else {
        add_residual(step, net, other);
        finish(f, step, take_in(f, add));
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
                          .residual_stride = 1,
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
    int norm = network_only_reader(f->net, input, NODE_BATCH_NORM);
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
        if (is_strided_shortcut(net, n)) {
            take_in(f, n);
            continue;
        }
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
