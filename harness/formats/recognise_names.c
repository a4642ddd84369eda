#include "harness/formats/recognise_names.h"

#include "harness/formats/tensor_names.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* How the table differs from the names of a network. */
struct difference {
    size_t found, missing, extra;
};

struct search {
    const struct tensor_table *table;
    const char *said;
    const char *prefix; /* shared by all names; `prefix_length` bytes of it */
    int prefix_length;
};

static const struct file_tensor *find(const struct search *s, const struct network *net, int node,
                                      enum param param)
{
    char name[TENSOR_NAME_SIZE], full[2 * TENSOR_NAME_SIZE];
    snprintf(full, sizeof full, "%.*s%s", s->prefix_length, s->prefix,
             tensor_name(net, node, param, name));
    return tensor_table_find(s->table, full);
}

static int dense_node(const struct network *net)
{
    int node = net->node_count - 1;
    while (node > 0 && net->nodes[node].kind != NODE_DENSE)
        node--;
    return node;
}

/* What the file has before the name of the last layer's weights is the prefix of all names. */
static const struct file_tensor *find_head(struct search *s, const struct network *net)
{
    char name[TENSOR_NAME_SIZE];
    size_t length = strlen(tensor_name(net, dense_node(net), PARAM_WEIGHT, name));
    for (size_t i = 0; i < s->table->count; i++) {
        const struct file_tensor *t = &s->table->tensors[i];
        size_t full = strlen(t->name);
        if (full >= length && full - length < TENSOR_NAME_SIZE &&
            strcmp(t->name + full - length, name) == 0) {
            s->prefix = t->name;
            s->prefix_length = (int)(full - length);
            return t;
        }
    }
    s->prefix_length = 0;
    s->prefix = "";
    return NULL;
}

static struct difference compare(const struct search *s, const struct network *net)
{
    struct difference d = {0};
    size_t ignored = 0;
    for (int node = 0; node < net->node_count; node++) {
        for (enum param param = 0; param < PARAM_COUNT; param++) {
            if (network_param_count(net, node, param) == 0)
                continue;
            bool found = find(s, net, node, param) != NULL;
            d.found += found;
            d.missing += !found;
        }
    }
    for (size_t i = 0; i < s->table->count; i++)
        ignored += tensor_name_ignored(s->table->tensors[i].name);
    d.extra = s->table->count - ignored - d.found;
    return d;
}

/* Builds the network with as many classes as the file's last layer has. */
static bool make_candidate(struct bound_network *bound, struct search *s, const char *name,
                           struct error *e)
{
    if (!bound_network_make(bound, name, 1, e))
        return false;
    const struct file_tensor *head = find_head(s, &bound->net);
    bool last = tensor_name_outputs_last(&bound->net);
    int at = last ? 1 : 0;
    uint64_t classes = head && head->rank > at ? head->dims[at] : 1;
    bound_network_free(bound);
    return bound_network_make(bound, name, classes > 0 && classes < INT_MAX ? (int)classes : 1, e);
}

/* The nearest network's name, or NULL with `e` set. */
static const char *nearest(struct search *s, struct error *e)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (int i = 0; network_name(i); i++) {
        struct bound_network candidate;
        if (!make_candidate(&candidate, s, network_name(i), e))
            return NULL;
        struct difference d = compare(s, &candidate.net);
        size_t distance = 2 * (d.missing + d.extra) + (strcmp(network_name(i), s->said) != 0);
        bound_network_free(&candidate);
        if (d.found > 0 && distance < least) {
            least = distance;
            best = network_name(i);
        }
    }
    if (!best)
        error_set(e,
                  "none of its %zu tensors has a name of a network that resmark knows (%.*s); see "
                  "resmark networks",
                  s->table->count, TENSOR_NAME_SHOWN,
                  s->table->count ? s->table->tensors[0].name : "it is empty");
    return best;
}

static bool refuse_missing(const struct search *s, const struct network *net, int node,
                           enum param param, struct error *e)
{
    char name[TENSOR_NAME_SIZE];
    return error_set(e, "tensor %.*s%s is missing; %s (%s), the nearest network, expects it",
                     s->prefix_length, s->prefix, tensor_name(net, node, param, name), net->name,
                     net->variant);
}

static bool bind(struct bound_network *bound, const struct search *s, struct error *e)
{
    const struct network *net = &bound->net;
    bool outputs_last = tensor_name_outputs_last(net);
    for (int node = 0; node < net->node_count; node++) {
        for (enum param param = 0; param < PARAM_COUNT; param++) {
            if (network_param_count(net, node, param) == 0)
                continue;
            struct binding *b = bound_network_at(bound, node, param);
            b->tensor = find(s, net, node, param);
            b->outputs_last = outputs_last && param == PARAM_WEIGHT;
            if (!b->tensor)
                return refuse_missing(s, net, node, param, e);
        }
    }
    return true;
}

static bool is_bound(const struct bound_network *bound, const struct file_tensor *t)
{
    for (int i = 0; i < bound->net.node_count * PARAM_COUNT; i++) {
        if (bound->bindings[i].tensor == t)
            return true;
    }
    return false;
}

static bool refuse_extra(const struct bound_network *bound, const struct search *s, struct error *e)
{
    for (size_t i = 0; i < s->table->count; i++) {
        const struct file_tensor *t = &s->table->tensors[i];
        if (!tensor_name_ignored(t->name) && !is_bound(bound, t))
            return error_set(e, "tensor %.*s: %s (%s), the nearest network, has no such tensor",
                             TENSOR_NAME_SHOWN, t->name, bound->net.name, bound->net.variant);
    }
    return true;
}

bool recognise_names(struct bound_network *bound, const struct tensor_table *table,
                     const char *said, struct error *e)
{
    struct search s = {.table = table, .said = said};
    const char *name = nearest(&s, e);
    *bound = (struct bound_network){0};
    if (!name || !make_candidate(bound, &s, name, e))
        return false;
    if (bind(bound, &s, e) && refuse_extra(bound, &s, e))
        return true;
    bound_network_free(bound);
    return false;
}
