/**
 * Resizing, cropping and normalising against Pillow, and the built-in picture.
 *
 * The hashes were made with Pillow 12.1.1; 9.4.0 and 10.4.0 give the same. In Python, with
 * picture(w, h) below written as an RGB image and t = size * 256 // 224:
 *     resized:      picture(w, h).resize((out_w, out_h), BILINEAR)
 *     preprocessed: picture(w, h).resize((int(t * w / min(w, h)), int(t * h / min(w, h))),
 * BILINEAR), then .crop() of size x size from int(round((side - size) / 2.0)) on, then
 *                   float32((byte / 255 - mean) / std), little-endian
 * and over the bytes the 64-bit FNV-1a.
 */
#include "harness/preprocess.h"
#include "harness/resample.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t fnv1a(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

/** Noise: the bytes in order are the upper 8 bits of a linear congruential generator. */
static struct image picture(int width, int height)
{
    struct image img = {width, height, malloc((size_t)width * (size_t)height * 3)};
    uint32_t state = (uint32_t)width * 65536 + (uint32_t)height;
    for (size_t i = 0; i < (size_t)width * (size_t)height * 3; i++) {
        state = state * 1664525 + 1013904223;
        img.pixels[i] = (uint8_t)(state >> 24);
    }
    return img;
}

static uint8_t *resize(const struct image *img, int width, int height, struct window window)
{
    uint8_t *out = malloc((size_t)window.width * (size_t)window.height * 3);
    cr_assert(resample_bilinear(img, width, height, window, out));
    return out;
}

Test(resample, equals_pillow)
{
    static const struct {
        int width, height, out_width, out_height;
        uint64_t hash;
    } cases[] = {
        {1, 1, 1, 1, 0x2bc9d51a4e3cd5c3},       {1, 1, 5, 3, 0xaf764085fa9edd47},
        {2, 3, 2, 3, 0x7307cf63d68b496c},       {7, 5, 16, 11, 0x9cb1da760e9e3237},
        {64, 48, 17, 13, 0xdb2e9891fa38c3ca},   {100, 75, 341, 256, 0x3c608b2eb6af8b83},
        {33, 90, 33, 40, 0x81ba1f5114a2d4b7},   {50, 40, 81, 40, 0x92e4e19ee5389959},
        {3, 300, 9, 20, 0x99a4ae1eee4fab92},    {1023, 3, 1, 7, 0xa3ebcbf77230c162},
        {5, 4, 300, 2, 0x66d19eee56f9ddb3},     {640, 427, 383, 256, 0x92c420679e9bcadf},
        {97, 131, 96, 130, 0x2b1cff765dc5734e}, {2000, 2, 3, 3, 0xd58d06f86a306e95},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image img = picture(cases[i].width, cases[i].height);
        int width = cases[i].out_width, height = cases[i].out_height;
        uint8_t *out = resize(&img, width, height, (struct window){0, 0, width, height});
        uint64_t hash = fnv1a(out, (size_t)width * (size_t)height * 3);
        cr_expect(hash == cases[i].hash, "%dx%d to %dx%d: %#lx, not %#lx", img.width, img.height,
                  width, height, (unsigned long)hash, (unsigned long)cases[i].hash);
        free(out);
        image_free(&img);
    }
}

/** Small enough to be worked out by hand: a pixel's centre is at its middle. */
Test(resample, two_pixels_to_four)
{
    uint8_t pixels[6] = {0, 0, 255, 255, 0, 0};
    static const uint8_t expected[12] = {0, 0, 255, 64, 0, 191, 191, 0, 64, 255, 0, 0};
    struct image img = {2, 1, pixels};
    uint8_t *out = resize(&img, 4, 1, (struct window){0, 0, 4, 1});
    cr_expect_arr_eq(out, expected, sizeof expected);
    free(out);
}

