/** Weights from safetensors: read back as exported, and files that must be refused. */
#include "tests/exported_fixture.h"

#include <jansson.h>
#include <math.h>

TestSuite(safetensors, .timeout = 120);

Test(safetensors, reads_back_what_export_writes)
{
    reads_back_each_variant(export_safetensors);
}

static uint64_t header_length(const struct exported *file)
{
    uint64_t length;
    memcpy(&length, file->bytes, sizeof length);
    return length;
}

static json_t *header_of(const struct exported *file)
{
    json_t *header = json_loadb(file->bytes + 8, header_length(file), 0, NULL);
    cr_assert(header);
    return header;
}

/* The file with another header, in text. */
static struct exported with_header(const struct exported *file, const char *header)
{
    uint64_t length = strlen(header), data = 8 + header_length(file);
    struct exported other = {.size = 8 + length + file->size - data};
    other.bytes = malloc(other.size);
    cr_assert(other.bytes);
    memcpy(other.bytes, &length, 8);
    memcpy(other.bytes + 8, header, length);
    memcpy(other.bytes + 8 + length, file->bytes + data, file->size - data);
    return other;
}

static void refuses_header(const struct exported *file, json_t *header, const char *text,
                           const char *expected)
{
    char *dumped = json_dumps(header, JSON_COMPACT);
    struct exported other = with_header(file, dumped);
    refuses(&other, text, expected);
    free(dumped);
    free(other.bytes);
    json_decref(header);
}

static struct exported small(void)
{
    return make_exported(export_safetensors, "resnet18_v2", 10);
}

#define TENSOR "stage2_conv1_weight"

/* One field of one tensor's entry is changed. */
Test(safetensors, refuses_wrong_entries)
{
    static const struct {
        const char *field, *value, *expected;
    } cases[] = {
        {"dtype", "\"I32\"", "expects 128x128x3x3 of F32 there, the file has 128x128x3x3 of I32"},
        {"dtype", "\"F64\"", "does not have the 589824 bytes"},
        {"dtype", "\"Q3\"", "its dtype Q3 is unknown"},
        {"dtype", "7", "has no dtype"},
        {"shape", "[128,3,128,3]", "the file has 128x3x128x3 of F32"},
        {"shape", "[128,128,9]", "expects 128x128x3x3 of F32"},
        {"shape", "[128,128,3]", "128x128x3 of F32 does not have the 589824 bytes"},
        {"shape", "[9223372036854775808,2,3,3]", "under 2^53"},
        {"shape", "[4503599627370496,4503599627370496,16,3]", "does not have the 589824 bytes"},
        {"shape", "[-1,128,3,3]", "under 2^53"},
        {"shape", "[1.5,128,3,3]", "under 2^53"},
        {"shape", "{}", "a list of at most 8 numbers"},
        {"shape", "[1,1,1,1,1,128,128,3,3]", "a list of at most 8 numbers"},
        {"data_offsets", "[0,18446744073709551615]", "under 2^53"},
        {"data_offsets", "[589824,0]", "outside of the"},
        {"data_offsets", "[0,10000000000]", "outside of the"},
        {"data_offsets", "[0]", "two whole numbers"},
        {"data_offsets", "[0,4]", "does not have the 4 bytes"},
    };
    struct exported file = small();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *header = header_of(&file);
        json_object_set_new(
            json_object_get(header, TENSOR), cases[i].field,
            json_loads(cases[i].value, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL));
        refuses_header(&file, header, "tensor " TENSOR ": ", cases[i].expected);
    }
    free(file.bytes);
}

