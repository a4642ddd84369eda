/** A libFuzzer entry over decoding and preprocessing, the two that eat a stranger's picture;
 * scripts/fuzz builds and runs it. */
#include "harness/preprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

static void check_network_input(const struct image *img, int size)
{
    struct pixel_table table;
    struct error e;
    size_t row = (size_t)size * 3;
    float *out = malloc((size_t)size * row * sizeof *out);
    pixel_table_init(&table, &normalisation_imagenet, NULL);
    check(preprocess(img, size, &table, out, row, &e));
    for (size_t i = 0; i < (size_t)size * row; i++)
        check(fabsf(out[i]) < 3);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image img;
    struct error e = {0};
    if (image_decode(&img, data, size, "fuzz", &e)) {
        check(img.width > 0 && img.height > 0 && img.pixels);
        check((int64_t)img.width * img.height <= IMAGE_MAX_PIXELS);
        check_network_input(&img, 1 + (int)(size % 64));
    } else {
        check(!img.pixels && strstr(e.text, "fuzz: ") && strlen(e.text) < sizeof e.text - 1);
    }
    image_free(&img);
    return 0;
}
