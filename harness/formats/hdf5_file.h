/** The datasets of an HDF5 file, where Keras keeps its weights. */
#ifndef RESMARK_HARNESS_FORMATS_HDF5_FILE_H
#define RESMARK_HARNESS_FORMATS_HDF5_FILE_H

#include "harness/formats/tensor_table.h"

/** Whether bytes begin as an HDF5 file without a user block does. */
bool hdf5_probe(const unsigned char *bytes, size_t size);

/**
 * Lists the weights of a Keras file by their names (keras_names.h). They point into `bytes`, which
 * are what is in the file at `path`. Datasets must be contiguous.
 *
 * A program of its own beside this one, resmark-hdf5, opens the file with the HDF5 library, within
 * limits on memory and time: damaged files can make that library crash. False with `e` set.
 */
bool hdf5_parse(struct tensor_table *table, const char *path, const unsigned char *bytes,
                size_t size, struct error *e);

/** The same for bytes that are in no file yet. */
bool hdf5_parse_bytes(struct tensor_table *table, const unsigned char *bytes, size_t size,
                      struct error *e);

#endif
