/**
 * Writes weights files whose tensors have one number each, for tests/fuzz_weights.c to begin with:
 * everything but the shapes is right. Usage: fuzz_weights_seeds DIRECTORY, which has a directory
 * for each format.
 */
#include "harness/formats/export.h"
#include "harness/formats/onnx_builder.h"
#include "harness/formats/tensor_names.h"
#include "harness/synthetic.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t seed = 1;

static FILE *create(const char *directory, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

/* A plain copy of the export but for the numbers. */
static void write_onnx(const struct network *net, const char *directory, const char *name)
{
    struct param_source source = synthetic_source(&seed);
    struct error e;
    char *bytes;
    size_t size;
    FILE *f = open_memstream(&bytes, &size);
    if (!f || !export_onnx(net, &source, "a seed", f, &e) || fclose(f) != 0)
        exit(1);
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, size, (const uint8_t *)bytes);
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        Onnx__TensorProto *t = model->graph->initializer[i];
        for (size_t k = 0; k < t->n_dims; k++)
            t->dims[k] = 1;
        t->raw_data.len = 4;
    }
    uint8_t *packed = malloc(onnx__model_proto__get_packed_size(model));
    size = onnx__model_proto__pack(model, packed);
    f = create(directory, name);
    fwrite(packed, 1, size, f);
    fclose(f);
    free(packed);
    onnx__model_proto__free_unpacked(model, NULL);
    free(bytes);
}

/* Calls back with the name of every parameter tensor of a network, counting them. */
static size_t each_name(const struct network *net, void (*visit)(void *, const char *, size_t),
                        void *context)
{
    size_t count = 0;
    for (int node = 0; node < net->node_count; node++) {
        for (enum param param = 0; param < PARAM_COUNT; param++) {
            char name[TENSOR_NAME_SIZE];
            if (network_param_count(net, node, param) > 0)
                visit(context, tensor_name(net, node, param, name), count++);
        }
    }
    return count;
}

static void write_entry(void *context, const char *name, size_t index)
{
    fprintf(context, "%c\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%zu,%zu]}",
            index ? ',' : '{', name, 4 * index, 4 * index + 4);
}

static void write_safetensors(const struct network *net, const char *directory, const char *name)
{
    char *header;
    size_t size;
    FILE *text = open_memstream(&header, &size);
    size_t count = each_name(net, write_entry, text);
    fputc('}', text);
    fclose(text);
    FILE *f = create(directory, name);
    for (int i = 0; i < 8; i++)
        fputc((int)(size >> 8 * i & 255), f);
    fprintf(f, "%s%*s", header, (int)(4 * count), "");
    fclose(f);
    free(header);
}

/* The first few only: a file of all is too large. */
static void write_dataset(void *context, const char *name, size_t index)
{
    const hid_t *file = context;
    const hsize_t one = 1;
    const float number = 1;
    if (index >= 8)
        return;
    hid_t links = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(1, &one, NULL);
    H5Pset_create_intermediate_group(links, 1);
    hid_t dataset = H5Dcreate2(*file, name, H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, &number);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(links);
}

static void write_keras(const struct network *net, const char *directory)
{
    char path[512];
    snprintf(path, sizeof path, "%s/keras/keras.h5", directory);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    each_name(net, write_dataset, &file);
    if (H5Fclose(file) < 0)
        exit(1);
}

/* As Keras 3's save_weights() has it: the layer's name is an attribute. */
static void write_numbered_keras(const char *directory)
{
    char path[512];
    const char *layer = "conv1_conv";
    snprintf(path, sizeof path, "%s/keras/numbered.h5", directory);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    write_dataset(&file, "layers/conv2d/vars/0", 0);
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    hid_t group = H5Gopen2(file, "layers/conv2d/vars", H5P_DEFAULT);
    hid_t attribute = H5Acreate2(group, "name", type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, &layer);
    H5Aclose(attribute);
    H5Gclose(group);
    H5Sclose(space);
    H5Tclose(type);
    if (H5Fclose(file) < 0)
        exit(1);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"resnet18_v2", "resnet18_v2_timm", "two_shortcuts"};
    struct network net;
    struct error e;
    char name[64];
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_weights_seeds DIRECTORY\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!network_build(&net, names[i], 1, 64, &e))
            return 1;
        snprintf(name, sizeof name, "onnx/%s.onnx", names[i]);
        write_onnx(&net, argv[1], name);
        snprintf(name, sizeof name, "safetensors/%s.safetensors", names[i]);
        write_safetensors(&net, argv[1], name);
        network_free(&net);
    }
    if (!network_build(&net, "resnet50_v2_keras", 1, 64, &e))
        return 1;
    write_keras(&net, argv[1]);
    write_numbered_keras(argv[1]);
    network_free(&net);
    return 0;
}
