/** Weights from Keras' HDF5 files, here made as Keras makes them, and files that must be refused.
 */
#include "tests/exported_fixture.h"

#include "harness/formats/tensor_names.h"

#include <hdf5.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(keras, .timeout = 300);

#define NETWORK "resnet50_v2_keras"
#define CLASSES 10
#define TENSOR "conv3_block1_2_conv/conv3_block1_2_conv/kernel:0"

/** Where the names of layers are in a file of Keras 3's save_weights(). */
enum layer_names {
    NOT_NUMBERED, /**< in the paths, since it is another kind of file */
    NAMED,        /**< in attributes, of variable length as Keras writes them */
    NAMED_FIXED,  /**< in attributes of fixed length */
    NAMED_LONG,   /**< longer than any layer's name */
    NAMELESS,     /**< nowhere */
};

/** How a file differs from what Keras 2 saves with save_weights(). */
struct variation {
    const char *folder;        /**< of all weights */
    enum layer_names numbered; /**< as Keras 3's save_weights() has it: by the layer's class */
    bool old_head;             /**< the last layer has its earlier name */
    const char *left_out;
    const char *added; /**< a dataset of one number */
    const char *changed;
    hid_t type; /**< of the changed one; 0: as it should be */
    int rank;   /**< of it; 0: as it should be */
    hsize_t dims[4];
    bool chunked, unwritten;
    float number; /**< its first one, if not 0 */
};

static char folder[] = "/tmp/test_keras_XXXXXX";
static char path[64];

