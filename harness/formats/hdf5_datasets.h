/**
 * What resmark-hdf5, a program beside resmark, writes to its standard output: the datasets of the
 * file that is its argument. Its exit status is not 0 when it could not read them all.
 */
#ifndef RESMARK_HARNESS_FORMATS_HDF5_DATASETS_H
#define RESMARK_HARNESS_FORMATS_HDF5_DATASETS_H

#include "harness/formats/tensor_table.h"

enum { HDF5_PATH_SIZE = 1024 }; /**< of a dataset that can be a weight */

/** A dataset; its path follows, without a zero at the end. One with an empty path is the last. */
struct hdf5_record {
    uint64_t dims[TENSOR_MAX_RANK];
    uint64_t offset, size; /**< of its bytes in the file, if they lie together as they are */
    uint32_t path_length;
    int32_t rank; /**< -1: over TENSOR_MAX_RANK */
    bool plain;
    char dtype[15];
    char layer[128]; /**< its group's attribute "name"; empty: none, or too long */
};

#endif
