/**
 * The rows that describe published networks: what the networks of one publisher have in common
 * (form), the units that they are made of, and the depth of each (spec).
 */
#ifndef RESMARK_HARNESS_NETWORKS_FORM_H
#define RESMARK_HARNESS_NETWORKS_FORM_H

#include <stdbool.h>

#define STAGES 4
#define MAX_UNIT_CONVS 3

struct builder;
struct normalisation;

/** What a node is in its network: by this it gets its name. */
enum part {
    PART_DATA,
    PART_DATA_NORM,
    PART_STEM,
    PART_STEM_NORM,
    PART_STEM_RELU,
    PART_STEM_POOL,
    PART_ENTRY_NORM, /**< of a pre-activation unit, before it splits into branch and shortcut */
    PART_ENTRY_RELU,
    PART_NORM,
    PART_RELU,
    PART_CONV,
    PART_PROJECTION,
    PART_PROJECTION_NORM,
    PART_SUBSAMPLE, /**< an identity shortcut that takes every second pixel */
    PART_SUM,
    PART_SUM_RELU,
    PART_FINAL_NORM,
    PART_FINAL_RELU,
    PART_GLOBAL_POOL,
    PART_DENSE,
    PART_SOFTMAX,
    PART_COUNT,
};

struct form {
    const char *variant;
    /**
     * Names of the parts, as in the publisher's files. '$' and a letter stand for a number: s, S, T
     * the stage from 0, 1, 2; u, U the unit in its stage from 0, 1; i, I the convolution in its
     * unit from 0, 1, which a norm or ReLU precedes or (post-activation) follows; n how many nodes
     * of this kind the stage has so far.
     */
    const char *const *names;
    int size, min_size;                 /**< of the image: as published, and the least possible */
    const struct normalisation *pixels; /**< of the image */
    bool data_norm;                     /**< batch norm on the image */
    bool stem_norm;                     /**< batch norm and ReLU before the first pool */
    bool pool_zeros;                    /**< the first pool is padded with zeros that take part */
    bool post_activation;               /**< convolution, norm, ReLU; a ReLU behind the sum */
    bool plain;                         /**< no shortcuts */
    bool bias;                          /**< in convolutions that no batch norm follows */
    double epsilon;                     /**< of every batch norm */
    int stem_channels, stem_kernel, stem_stride;
    int pool_kernel, pool_stride;
    int width[STAGES];  /**< channels of the inner convolutions of a stage's units */
    int stride[STAGES]; /**< of one unit of the stage, … */
    bool stride_last;   /**< … the last; else the first */
};

/** The convolutions of a residual unit. */
struct unit {
    int convs;
    int kernel[MAX_UNIT_CONVS];
    int strided;   /**< which of them has the unit's stride */
    int expansion; /**< output channels of the last, in widths */
};

/** One network. */
struct spec {
    const char *name;
    const struct form *form;
    const struct unit *unit; /**< these two of a network that residual_expand() makes */
    int blocks[STAGES];
    void (*expand)(struct builder *b, const struct spec *spec, int size);
};

/** Every network; the last has no name. */
extern const struct spec network_specs[];

#endif
