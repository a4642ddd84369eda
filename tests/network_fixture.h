/** Building networks and finding their nodes, for tests; a failure ends the test. */
#ifndef RESMARK_TESTS_NETWORK_FIXTURE_H
#define RESMARK_TESTS_NETWORK_FIXTURE_H

#include "harness/network.h"

#include <criterion/criterion.h>

#include <string.h>

/** The caller frees it. */
static inline struct network build(const char *name, int classes, int size)
{
    struct network net;
    struct error e;
    cr_assert(network_build(&net, name, classes, size, &e), "%s: %s", name, e.text);
    return net;
}

/** Whether a network is so deep that it only repeats units of a shallower one of its form. */
static inline bool only_repeats(const char *name)
{
    return strstr(name, "101") || strstr(name, "152");
}

static inline int find(const struct network *net, const char *name)
{
    for (int i = 0; i < net->node_count; i++) {
        if (strcmp(net->nodes[i].name, name) == 0)
            return i;
    }
    cr_assert_fail("%s has no node %s", net->name, name);
    return -1;
}

#endif