/** However many the taps, the errors of their rounded weights do not add up to a level. */
Test(resample, white_stays_white)
{
    struct image img = picture(40001, 3);
    memset(img.pixels, 255, (size_t)img.width * 3 * 3);
    for (int width = 1; width < 40; width++) {
        uint8_t *out = resize(&img, width, 2, (struct window){0, 0, width, 2});
        for (int i = 0; i < width * 2 * 3; i++)
            cr_assert_eq(out[i], 255, "width %d byte %d: %d", width, i, out[i]);
        free(out);
    }
    image_free(&img);
}

Test(resample, window_is_a_part_of_the_whole)
{
    static const int sizes[][2] = {{90, 70}, {17, 12}, {41, 5}, {3, 200}};
    struct image img = picture(41, 29);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int width = sizes[i][0], height = sizes[i][1];
        uint8_t *whole = resize(&img, width, height, (struct window){0, 0, width, height});
        for (int at = 0; at < width * height; at++) {
            struct window part = {at % width, at / width, 0, 0};
            part.width = 1 + at * 7 % (width - part.x);
            part.height = 1 + at * 5 % (height - part.y);
            uint8_t *out = resize(&img, width, height, part);
            for (int y = 0; y < part.height; y++)
                cr_assert_arr_eq(out + y * part.width * 3,
                                 whole + ((part.y + y) * width + part.x) * 3,
                                 (size_t)part.width * 3);
            free(out);
        }
        free(whole);
    }
    image_free(&img);
}

Test(preprocess, equals_pillow, .timeout = 60)
{
    static const struct {
        int width, height, size;
        uint64_t hash;
    } cases[] = {
        {640, 427, 224, 0xefe052538b0a5d6f}, {427, 640, 224, 0xc4745f6e720d7201},
        {381, 256, 224, 0x9ac7cf8aec8e7857}, {256, 381, 224, 0x2f2dfa5a9064898c},
        {224, 224, 224, 0x556d9505d386809b}, {256, 256, 224, 0x639c0e20eeffd87a},
        {1, 1, 224, 0x61e855e6c05f0b25},     {20000, 10, 224, 0x2bfc65f6461a8805},
        {10, 3000, 224, 0x8e4ced5a1c299515}, {37, 41, 32, 0x92e71ce530f51d6e},
        {300, 299, 96, 0xc6af58b462e79e34},  {800, 610, 288, 0xda84c1431d9c729e},
        {16, 15, 1, 0x0884467f4bca663f},
    };
    struct pixel_table table;
    pixel_table_init(&table, &normalisation_imagenet, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image img = picture(cases[i].width, cases[i].height);
        struct error e;
        size_t row = (size_t)cases[i].size * 3, bytes = (size_t)cases[i].size * row * sizeof(float);
        float *out = malloc(bytes);
        cr_assert(preprocess(&img, cases[i].size, &table, out, row, &e), "%s", e.text);
        uint64_t hash = fnv1a(out, bytes);
        cr_expect(hash == cases[i].hash, "%dx%d for %d: %#lx, not %#lx", img.width, img.height,
                  cases[i].size, (unsigned long)hash, (unsigned long)cases[i].hash);
        free(out);
        image_free(&img);
    }
}

Test(preprocess, short_side_is_torchvision_s_for_224)
{
    cr_expect_eq(preprocess_short_side(224), 256);
    cr_expect_eq(preprocess_short_side(32), 36);
    for (int size = 1; size <= 4096; size++)
        cr_assert_geq(preprocess_short_side(size), size);
}

