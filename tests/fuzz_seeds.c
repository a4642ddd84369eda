/**
 * Writes small files of every kind that the fuzzers begin with. Usage: fuzz_seeds DIRECTORY, which
 * has a directory for each fuzzer.
 */
#include "tests/image_files.h"
#include "tests/result_fixture.h"

#include <stdlib.h>

#define PLAN                                                                                       \
    "{\"format\":\"resmark plan\",\"version\":1,\"resmark_version\":\"1\",\"network\":{\"name\":"  \
    "\"n\",\"variant\":\"v\",\"classes\":10,\"size\":32,\"batch\":1,\"steps\":3,\"graph_hash\":"   \
    "\"0123456789abcdef\"},\"machine\":{\"cpu\":\"c\",\"family\":6,\"model\":1,\"stepping\":1,"    \
    "\"cache_bytes\":[1,2,3,0],\"allowed_cores\":1},\"convolutions\":[{\"name\":\"a\",\"algo\":"   \
    "\"direct\"},{\"name\":\"b\",\"algo\":\"winograd4\"}],\"cuts\":[{\"isa\":\"avx2\","            \
    "\"threads\":1,\"blockings\":[{\"strip\":6,\"group\":2,\"chunk\":1,\"rule_us\":1.5,"           \
    "\"tuned_us\":1},{\"chunk\":6,\"by_channels\":true,\"rule_us\":1,\"tuned_us\":1}]}]}"

#define LAYER                                                                                      \
    "{\"name\":\"l\",\"algo\":\"-\",\"channels\":1,\"height\":1,\"width\":1,\"weights\":"          \
    "\"0000000000000000\",\"output\":\"0123456789abcdef\",\"bands\":\"0123456789abcdef\","         \
    "\"samples\":\"3f8000003f8000003f8000003f8000003f8000003f8000003f8000003f800000\"}"

#define MODEL(name)                                                                                \
    "{\"name\":\"" name "\",\"runs\":[{\"isa\":\"neon\",\"threads\":2},{\"isa\":\"avx2\","         \
    "\"threads\":1,\"hashes\":[\"0123456789abcdef\"]}],\"layers\":[" LAYER "]}"

#define VERIFY                                                                                     \
    "{\"format\":\"resmark verify file\",\"version\":1,\"resmark_version\":\"1\",\"compiler\":"    \
    "\"c\",\"cpu\":\"p\",\"architecture\":\"a\",\"network\":{\"name\":\"n\",\"variant\":\"v\","    \
    "\"classes\":10,\"size\":32,\"batch\":1,\"seed\":\"0000000000000001\"},\"models\":[" MODEL(    \
        "direct") "," MODEL("auto") "]}"

static void write_seed(const char *directory, const char *name, const void *data, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_jpegs(const char *directory)
{
    for (int i = 0; i < 6; i++) {
        char name[32];
        int components = i < 3 ? 3 : 1;
        struct bytes file = make_jpeg(components, components == 3 ? JCS_RGB : JCS_GRAYSCALE,
                                      components == 1 ? (enum jpeg_process)(i % 3) : i % 2);
        snprintf(name, sizeof name, "jpeg/%d.jpg", i);
        write_seed(directory, name, file.data, file.size);
        free(file.data);
    }
}

static void write_pngs(const char *directory)
{
    static const struct png_kind kinds[] = {
        {PNG_COLOR_TYPE_RGB, 8, false, false},      {PNG_COLOR_TYPE_RGB, 16, true, false},
        {PNG_COLOR_TYPE_RGB_ALPHA, 8, true, false}, {PNG_COLOR_TYPE_GRAY, 1, false, true},
        {PNG_COLOR_TYPE_PALETTE, 4, true, true},    {PNG_COLOR_TYPE_GRAY_ALPHA, 16, false, false},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char name[32];
        struct bytes file = make_png(kinds[i]);
        snprintf(name, sizeof name, "png/%zu.png", i);
        write_seed(directory, name, file.data, file.size);
        free(file.data);
    }
}

static void write_results(const char *directory)
{
    for (int version = 1; version <= 2; version++) {
        char name[32];
        const struct fixture_options options = {.version = version, .scatter = 0.01};
        json_t *root = fixture_result(&options);
        char *text = json_dumps(root, 0);
        snprintf(name, sizeof name, "result/%d.json", version);
        write_seed(directory, name, text, strlen(text));
        free(text);
        json_decref(root);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_seeds DIRECTORY\n");
        return 2;
    }
    write_jpegs(argv[1]);
    write_pngs(argv[1]);
    write_results(argv[1]);
    write_seed(argv[1], "plan/1.json", PLAN, sizeof PLAN - 1);
    write_seed(argv[1], "verify/1.json", VERIFY, sizeof VERIFY - 1);
    return 0;
}