/* The renamed tensor is missing, and its new name is of no tensor. */
Test(safetensors, refuses_missing_and_unknown_tensors)
{
    struct exported file = small();
    json_t *header = header_of(&file), *entry = json_object_get(header, TENSOR);
    json_object_set(header, "stranger", entry);
    json_object_del(header, TENSOR);
    refuses_header(&file, header, "tensor " TENSOR " is missing", "resnet18_v2 (gluon)");

    header = header_of(&file);
    json_object_set_new(
        header, "stranger",
        json_pack("{s:s, s:[], s:[i,i]}", "dtype", "U8", "shape", "data_offsets", 0, 1));
    json_object_set_new(json_object_get(header, "batchnorm0_gamma"), "data_offsets",
                        json_pack("[i,i]", 0, 11));
    json_object_set_new(json_object_get(header, "batchnorm0_gamma"), "shape", json_pack("[i]", 11));
    json_object_set_new(json_object_get(header, "batchnorm0_gamma"), "dtype", json_string("U8"));
    refuses_header(&file, header, "tensor stranger: ", "has no such tensor");
    free(file.bytes);
}

Test(safetensors, refuses_names_of_no_network)
{
    struct exported file = small();
    json_t *header = json_pack("{s:{s:s, s:[i], s:[i,i]}}", "alien", "dtype", "U8", "shape",
                               (int)(file.size - 8 - header_length(&file)), "data_offsets", 0,
                               (int)(file.size - 8 - header_length(&file)));
    refuses_header(&file, header, "alien", "none of its 1 tensors");
    refuses_header(&file, json_object(), "0 bytes", "damaged or incomplete");
    refuses_header(&file, json_pack("{s:i}", "alien", 7), "tensor alien: ", "no dtype");
    free(file.bytes);
}

Test(safetensors, refuses_a_tensor_twice)
{
    struct exported file = small();
    json_t *header = header_of(&file);
    char *text = json_dumps(header, JSON_COMPACT), *twice;
    char *entry = json_dumps(json_object_get(header, TENSOR), JSON_COMPACT);
    cr_assert(asprintf(&twice, "%.*s,\"" TENSOR "\":%s}", (int)strlen(text) - 1, text, entry) > 0);
    struct exported other = with_header(&file, twice);
    refuses(&other, "duplicate object key", TENSOR);
    free(other.bytes);
    free(twice);
    free(entry);
    free(text);
    json_decref(header);
    free(file.bytes);
}

static void put_number(struct exported *file, const char *tensor, size_t element, float value)
{
    json_t *header = header_of(file);
    json_t *offsets = json_object_get(json_object_get(header, tensor), "data_offsets");
    size_t at = 8 + header_length(file) + (size_t)json_integer_value(json_array_get(offsets, 0));
    memcpy(file->bytes + at + element * sizeof value, &value, sizeof value);
    json_decref(header);
}

Test(safetensors, refuses_numbers_that_are_none)
{
    struct exported file = small();
    put_number(&file, "stage1_batchnorm1_running_var", 3, -1);
    refuses(&file, "tensor stage1_batchnorm1_running_var: element 3 is -1", "cannot be negative");
    put_number(&file, TENSOR, 147455, -INFINITY);
    put_number(&file, "stage1_batchnorm1_running_var", 3, 1);
    refuses(&file, "tensor " TENSOR ": element 147455 is -inf", "finite");
    put_number(&file, TENSOR, 147455, NAN);
    refuses(&file, "tensor " TENSOR ": element 147455 is ", "finite");
    free(file.bytes);
}

/* At every 4 KiB; the middle of so many equal numbers in larger steps. */
Test(safetensors, refuses_truncated_files)
{
    enum { STEP = 4096, EDGE = 1 << 21, STRIDE = 1 << 16 };
    struct exported file = small();
    for (size_t size = 0; size < file.size;) {
        struct exported cut = {file.bytes, size};
        refuses(&cut, size == 0 ? "by its first bytes" : "damaged or incomplete", "");
        size += size < EDGE || size + EDGE > file.size ? STEP : STRIDE;
    }
    free(file.bytes);
}

