/** What a parameter tensor of a network is called in files of the network's publisher. */
#ifndef RESMARK_HARNESS_FORMATS_TENSOR_NAMES_H
#define RESMARK_HARNESS_FORMATS_TENSOR_NAMES_H

#include "harness/network.h"

#define TENSOR_NAME_SIZE 128

/**
 * Writes the name, without any prefix that all names of a file may share, by the network's variant:
 *
 *  - gluon, plain: "stage1_conv0_weight", "batchnorm0_running_mean" (Gluon, the ONNX model zoo);
 *  - keras: "conv1_conv/conv1_conv/kernel:0", the paths in Keras' HDF5 files;
 *  - others: "stages.0.blocks.0.norm1.running_var", PyTorch's names of a module's parameters.
 *
 * Returns `name`.
 */
const char *tensor_name(const struct network *net, int node, enum param param,
                        char name[TENSOR_NAME_SIZE]);

/** Whether weights lie as [ky][kx][cin][cout] and [cin][cout] in files with the variant's names. */
bool tensor_name_outputs_last(const struct network *net);

/** Whether a file may have this tensor though the network has no use for it: counters of batches.
 */
bool tensor_name_ignored(const char *name);

#endif
