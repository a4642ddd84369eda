/**
 * Prints tests/golden_hashes.h, computed by the scalar kernels on one thread: scripts/golden starts
 * it. The fixture's assertions end it with an abort, as there is no test runner round it.
 */
#include "tests/engine_fixture.h"

#include <inttypes.h>
#include <stdio.h>

static void print_table(enum algo algo, int size)
{
    const struct model_options options = subject_options("resnet50_v2", size, 1, algo);
    struct subject s;
    subject_make(&s, &options, 1);
    uint64_t *hashes = subject_hashes(&s, ISA_SCALAR, 1);
    printf("\nstatic const struct golden_hash golden_%s_%d[] = {\n", algo_name(algo), size);
    for (int i = 0; i < s.model.steps.count; i++)
        printf("{\"%s\", 0x%016" PRIx64 "},\n", step_name(&s, i), hashes[i]);
    printf("};\n");
    free(hashes);
    subject_free(&s);
}

int main(void)
{
    printf(
        "/**\n"
        " * Hashes (hash.h) of the output of every layer of resnet50_v2 with synthetic weights of\n"
        " * seed 1, for the built-in picture: of both outputs joined where a layer stores two.\n"
        " * Made by scripts/golden with the scalar kernels; every kernel set must give the same,\n"
        " * on any machine. A change here is a change of the numerics contract in kernels.h.\n"
        " */\n"
        "#ifndef RESMARK_TESTS_GOLDEN_HASHES_H\n"
        "#define RESMARK_TESTS_GOLDEN_HASHES_H\n"
        "\n"
        "#include <stdint.h>\n"
        "\n"
        "struct golden_hash {\n"
        "const char *layer;\n"
        "uint64_t hash;\n"
        "};\n");
    print_table(ALGO_DIRECT, 224);
    print_table(ALGO_DIRECT, 64);
    printf("\n#endif\n");
    return fflush(stdout) != 0;
}