/** A border of zeros round the rows must stay, and the rows must be where the stride puts them. */
Test(preprocess, writes_only_the_rows)
{
    enum { SIZE = 20, ROW = SIZE * 3 + 7 };
    static float out[SIZE * ROW];
    float dense[SIZE * SIZE * 3];
    struct image img = picture(50, 33);
    struct pixel_table table;
    struct error e;
    pixel_table_init(&table, &normalisation_imagenet, NULL);
    for (int i = 0; i < SIZE * ROW; i++)
        out[i] = 1e30f;
    cr_assert(preprocess(&img, SIZE, &table, out, ROW, &e));
    cr_assert(preprocess(&img, SIZE, &table, dense, SIZE * 3, &e));
    for (int y = 0; y < SIZE; y++) {
        cr_expect_arr_eq(out + y * ROW, dense + y * SIZE * 3, SIZE * 3 * sizeof(float));
        for (int i = SIZE * 3; i < ROW; i++)
            cr_expect(out[y * ROW + i] == 1e30f, "row %d, float %d was written", y, i);
    }
    image_free(&img);
}

Test(preprocess, table_is_rounded_once)
{
    static const double mean[3] = {0.485, 0.456, 0.406}, deviation[3] = {0.229, 0.224, 0.225};
    struct channel_affine extra = {{1.5, 0.7, -2.0}, {0.1, -0.3, 100.0}};
    struct pixel_table plain, scaled;
    pixel_table_init(&plain, &normalisation_imagenet, NULL);
    pixel_table_init(&scaled, &normalisation_imagenet, &extra);
    for (int c = 0; c < 3; c++) {
        for (int x = 0; x < 256; x++) {
            double value = (x / 255.0 - mean[c]) / deviation[c];
            double more = value * extra.scale[c] + extra.shift[c];
            cr_assert(plain.value[c][x] == (float)value, "channel %d byte %d", c, x);
            cr_assert(scaled.value[c][x] == (float)more, "channel %d byte %d, affine", c, x);
        }
    }
    cr_expect(plain.value[0][0] == -2.11790395f && plain.value[2][255] == 2.64f);
}

Test(preprocess, pixels_are_looked_up_in_place)
{
    struct image img = picture(5, 4);
    struct pixel_table table;
    float out[4 * 16];
    for (int i = 0; i < 3 * 256; i++)
        table.value[i / 256][i % 256] = (float)i;
    preprocess_pixels(&img, &table, out, 16);
    for (int i = 0; i < 4 * 15; i++) {
        float expected = (float)(i % 3 * 256 + img.pixels[i]);
        cr_expect(out[i / 15 * 16 + i % 15] == expected, "float %d", i);
    }
    image_free(&img);
}

Test(builtin, is_the_same_everywhere)
{
    struct image img;
    cr_assert(image_builtin(&img));
    cr_assert(img.width == IMAGE_BUILTIN_SIDE && img.height == IMAGE_BUILTIN_SIDE);
    uint64_t hash = fnv1a(img.pixels, (size_t)img.width * (size_t)img.height * 3);
    cr_expect(hash == 0x424f83b8614b3b05, "%#lx", (unsigned long)hash);
    image_free(&img);
}

/** Mean near 0, deviation near 1, and neighbours alike, as over ImageNet's photographs. */
Test(builtin, looks_like_a_photograph)
{
    enum { SIDE = IMAGE_BUILTIN_SIDE, ROW = SIDE * 3 };
    static float out[SIDE * ROW];
    struct image img;
    struct pixel_table table;
    cr_assert(image_builtin(&img));
    pixel_table_init(&table, &normalisation_imagenet, NULL);
    preprocess_pixels(&img, &table, out, ROW);
    double sum = 0, squares = 0, steps = 0;
    for (int i = 0; i < SIDE * ROW - 3; i++) {
        sum += out[i];
        squares += out[i] * out[i];
        steps += (out[i] - out[i + 3]) * (out[i] - out[i + 3]);
    }
    double mean = sum / (SIDE * ROW), variance = squares / (SIDE * ROW) - mean * mean;
    cr_expect(fabs(mean) < 0.1, "mean %g", mean);
    cr_expect(variance > 0.7 && variance < 1.2, "variance %g", variance);
    cr_expect(steps / squares > 0.05 && steps / squares < 0.3, "steps %g", steps / squares);
    image_free(&img);
}
