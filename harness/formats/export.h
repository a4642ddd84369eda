/** Writing a network with its parameters for other engines. */
#ifndef RESMARK_HARNESS_FORMATS_EXPORT_H
#define RESMARK_HARNESS_FORMATS_EXPORT_H

#include "harness/network.h"

#include <stdio.h>

/**
 * Writes safetensors with the names of tensor_name(), float32, and in the header's metadata the
 * network's name and `origin`, a text that says where the numbers come from. Errors of the stream
 * are the caller's to find. False with `e` set: no memory.
 */
bool export_safetensors(const struct network *net, const struct param_source *source,
                        const char *origin, FILE *stream, struct error *e);

/**
 * The same as an ONNX model, nothing folded, from the image `data` [N][3][H][W] to the logits;
 * initializers have the names of tensor_name(), values those of the nodes.
 */
bool export_onnx(const struct network *net, const struct param_source *source, const char *origin,
                 FILE *stream, struct error *e);

#endif