/* The length of the header is the file's first number. */
Test(safetensors, refuses_lengths_of_the_header)
{
    static const uint64_t lengths[] = {UINT64_MAX, UINT64_MAX - 7, INT64_MAX, 100000001, 1u << 28};
    struct exported file = small();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(file.bytes, &lengths[i], 8);
        refuses(&file, "a header of ", "cannot be in a file of");
    }
    uint64_t length = 2;
    memcpy(file.bytes, &length, 8);
    refuses(&file, "its header is no JSON", "");
    free(file.bytes);
}

/* Lists in lists in JSON: 2 bytes each that would become 200. */
Test(safetensors, takes_no_more_memory_than_the_file_has)
{
    enum { LISTS = 2000000 };
    struct exported file = {.size = 8 + 8 + 3 * LISTS + 3};
    uint64_t length = file.size - 8;
    file.bytes = malloc(file.size + 1);
    memcpy(file.bytes, &length, 8);
    strcpy(file.bytes + 8, "{\"a\":[[]");
    for (int i = 0; i < LISTS; i++)
        memcpy(file.bytes + 16 + 3 * i, ",[]", 3);
    memcpy(file.bytes + 16 + 3 * LISTS, "]} ", 3);
    refuses(&file, "takes more memory than the file has bytes", "");
    free(file.bytes);
}

/* A prefix that all names share, counters of batches, and types that are converted. */
Test(safetensors, accepts_what_others_write)
{
    struct exported file = small();
    json_t *header = header_of(&file), *renamed = json_object(), *entry;
    const char *name;
    char longer[256];
    json_object_foreach(header, name, entry)
    {
        snprintf(longer, sizeof longer, "%s%s", *name == '_' ? "" : "resnetv22_", name);
        json_object_set(renamed, longer, entry);
    }
    json_object_set_new(
        renamed, "any.num_batches_tracked",
        json_pack("{s:s, s:[i], s:[i,i]}", "dtype", "I64", "shape", 0, "data_offsets", 4, 4));
    json_object_set_new(json_object_get(renamed, "resnetv22_dense0_weight"), "shape",
                        json_pack("[i,i,i,i]", 10, 512, 1, 1));
    char *text = json_dumps(renamed, JSON_COMPACT);
    struct exported other = with_header(&file, text);
    struct weights_file opened;
    struct error e;
    cr_assert(weights_file_parse(&opened, (unsigned char *)other.bytes, other.size, "", &e), "%s",
              e.text);
    check_same_numbers(&opened, "resnet18_v2", 10);
    weights_file_close(&opened);
    free(text);
    free(other.bytes);
    free(file.bytes);
    json_decref(header);
    json_decref(renamed);
}

/* Types of half the size: what float32 makes of their bits. */
Test(safetensors, converts_types)
{
    static const struct {
        const char *dtype;
        unsigned char bytes[8];
        float value;
    } cases[] = {
        {"F16", {0x00, 0x3c}, 1},
        {"F16", {0x00, 0xc0}, -2},
        {"F16", {0x01, 0x00}, 0x1p-24F},
        {"F16", {0xff, 0x03}, 0x1.ff8p-15F},
        {"F16", {0x00, 0x04}, 0x1p-14F},
        {"F16", {0xff, 0x7b}, 65504},
        {"F16", {0x00, 0x80}, -0.0F},
        {"F16", {0x00, 0xfc}, -INFINITY},
        {"BF16", {0x80, 0x3f}, 1},
        {"BF16", {0x01, 0xc0}, -2.015625F},
        {"F64", {0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, 1},
        {"F64", {1, 0, 0, 0, 0, 0, 0, 0xc0}, -2},
        {"F32", {0, 0, 0x80, 0x3f}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float value;
        const struct dtype *dtype = dtype_by_name(cases[i].dtype);
        dtype->to_float(cases[i].bytes, 1, &value);
        cr_expect(memcmp(&value, &cases[i].value, sizeof value) == 0, "%s, case %zu: %g, not %g",
                  cases[i].dtype, i, (double)value, (double)cases[i].value);
    }
}
