/**
 * The safetensors format (github.com/huggingface/safetensors, README "Format"): 8 bytes
 * little-endian length of a JSON header, the header, the tensors' bytes.
 */
#ifndef RESMARK_HARNESS_FORMATS_SAFETENSORS_H
#define RESMARK_HARNESS_FORMATS_SAFETENSORS_H

#include "harness/formats/tensor_table.h"

/** Keys of `__metadata__` by which resmark's own files say which network they hold. */
#define SAFETENSORS_NETWORK "resmark_network"

/** Whether bytes begin as a safetensors file does: a length, then an object. */
bool safetensors_probe(const unsigned char *bytes, size_t size);

/**
 * Lists the tensors of a file in memory; they point into `bytes`. `network` becomes the name under
 * SAFETENSORS_NETWORK or an empty string. Every byte of the data must belong to a tensor. False
 * with `e` set.
 */
bool safetensors_parse(struct tensor_table *table, char network[64], const unsigned char *bytes,
                       size_t size, struct error *e);

#endif
