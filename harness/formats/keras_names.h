/** What a weight is called, whichever version of Keras has written the HDF5 file. */
#ifndef RESMARK_HARNESS_FORMATS_KERAS_NAMES_H
#define RESMARK_HARNESS_FORMATS_KERAS_NAMES_H

#include "harness/formats/hdf5_datasets.h"

/** Of the longest name: a path, or twice the name of a layer and its variable. */
enum { KERAS_NAME_SIZE = HDF5_PATH_SIZE + 64 };

/**
 * Writes the name of the dataset at `path`, such as "conv1_conv/conv1_conv/kernel:0"; an empty one
 * when it is no weight, but an optimizer's. There are two forms of files:
 *
 *  - Keras 2's, and Keras 3's of a whole model: "conv1_conv/conv1_conv/kernel:0", in a folder
 *    model_weights/ when `in_model`. The last layer, once called "probs", is "predictions".
 *  - Keras 3's of save_weights(): "layers/conv2d/vars/0". The folder says the layer's class and
 *    counts; `layer` is what the group "vars" has as its attribute "name", empty if nothing. A
 *    convolution and a dense layer have their kernel and bias in that order, a batch norm gamma,
 *    beta, mean and variance (Keras' Layer.variables: trainable first, as they are created). Of
 *    another class the name is the path.
 *
 * False with `e` set: a file of save_weights() without the layers' names.
 */
bool keras_weight_name(const char *path, const char *layer, bool in_model,
                       char name[KERAS_NAME_SIZE], struct error *e);

/** Whether the dataset at `path` is in the folder of a whole model. */
bool keras_in_model(const char *path);

#endif
