#include "harness/formats/weights_file.h"

#include "harness/formats/hdf5_file.h"
#include "harness/formats/onnx_file.h"
#include "harness/formats/onnx_graph.h"
#include "harness/formats/recognise_graph.h"
#include "harness/formats/recognise_names.h"
#include "harness/formats/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SHOWN 200

static bool parse_safetensors(struct weights_file *file, const unsigned char *bytes, size_t size,
                              struct error *e)
{
    char said[64];
    file->format = "safetensors";
    return safetensors_parse(&file->table, said, bytes, size, e) &&
           tensor_table_sort(&file->table, e) &&
           recognise_names(&file->network, &file->table, said, e);
}

static bool recognise_onnx(struct weights_file *file, const struct onnx_file *onnx, struct error *e)
{
    struct onnx_graph graph;
    if (!onnx_graph_make(&graph, onnx->graph, &file->table, e))
        return false;
    bool ok = recognise_graph(&file->network, &graph, e);
    onnx_graph_free(&graph);
    return ok;
}

static bool parse_onnx(struct weights_file *file, const unsigned char *bytes, size_t size,
                       struct error *e)
{
    struct onnx_file onnx;
    file->format = "ONNX";
    file->externals = calloc(1, sizeof *file->externals);
    if (!file->externals)
        return error_set(e, "no memory");
    if (!onnx_file_parse(&onnx, &file->table, file->externals, bytes, size, file->path, e))
        return false;
    bool ok = recognise_onnx(file, &onnx, e);
    onnx_file_free(&onnx);
    return ok;
}

static bool parse_keras(struct weights_file *file, const unsigned char *bytes, size_t size,
                        struct error *e)
{
    file->format = "Keras";
    bool ok = file->mapped.bytes ? hdf5_parse(&file->table, file->path, bytes, size, e)
                                 : hdf5_parse_bytes(&file->table, bytes, size, e);
    return ok && recognise_names(&file->network, &file->table, "", e);
}

/* What whole models of Keras 3 and PyTorch are. */
static bool zip_probe(const unsigned char *bytes, size_t size)
{
    static const unsigned char signature[] = {'P', 'K', 3, 4};
    return size >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0;
}

/* Puts the file's name before the message; of a long one its end. */
static bool refuse(const char *path, struct error *e)
{
    char message[sizeof e->text];
    size_t length = strlen(path);
    bool cut = length > PATH_SHOWN;
    memcpy(message, e->text, sizeof message);
    return error_set(e, "%s%s: %s", cut ? "..." : "", cut ? path + length - PATH_SHOWN : path,
                     message);
}

static bool parse(struct weights_file *file, const unsigned char *bytes, size_t size,
                  struct error *e)
{
    bool ok;
    if (zip_probe(bytes, size))
        ok = error_set(e, "a zip archive: of a .keras model save the weights with "
                          "model.save_weights(\"model.weights.h5\"), of PyTorch's with "
                          "safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")");
    else if (safetensors_probe(bytes, size))
        ok = parse_safetensors(file, bytes, size, e);
    else if (onnx_probe(bytes, size))
        ok = parse_onnx(file, bytes, size, e);
    else if (hdf5_probe(bytes, size))
        ok = parse_keras(file, bytes, size, e);
    else
        ok = error_set(e, "no weights file by its first bytes; ONNX, safetensors and Keras' HDF5 "
                          "are known");
    file->network.mapped = file->mapped.bytes != NULL;
    return ok && bound_network_check(&file->network, e);
}

static bool hash_files(struct weights_file *file, struct error *e)
{
    struct sha256 hash;
    bool ok = sha256_begin(&hash, e) && sha256_add(&hash, &file->mapped, e);
    for (int i = 0; ok && file->externals && i < file->externals->count; i++)
        ok = sha256_add(&hash, &file->externals->files[i].mapped, e);
    return sha256_end(&hash, file->sha256, e) && ok;
}

bool weights_file_parse(struct weights_file *file, const unsigned char *bytes, size_t size,
                        const char *path, struct error *e)
{
    *file = (struct weights_file){.path = path};
    if (parse(file, bytes, size, e))
        return true;
    weights_file_close(file);
    return refuse(path, e);
}

bool weights_file_open(struct weights_file *file, const char *path, struct error *e)
{
    *file = (struct weights_file){.path = path};
    if (!mapped_file_open(&file->mapped, path, e))
        return false;
    if (parse(file, file->mapped.bytes, file->mapped.size, e) && hash_files(file, e))
        return true;
    weights_file_close(file);
    return refuse(path, e);
}

void weights_file_close(struct weights_file *file)
{
    bound_network_free(&file->network);
    tensor_table_free(&file->table);
    mapped_file_close(&file->mapped);
    if (file->externals)
        onnx_externals_free(file->externals);
    free(file->externals);
    file->externals = NULL;
}

struct param_source weights_file_source(const struct weights_file *file)
{
    return (struct param_source){
        .read = bound_network_read, .adapt = bound_network_adapt, .context = &file->network};
}
