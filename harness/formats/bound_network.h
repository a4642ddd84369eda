/** A network whose parameters are tensors of a file. */
#ifndef RESMARK_HARNESS_FORMATS_BOUND_NETWORK_H
#define RESMARK_HARNESS_FORMATS_BOUND_NETWORK_H

#include "harness/formats/tensor_table.h"
#include "harness/network.h"

/** Where the elements of a parameter tensor are. */
struct binding {
    const struct file_tensor *tensor; /**< NULL: every element is the constant */
    float constant;
    bool outputs_last; /**< [ky][kx][cin][cout], as Keras has it, or [cin][cout] */
};

/** The image's size is any, since no parameter depends on it. */
struct bound_network {
    struct network net;       /**< with the epsilons of the file */
    struct binding *bindings; /**< [node][PARAM_COUNT] */
    bool mapped;              /**< the tensors' pages are a file's, to be given back when read */
};

/** Builds a known network with nothing bound. False with `e` set; bound_network_free() releases. */
bool bound_network_make(struct bound_network *bound, const char *name, int classes,
                        struct error *e);
void bound_network_free(struct bound_network *bound);

struct binding *bound_network_at(const struct bound_network *bound, int node, enum param param);

/** Whether the tensor has the shape of that parameter; a weight may have further dimensions of 1.
 */
bool bound_network_fits(const struct bound_network *bound, int node, enum param param,
                        const struct file_tensor *t, bool outputs_last);

/**
 * Whether all bound tensors have the right shape and type and hold finite numbers, and variances
 * that are not negative. False with `e` set, naming the first tensor that does not and what was
 * expected of it.
 */
bool bound_network_check(const struct bound_network *bound, struct error *e);

/** A param_source's read() with a struct bound_network as context. */
void bound_network_read(const void *context, const struct network *net, int node, enum param param,
                        size_t first, size_t count, float *out);

/** A param_source's adapt(). */
void bound_network_adapt(const void *context, struct network *net);

#endif