static void make_folder(void)
{
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/weights.h5", folder);
}

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static void write_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims,
                          const float *numbers, const struct variation *v)
{
    hid_t links = H5Pcreate(H5P_LINK_CREATE), layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    if (v && v->chunked) {
        H5Pset_chunk(layout, rank, dims);
        H5Pset_deflate(layout, 1);
    }
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t dataset = H5Dcreate2(file, name, type, space, links, layout, H5P_DEFAULT);
    cr_assert(dataset >= 0, "%s", name);
    if (!v || !v->unwritten)
        cr_assert(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(layout);
    H5Pclose(links);
}

/* In the order of Keras: [tap][cin][cout]. */
static float *keras_numbers(const struct network *net, int node, enum param param, size_t count)
{
    const struct node *n = &net->nodes[node];
    struct param_source source = synthetic_source(&exported_seed);
    size_t outputs = (size_t)n->shape.channels;
    size_t taps = n->kind == NODE_CONV ? (size_t)n->kernel * (size_t)n->kernel : 1;
    size_t inputs = count / outputs / taps;
    float *from = malloc(count * sizeof *from), *to = malloc(count * sizeof *to);
    cr_assert(from && to);
    source.read(source.context, net, node, param, 0, count, from);
    for (size_t i = 0; i < count && param == PARAM_WEIGHT; i++)
        to[i] = from[(i % outputs * inputs + i / outputs % inputs) * taps + i / outputs / inputs];
    if (param == PARAM_WEIGHT) {
        free(from);
        return to;
    }
    free(to);
    return from;
}

static int variable_index(enum param param)
{
    return (int)param - (int)(param >= PARAM_GAMMA ? PARAM_GAMMA : PARAM_WEIGHT);
}

/* "layers/conv2d_7/vars", whose number says nothing of the layer's place; some in a nested model.
 */
static void numbered_group(const struct network *net, int node, char group[64])
{
    enum node_kind kind = net->nodes[node].kind;
    const char *class = kind == NODE_CONV ? "conv2d" : "dense";
    class = kind == NODE_BATCH_NORM ? "batch_normalization" : class;
    if (node % 7 == 0)
        snprintf(group, 64, "layers/nested_%d/layers/%s/vars", node, class);
    else
        snprintf(group, 64, "layers/%s_%d/vars", class, net->node_count - node);
}

/* As the attribute "name" what stands before the tensor's first slash. */
static void write_layer_name(hid_t file, const char *path_of_group, const char *tensor,
                             enum layer_names how)
{
    char text[400] = "";
    const char *pointer = text;
    bool fixed = how == NAMED_FIXED;
    strncpy(text, tensor, (size_t)(strchr(tensor, '/') - tensor));
    if (how == NAMED_LONG)
        memset(text, 'x', 300);
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, fixed ? strlen(text) + 1 : H5T_VARIABLE);
    hid_t group = H5Gopen2(file, path_of_group, H5P_DEFAULT);
    hid_t attribute = H5Acreate2(group, "name", type, space, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(H5Awrite(attribute, type, fixed ? (const void *)text : &pointer) >= 0);
    H5Aclose(attribute);
    H5Gclose(group);
    H5Sclose(space);
    H5Tclose(type);
}

static void write_param(hid_t file, const struct network *net, int node, enum param param,
                        const struct variation *v)
{
    char name[TENSOR_NAME_SIZE], full[2 * TENSOR_NAME_SIZE], group[64];
    uint64_t wanted[4];
    hsize_t dims[4];
    size_t count = network_param_count(net, node, param);
    if (count == 0)
        return;
    int rank = network_param_dims(net, node, param, true, wanted);
    for (int i = 0; i < rank; i++)
        dims[i] = wanted[i];
    tensor_name(net, node, param, name);
    bool changed = v->changed && strcmp(name, v->changed) == 0;
    bool head = v->old_head && strncmp(name, "predictions", 11) == 0;
    if (v->left_out && strcmp(name, v->left_out) == 0)
        return;
    float *numbers = keras_numbers(net, node, param, count);
    if (changed && v->number != 0)
        numbers[0] = v->number;
    snprintf(full, sizeof full, "%s%s%s", v->folder ? v->folder : "", head ? "probs/probs" : "",
             head ? strrchr(name, '/') : name);
    numbered_group(net, node, group);
    if (v->numbered)
        snprintf(full, sizeof full, "%s/%d", group, variable_index(param));
    write_dataset(file, full, changed && v->type ? v->type : H5T_IEEE_F32LE,
                  changed && v->rank ? v->rank : rank, changed && v->rank ? v->dims : dims, numbers,
                  changed ? v : NULL);
    if (v->numbered && v->numbered != NAMELESS && variable_index(param) == 0)
        write_layer_name(file, group, name, v->numbered);
    free(numbers);
}

static void write_file(const struct variation *v)
{
    struct network net;
    struct error e;
    const float zero = 0;
    const hsize_t one = 1;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(file >= 0);
    cr_assert(network_build(&net, NETWORK, CLASSES, 64, &e), "%s", e.text);
    for (int node = 0; node < net.node_count; node++) {
        for (enum param param = 0; param < PARAM_COUNT; param++)
            write_param(file, &net, node, param, v);
    }
    if (v->added)
        write_dataset(file, v->added, H5T_IEEE_F32LE, 1, &one, &zero, NULL);
    network_free(&net);
    cr_assert(H5Fclose(file) >= 0);
}

static void accepts(const struct variation *v)
{
    struct weights_file opened;
    struct error e;
    write_file(v);
    cr_assert(weights_file_open(&opened, path, &e), "%s", e.text);
    cr_expect_str_eq(opened.format, "Keras");
    check_same_numbers(&opened, NETWORK, CLASSES);
    weights_file_close(&opened);
}

/* One line with the file's name and the text. */
static void refuses_file(const char *text)
{
    struct weights_file opened;
    struct error e = {""};
    cr_assert(!weights_file_open(&opened, path, &e), "accepted instead of '%s'", text);
    cr_expect(strncmp(e.text, path, strlen(path)) == 0 && strstr(e.text, text), "'%s' in: %s", text,
              e.text);
}

Test(keras, reads_what_keras_writes, .init = make_folder, .fini = remove_folder)
{
    accepts(&(struct variation){0});
    accepts(&(struct variation){
        .folder = "model_weights/", .old_head = true, .added = "optimizer_weights/Adam/iter:0"});
}

Test(keras, reads_numbered_layers_by_their_names, .init = make_folder, .fini = remove_folder)
{
    accepts(&(struct variation){.numbered = NAMED, .added = "optimizer/vars/0"});
    accepts(&(struct variation){.numbered = NAMED_FIXED});
}

Test(keras, refuses_wrong_datasets, .init = make_folder, .fini = remove_folder)
{
    static const struct {
        struct variation v;
        const char *expected;
    } cases[] = {
        {{.left_out = TENSOR}, "tensor " TENSOR " is missing; " NETWORK " (keras)"},
        {{.added = "stranger/stranger/kernel:0"}, "tensor stranger/stranger/kernel:0: " NETWORK},
        {{.changed = TENSOR, .rank = 4, .dims = {3, 128, 3, 128}},
         "tensor " TENSOR ": " NETWORK " (keras) expects 3x3x128x128 of F32 there, the file has "
         "3x128x3x128"},
        {{.changed = TENSOR, .chunked = true}, "tensor " TENSOR ": its numbers are in chunks"},
        {{.changed = TENSOR, .rank = 2, .dims = {1 << 30, 1 << 30}, .unwritten = true},
         "tensor " TENSOR ": its numbers are in chunks, compressed, or not there"},
        {{.changed = TENSOR, .number = NAN}, "tensor " TENSOR ": element 0 is "},
        {{.numbered = NAMELESS}, ": its layer has no name, which Keras writes since 3.6; load "},
        {{.numbered = NAMED_LONG}, ": its layer has no name"},
        {{.numbered = NAMED, .left_out = TENSOR}, "tensor " TENSOR " is missing; " NETWORK},
        {{.numbered = NAMED, .changed = TENSOR, .rank = 4, .dims = {3, 128, 3, 128}},
         "tensor " TENSOR ": " NETWORK " (keras) expects 3x3x128x128"},
        {{.numbered = NAMED, .added = "layers/dense_9/vars/2"}, "tensor layers/dense_9/vars/2: "},
        {{.numbered = NAMED, .added = "layers/conv2d_transpose/vars/0"},
         "tensor layers/conv2d_transpose/vars/0: " NETWORK},
        {{.changed = "conv2_block1_preact_bn/conv2_block1_preact_bn/moving_variance:0",
          .number = -1},
         "element 0 is -1; a variance cannot be negative"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(&cases[i].v);
        refuses_file(cases[i].expected);
    }
    write_file(&(struct variation){.changed = TENSOR, .type = H5T_STD_I32LE});
    refuses_file("tensor " TENSOR ": its type is none of the weights'; F32 was expected");
}

/* Spread over the file; the library says itself that the end is missing. */
Test(keras, refuses_truncated_files, .init = make_folder, .fini = remove_folder)
{
    struct stat status;
    write_file(&(struct variation){0});
    cr_assert(stat(path, &status) == 0);
    for (off_t size = status.st_size - 4096; size > 4096;
         size -= size < 65536 ? 4096 : status.st_size / 40) {
        cr_assert(truncate(path, size) == 0);
        refuses_file("damaged or incomplete");
    }
    cr_assert(truncate(path, 7) == 0);
    refuses_file("no weights file by its first bytes");
}

/* Whatever the library makes of it, there is a network or one line. */
Test(keras, survives_damage, .init = make_folder, .fini = remove_folder)
{
    enum { DAMAGES = 24, HEADERS = 2048 };
    write_file(&(struct variation){0});
    int refused = 0;
    FILE *f = fopen(path, "r+b");
    for (uint32_t i = 0; i < DAMAGES; i++) {
        struct weights_file opened;
        struct error e = {""};
        long at = (long)(8 + i * 2654435761u % HEADERS);
        fseek(f, at, SEEK_SET);
        int byte = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc(~byte & 255, f);
        fflush(f);
        if (weights_file_open(&opened, path, &e))
            weights_file_close(&opened);
        else
            refused += strncmp(e.text, path, strlen(path)) == 0;
        fseek(f, at, SEEK_SET);
        fputc(byte, f);
    }
    fclose(f);
    cr_expect_geq(refused, 3, "%d", refused);
    struct weights_file opened;
    struct error e;
    cr_assert(weights_file_open(&opened, path, &e), "%s", e.text);
    weights_file_close(&opened);
}
