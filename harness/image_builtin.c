#include "harness/image.h"

#include <stdlib.h>

/** Mixes 32 bits so that neighbours share nothing: "lowbias32" of C. Wellons' hash-prospector. */
static uint32_t mix(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352dU;
    x = (x ^ x >> 15) * 0x846ca68bU;
    return x ^ x >> 16;
}

/** -128 .. 127, one value for each point of a plane; each seed is another plane. */
static int random_at(int x, int y, uint32_t seed)
{
    return (int)(mix((uint32_t)x + mix((uint32_t)y + mix(seed))) & 255) - 128;
}

/** Random values at the corners of square cells of `cell` pixels, bilinear between them. */
static int smooth_at(int x, int y, int cell, uint32_t seed)
{
    int left = x / cell, top = y / cell, dx = x % cell, dy = y % cell;
    int upper = random_at(left, top, seed) * (cell - dx) + random_at(left + 1, top, seed) * dx;
    int lower =
        random_at(left, top + 1, seed) * (cell - dx) + random_at(left + 1, top + 1, seed) * dx;
    return (upper * (cell - dy) + lower * dy) / (cell * cell);
}

/** Smooth noise of all sizes, the larger the stronger: the 1/f spectrum of photographs. */
static int texture_at(int x, int y, uint32_t seed)
{
    int sum = 0;
    for (int cell = 64; cell >= 2; cell /= 2)
        sum += smooth_at(x, y, cell, seed + (uint32_t)cell) * cell;
    return sum / 64;
}

/** Things with edges: a bright sky over slanted ground, a disc, a striped panel. */
static void draw_shapes(int x, int y, int rgb[3])
{
    static const int sky[3] = {20, 28, 46}, ground[3] = {-62, -56, -76};
    static const int disc[3] = {66, 8, -60}, stripe[2][3] = {{-66, -70, -72}, {78, 74, 56}};
    const int *colour = y * 4 < 560 + x ? sky : ground;
    int dx = x - 152, dy = y - 88;
    if (dx * dx + dy * dy < 46 * 46)
        colour = disc;
    if (x >= 24 && x < 92 && y >= 104 && y < 196)
        colour = stripe[(x * 2 + y) / 14 % 2];
    for (int c = 0; c < 3; c++)
        rgb[c] += colour[c];
}

static void paint_pixel(int x, int y, uint8_t *out)
{
    enum { LIGHT = 1, TINT = 1000, GRAIN = 5000 }; // seeds
    int light = texture_at(x, y, LIGHT) * 3 / 4;
    int rgb[3] = {116 + light, 110 + light, 98 + light};
    draw_shapes(x, y, rgb);
    for (uint32_t c = 0; c < 3; c++) {
        int value = rgb[c] + smooth_at(x, y, 32, TINT + c) / 8 + random_at(x, y, GRAIN + c) / 24;
        out[c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

bool image_builtin(struct image *img)
{
    enum { SIDE = IMAGE_BUILTIN_SIDE };
    *img = (struct image){SIDE, SIDE, malloc((size_t)SIDE * SIDE * 3)};
    if (!img->pixels) {
        image_free(img);
        return false;
    }
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++)
            paint_pixel(x, y, img->pixels + (y * SIDE + x) * 3);
    }
    return true;
}
