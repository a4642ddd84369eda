/**
 * A network with its weights from a file: safetensors, ONNX, or Keras' HDF5. Which format it is,
 * the first bytes say; which network, its graph or the names of its tensors.
 *
 *     struct weights_file file;
 *     if (!weights_file_open(&file, path, e)) …
 *     struct param_source source = weights_file_source(&file);
 *     … model_make() with file.network.net.name and .classes, any image size, and the source …
 *     weights_file_close(&file);
 */
#ifndef RESMARK_HARNESS_FORMATS_WEIGHTS_FILE_H
#define RESMARK_HARNESS_FORMATS_WEIGHTS_FILE_H

#include "harness/formats/bound_network.h"
#include "harness/formats/mapped_file.h"

struct onnx_externals;

struct weights_file {
    const char *path;   /**< as given, not owned */
    const char *format; /**< "safetensors", "ONNX", "Keras" */
    char sha256[65];    /**< of the file and those that it names, one after the other */
    struct bound_network network;
    struct tensor_table table;
    struct mapped_file mapped;
    struct onnx_externals *externals; /**< NULL: none */
};

/**
 * Opens a file, finds out which network it holds, and checks every tensor: names, types, shapes,
 * and that all numbers are finite. What lies in the file is read when it is packed, so that loading
 * takes no memory but that of the packed weights.
 *
 * False with `e` set in one line that names the file, and the tensor that is wrong with what was
 * expected of it; then there is nothing to close. No more memory is taken than the file has bytes,
 * whatever it claims, and some MB for its lists.
 */
bool weights_file_open(struct weights_file *file, const char *path, struct error *e);
void weights_file_close(struct weights_file *file);

/** The file's parameters; valid while the file is open and stays where it is. */
struct param_source weights_file_source(const struct weights_file *file);

/**
 * The same for bytes in memory, which have to stay there; `path` is what messages call them. Has no
 * SHA-256.
 */
bool weights_file_parse(struct weights_file *file, const unsigned char *bytes, size_t size,
                        const char *path, struct error *e);

#endif
