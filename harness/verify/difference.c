#include "harness/verify/difference.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One row of one block, in both tensors. */
struct line {
    const float *expected, *got;
    int image, block, row;
    int lanes; /* that hold channels */
};

static uint32_t bits_of(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* Numbers in the order of the floats, one apart for neighbours. */
static int64_t ordinal(float v)
{
    int64_t magnitude = bits_of(v) & 0x7fffffff;
    return signbit(v) ? -magnitude : magnitude;
}

double difference_ulps(float a, float b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b) ? 0 : INFINITY;
    return fabs((double)(ordinal(a) - ordinal(b)));
}

bool difference_equal(float a, float b)
{
    return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b));
}

/* NaN and infinities count as infinitely far from all that is not the same. */
static double distance(float expected, float got)
{
    double d = fabs((double)got - (double)expected);
    return isfinite(d) ? d : INFINITY;
}

static void take_in(struct difference *d, const struct line *l, int column, int lane,
                    struct pattern *pattern)
{
    float expected = l->expected[column * BLOCK + lane], got = l->got[column * BLOCK + lane];
    if (difference_equal(expected, got))
        return;
    const int at[PATTERN_AXES] = {lane, l->block, l->row, column};
    double by = distance(expected, got);
    if (pattern)
        pattern_mark(pattern, at);
    if (d->differing == 0 || by > d->max)
        d->worst = (struct difference_at){
            l->image, l->block * BLOCK + lane, l->row, column, expected, got};
    d->differing++;
    d->max = fmax(d->max, by);
    d->max_ulps = fmax(d->max_ulps, isinf(by) ? INFINITY : difference_ulps(expected, got));
    d->rms += by * by;
}

static void compare_line(struct difference *d, const struct line *l, int width,
                         struct pattern *pattern)
{
    d->values += (size_t)(width * l->lanes);
    if (memcmp(l->expected, l->got, (size_t)(width * BLOCK) * sizeof(float)) == 0)
        return;
    for (int column = 0; column < width; column++) {
        for (int lane = 0; lane < l->lanes; lane++)
            take_in(d, l, column, lane, pattern);
    }
}

struct difference difference_measure(const struct tensor *expected, const struct tensor *got,
                                     int batch, struct pattern *pattern)
{
    struct difference d = {0};
    int blocks = tensor_blocks(got), height = got->height;
    if (pattern)
        pattern_clear(pattern, got);
    for (int i = 0; i < batch * blocks * height; i++) {
        struct line l = {.image = i / height / blocks, .block = i / height % blocks};
        int channel = l.block * BLOCK, left = got->channels - channel;
        l.row = i % height;
        l.lanes = left < BLOCK ? left : BLOCK;
        l.expected = expected->data + difference_offset(expected, l.image, channel, l.row, 0);
        l.got = got->data + difference_offset(got, l.image, channel, l.row, 0);
        compare_line(&d, &l, got->width, pattern);
    }
    d.rms = d.values ? sqrt(d.rms / (double)d.values) : 0;
    return d;
}

void difference_describe(const struct difference_at *at, int batch, char *text, size_t size)
{
    int used = 0;
    if (batch > 1)
        used = snprintf(text, size, "image %d, ", at->image);
    snprintf(text + used, size - (size_t)used,
             "channel %d, row %d, column %d: %.9g (%08x) instead of %.9g (%08x)", at->channel,
             at->row, at->column, (double)at->got, bits_of(at->got), (double)at->expected,
             bits_of(at->expected));
}
