#include "harness/formats/tensor_names.h"

#include <stdio.h>
#include <string.h>

/* How a node's name becomes those of its parameters. */
struct scheme {
    const char *variant;
    const char *ending; /* of the node's name, left out */
    bool folder;        /* the node's name stands twice, as a group and in it */
    bool outputs_last;
    const char *suffix[PARAM_COUNT];
};

#define GLUON_SUFFIXES                                                                             \
    {                                                                                              \
        "_weight", "_bias", "_gamma", "_beta", "_running_mean", "_running_var"                     \
    }

static const struct scheme schemes[] = {
    {"gluon", "_fwd", false, false, GLUON_SUFFIXES},
    {"plain", "_fwd", false, false, GLUON_SUFFIXES},
    {"keras",
     "",
     true,
     true,
     {"/kernel:0", "/bias:0", "/gamma:0", "/beta:0", "/moving_mean:0", "/moving_variance:0"}},
    /* The names that PyTorch gives a module's parameters: timm, torchvision. */
    {"",
     "",
     false,
     false,
     {".weight", ".bias", ".weight", ".bias", ".running_mean", ".running_var"}},
};

static const struct scheme *scheme_of(const char *variant)
{
    const struct scheme *scheme = schemes;
    while (*scheme->variant && strcmp(scheme->variant, variant) != 0)
        scheme++;
    return scheme;
}

const char *tensor_name(const struct network *net, int node, enum param param,
                        char name[TENSOR_NAME_SIZE])
{
    const struct scheme *scheme = scheme_of(net->variant);
    const char *of_node = net->nodes[node].name;
    size_t length = strlen(of_node), ending = strlen(scheme->ending);
    if (length > ending && strcmp(of_node + length - ending, scheme->ending) == 0)
        length -= ending;
    snprintf(name, TENSOR_NAME_SIZE, "%.*s%s%.*s%s", (int)length, of_node,
             scheme->folder ? "/" : "", scheme->folder ? (int)length : 0, of_node,
             scheme->suffix[param]);
    return name;
}

bool tensor_name_outputs_last(const struct network *net)
{
    return scheme_of(net->variant)->outputs_last;
}

bool tensor_name_ignored(const char *name)
{
    static const char counter[] = "num_batches_tracked";
    size_t length = strlen(name), ending = strlen(counter);
    return length >= ending && strcmp(name + length - ending, counter) == 0;
}
