/*
 * Whole convolutions by bilinear algorithms, through the loops in kernels/bilinear.h, which may be
 * cut in any way without changing a bit.
 */
#include "harness/kernel_check_strip.h"
#include "kernels/bilinear.h"

#define QUICK_SHARE 5

static const struct shape {
    int cin, cout, height, width; /* of the output */
    int batch;
} patch_shapes[] = {{16, 16, 1, 1, 1}, {32, 48, 7, 5, 2}, {40, 24, 9, 10, 1}, {16, 80, 4, 8, 1}},
  pair_shapes[] = {{32, 32, 1, 1, 1}, {64, 96, 7, 5, 2}, {96, 32, 9, 10, 1}, {32, 160, 4, 8, 2}};
#define SHAPES (sizeof patch_shapes / sizeof *patch_shapes)

static const struct bilinear_blocking blockings[] = {
    {96, false}, {1, true}, {1, false}, {7, true}, {3, false}, {64, true},
};
#define BLOCKINGS (sizeof blockings / sizeof *blockings)

/* What is not written: the strides take turns, and so do even and odd sizes of strided inputs. */
static struct bilinear make_whole(struct check *c, const struct shape *s, enum bilinear_form form,
                                  int turn)
{
    const bool pairs = form == FORM_STRASSEN;
    struct bilinear b = {.form = form, .batch = s->batch, .residual_stride = 1};
    const bool stem = form == FORM_POLYPHASE4;
    b.stride = form == FORM_POLYPHASE2 || stem || (pairs && turn % 2) ? 2 : 1;
    b.residual_stride = pairs && turn / 2 % 2 ? 2 : 1;
    int odd = b.stride == 2 ? turn % 2 : 0, by = b.residual_stride;
    const int height = s->height * b.stride - odd, width = s->width * b.stride - odd;
    const int border = bilinear_pad(form) + s->batch - 1;
    b.in =
        stem ? tensor_image(height, width, border) : tensor_blocked(s->cin, height, width, border);
    b.residual = tensor_blocked(s->cout, s->height * by, s->width * by, 0);
    b.sum = tensor_blocked(s->cout, s->height, s->width, 0);
    b.act = tensor_blocked(s->cout, s->height, s->width, 1);
    size_t factors = (size_t)(bilinear_filters(form) * bilinear_inputs(form, s->cin));
    size_t channels = (size_t)tensor_blocks(&b.sum) * BLOCK;
    size_t filters = factors * channels / (size_t)bilinear_group(form);
    size_t floats = tensor_floats(&b.in, s->batch), residual = tensor_floats(&b.residual, s->batch);
    tensor_place(&b.in, check_filled(c, floats, ROLE_FACTOR, 1000));
    tensor_place(&b.residual, check_filled(c, residual, ROLE_TERM, 16));
    b.weights = check_filled(c, filters, ROLE_FACTOR, 10000);
    b.weights_end = b.weights + filters;
    b.bias = check_filled(c, channels, ROLE_TERM, 16);
    b.scale = check_filled(c, channels, ROLE_SCALE, 16);
    b.shift = check_filled(c, channels, ROLE_TERM, 16);
    return b;
}

/* Runs it in a blocking; the outputs are the got or the expected ones of `out`. */
static void run_whole(struct bilinear b, const struct bilinear_blocking *blocking, struct check *c,
                      float *sum, float *act)
{
    b.blocking = *blocking;
    tensor_place(&b.sum, sum);
    tensor_place(&b.act, act);
    struct check_output *shared = check_output(c, "shared", bilinear_shared_floats(&b));
    struct check_output *scratch = check_output(c, "scratch", bilinear_scratch_floats(&b));
    struct bilinear_work work = {0};
    b.shared = shared->got;
    if (bilinear_own_tiles(&b))
        bilinear_prepare(&b, scratch->got);
    for (int phase = 0; phase < 2; phase++) {
        for (int unit = bilinear_units(&b, phase) - 1; unit >= 0; unit--)
            bilinear_run(&b, phase, unit, scratch->got, &work);
    }
    check_ignore(shared);
    check_ignore(scratch);
}

static bool whole_case(struct check *c, struct bilinear b, size_t blocking)
{
    const struct bilinear_blocking *cut = &blockings[blocking];
    check_case(c, "whole convolution, %d x %d x %d to %d, stride %d, batch %d, chunk %d, by %s",
               b.in.channels, b.in.height, b.in.width, b.sum.channels, b.stride, b.batch,
               cut->chunk, cut->by_channels ? "channels" : "tiles");
    static struct place sum_at, act_at;
    place_tensor(&sum_at, &b.sum, b.batch);
    place_tensor(&act_at, &b.act, b.batch);
    struct check_output *sum = place_check_output(c, "sum", &sum_at);
    struct check_output *act = place_check_output(c, "act", &act_at);
    b.set = c->scalar;
    b.own_floats = blocking / 2 % 2 ? SIZE_MAX : 0;
    run_whole(b, &blockings[(blocking + 1) % BLOCKINGS], c, sum->expected, act->expected);
    b.set = c->set;
    run_whole(b, cut, c, sum->got, act->got);
    return check_end(c);
}

bool check_whole_bilinear(struct check *c, enum bilinear_form form)
{
    const struct shape *shapes = form == FORM_STRASSEN ? pair_shapes : patch_shapes;
    for (int i = 0; i < (int)SHAPES * 4; i++) {
        enum check_values values = i / (int)SHAPES % 2 ? VALUES_SALTED : VALUES_NORMAL;
        check_data(c, values);
        struct bilinear b = make_whole(c, &shapes[i % (int)SHAPES], form, i / (int)SHAPES);
        check_seal(c);
        for (size_t blocking = 0; blocking < BLOCKINGS; blocking++) {
            if (!check_leaves_out(c, QUICK_SHARE) && !whole_case(c, b, blocking))
                return false;
        }
    }
    return true;
}
