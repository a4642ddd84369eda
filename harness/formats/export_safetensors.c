#include "harness/formats/bound_network.h"
#include "harness/formats/export.h"
#include "harness/formats/safetensors.h"
#include "harness/formats/tensor_names.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Of the header, with its length of 8 bytes. */
#define ALIGNMENT 8

/* Receives each parameter tensor of a network in turn. */
typedef bool visit_tensor(void *context, int node, enum param param, size_t count);

static bool visit_all(const struct network *net, visit_tensor *visit, void *context)
{
    for (int node = 0; node < net->node_count; node++) {
        for (enum param param = 0; param < PARAM_COUNT; param++) {
            size_t count = network_param_count(net, node, param);
            if (count > 0 && !visit(context, node, param, count))
                return false;
        }
    }
    return true;
}

struct header {
    const struct network *net;
    json_t *root;
    size_t offset;
};

static bool add_entry(void *context, int node, enum param param, size_t count)
{
    struct header *h = context;
    char name[TENSOR_NAME_SIZE];
    uint64_t dims[4];
    bool last = tensor_name_outputs_last(h->net);
    int rank = network_param_dims(h->net, node, param, last, dims);
    json_t *shape = json_array();
    for (int i = 0; i < rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)dims[i]));
    size_t end = h->offset + count * sizeof(float);
    json_t *entry = json_pack("{s:s, s:o, s:[I,I]}", "dtype", "F32", "shape", shape, "data_offsets",
                              (json_int_t)h->offset, (json_int_t)end);
    h->offset = end;
    return json_object_set_new(h->root, tensor_name(h->net, node, param, name), entry) == 0;
}

static char *make_header(const struct network *net, const char *origin)
{
    struct header h = {.net = net};
    h.root = json_pack("{s:{s:s, s:s, s:s}}", "__metadata__", "format", "pt", SAFETENSORS_NETWORK,
                       net->name, "resmark_weights", origin);
    bool ok = h.root && visit_all(net, add_entry, &h);
    char *text = ok ? json_dumps(h.root, JSON_COMPACT) : NULL;
    json_decref(h.root);
    return text;
}

static void write_header(const char *text, FILE *stream)
{
    size_t length = strlen(text);
    size_t padded = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    for (int i = 0; i < 8; i++)
        fputc((int)(padded >> 8 * i & 255), stream);
    fprintf(stream, "%-*s", (int)padded, text);
}

struct data {
    const struct network *net;
    const struct param_source *source;
    FILE *stream;
};

/* From [cout][cin][tap] to [tap][cin][cout]. */
static void put_outputs_last(const float *from, size_t outputs, size_t taps, size_t count,
                             float *to)
{
    size_t inputs = count / outputs / taps;
    for (size_t i = 0; i < count; i++) {
        size_t tap = i % taps, input = i / taps % inputs, output = i / taps / inputs;
        to[(tap * inputs + input) * outputs + output] = from[i];
    }
}

static bool write_tensor(void *context, int node, enum param param, size_t count)
{
    const struct data *d = context;
    const struct node *n = &d->net->nodes[node];
    float *numbers = calloc(2 * count, sizeof *numbers), *written = numbers;
    if (!numbers)
        return false;
    d->source->read(d->source->context, d->net, node, param, 0, count, numbers);
    if (param == PARAM_WEIGHT && tensor_name_outputs_last(d->net)) {
        written = numbers + count;
        put_outputs_last(numbers, (size_t)n->shape.channels,
                         n->kind == NODE_CONV ? (size_t)n->kernel * (size_t)n->kernel : 1, count,
                         written);
    }
    fwrite(written, sizeof *written, count, d->stream);
    free(numbers);
    return true;
}

bool export_safetensors(const struct network *net, const struct param_source *source,
                        const char *origin, FILE *stream, struct error *e)
{
    struct data data = {net, source, stream};
    char *header = make_header(net, origin);
    if (header)
        write_header(header, stream);
    bool ok = header && visit_all(net, write_tensor, &data);
    free(header);
    return ok || error_set(e, "no memory to write %s", net->name);
}
