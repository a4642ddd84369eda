/** Small JPEG and PNG files of every kind, made by libjpeg and libpng themselves, for the tests. */
#ifndef RESMARK_TESTS_IMAGE_FILES_H
#define RESMARK_TESTS_IMAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

enum { WIDTH = 13, HEIGHT = 9 };

struct bytes {
    char *data;
    size_t size;
};

/** A smooth picture, which JPEG keeps nearly as it is. */
static uint8_t slope(int x, int y, int c)
{
    return (uint8_t)(c == 0 ? 20 + x * 15 : c == 1 ? 230 - y * 20 : 60 + x * 5 + y * 8);
}

enum jpeg_process { BASELINE, PROGRESSIVE, ENDLESS };

/** Legal but absurd, for grey: each coefficient has two scans of its own, 127 in all. */
static void set_endless_scans(struct jpeg_compress_struct *codec)
{
    enum { COEFFICIENTS = 63 };
    static jpeg_scan_info scans[1 + 2 * COEFFICIENTS] = {{1, {0}, 0, 0, 0, 0}};
    for (int i = 0; i < 2 * COEFFICIENTS; i++) {
        int coefficient = 1 + i % COEFFICIENTS, second = i / COEFFICIENTS;
        scans[1 + i] = (jpeg_scan_info){1, {0}, coefficient, coefficient, second, 1 - second};
    }
    codec->scan_info = scans;
    codec->num_scans = 1 + 2 * COEFFICIENTS;
}

static struct bytes make_jpeg(int components, J_COLOR_SPACE space, enum jpeg_process process)
{
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    struct bytes file = {0};
    FILE *stream = open_memstream(&file.data, &file.size);
    codec.err = jpeg_std_error(&errors);
    jpeg_create_compress(&codec);
    jpeg_stdio_dest(&codec, stream);
    codec.image_width = WIDTH;
    codec.image_height = HEIGHT;
    codec.input_components = components;
    codec.in_color_space = space;
    jpeg_set_defaults(&codec);
    jpeg_set_quality(&codec, 100, TRUE);
    codec.comp_info[0].h_samp_factor = codec.comp_info[0].v_samp_factor = 1;
    if (process == PROGRESSIVE)
        jpeg_simple_progression(&codec);
    if (process == ENDLESS)
        set_endless_scans(&codec);
    jpeg_start_compress(&codec, TRUE);
    for (int y = 0; y < HEIGHT; y++) {
        uint8_t line[WIDTH * 4];
        JSAMPROW row = line;
        for (int i = 0; i < WIDTH * components; i++)
            line[i] = slope(i / components, y, i % components);
        jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    fclose(stream);
    return file;
}

struct png_kind {
    int type, depth;
    bool interlaced, transparent; /**< transparent: has a tRNS chunk */
};

static size_t png_channels(struct png_kind kind)
{
    bool colour = kind.type == PNG_COLOR_TYPE_RGB || kind.type == PNG_COLOR_TYPE_RGB_ALPHA;
    return (colour ? 3 : 1) + (kind.type & PNG_COLOR_MASK_ALPHA ? 1 : 0);
}

static size_t png_row_bytes(struct png_kind kind)
{
    return (WIDTH * png_channels(kind) * (size_t)kind.depth + 7) / 8;
}

/** Some byte for each place in the rows and in the palette. */
static uint8_t noise(size_t i)
{
    return (uint8_t)((uint32_t)(i + 1) * 2654435761U >> 24);
}

static void add_palette(png_structp codec, png_infop info, struct png_kind kind)
{
    png_color colours[256];
    uint8_t alpha[3] = {0, 128, 255};
    for (size_t i = 0; i < 256; i++)
        colours[i] = (png_color){noise(i * 3), noise(i * 3 + 1), noise(i * 3 + 2)};
    if (kind.type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(codec, info, colours, 1 << kind.depth);
    if (kind.transparent)
        png_set_tRNS(codec, info, alpha, kind.depth > 1 ? 3 : 2, &(png_color_16){.red = 1});
}

static struct bytes make_png(struct png_kind kind)
{
    struct bytes file = {0};
    FILE *stream = open_memstream(&file.data, &file.size);
    png_structp codec = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(codec);
    size_t row_bytes = png_row_bytes(kind);
    uint8_t pixels[HEIGHT][WIDTH * 8], *rows[HEIGHT];
    for (size_t y = 0; y < HEIGHT; y++) {
        rows[y] = pixels[y];
        for (size_t i = 0; i < row_bytes; i++)
            pixels[y][i] = noise(y * row_bytes + i);
    }
    png_init_io(codec, stream);
    png_set_IHDR(codec, info, WIDTH, HEIGHT, kind.depth, kind.type,
                 kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    add_palette(codec, info, kind);
    png_write_info(codec, info);
    png_write_image(codec, rows);
    png_write_end(codec, info);
    png_destroy_write_struct(&codec, &info);
    fclose(stream);
    return file;
}

/** What a pixel of make_png() is in 8-bit RGB. */
static uint8_t png_expected(struct png_kind kind, size_t x, size_t y, size_t c)
{
    size_t channels = png_channels(kind), depth = (size_t)kind.depth;
    size_t bit = (x * channels + (channels < 3 ? 0 : c)) * depth;
    uint8_t byte = noise(y * png_row_bytes(kind) + bit / 8);
    unsigned top = (1U << depth) - 1;
    unsigned value = depth >= 8 ? byte : byte >> (8 - depth - bit % 8) & top;
    if (kind.type == PNG_COLOR_TYPE_PALETTE)
        return noise(value * 3 + c);
    return (uint8_t)(depth >= 8 ? value : value * 255 / top);
}

#endif
