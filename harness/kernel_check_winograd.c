/*
 * Winograd: the transforms one patch at a time, and whole convolutions through the loops in
 * kernels/winograd.h, which may be cut in any way without changing a bit.
 */
#include "harness/kernel_check_strip.h"
#include "kernels/winograd.h"

#include <string.h>

#define ROUNDS 6
#define QUICK_SHARE 5

static winograd2_in_fn *in_of(const struct kernel_set *set, int tile)
{
    return tile == 2 ? set->winograd2_in.run : set->winograd4_in.run;
}

static winograd2_out_fn *out_of(const struct kernel_set *set, int tile)
{
    return tile == 2 ? set->winograd2_out.run : set->winograd4_out.run;
}

/* Rows of up to 4 pixels; messages call a row a block. */
static struct check_pixels rows_of(int pixels, int rows, size_t stride)
{
    static const int32_t at[] = {0, BLOCK, 2 * BLOCK, 3 * BLOCK};
    return (struct check_pixels){at, pixels, rows, stride, 0};
}

static struct check_output *rows_output(struct check *c, const char *name,
                                        const struct check_pixels *rows)
{
    size_t last = (size_t)(rows->blocks - 1) * rows->block_stride;
    struct check_output *output = check_output(c, name, last + (size_t)(rows->pixels * BLOCK));
    output->pixels = rows;
    return output;
}

/* How far a patch reaches over the tensor's edge: nothing behind its last pixel may be read. */
static bool in_case(struct check *c, int tile, int rows, int columns)
{
    size_t side = (size_t)tile + 2;
    struct winograd_in_args a = {.rows = rows, .columns = columns};
    a.row_stride = side * BLOCK + check_random(c) % 4;
    a.position_stride = BLOCK + check_random(c) % 4;
    size_t reach = (size_t)(rows - 1) * a.row_stride + (size_t)columns * BLOCK;
    a.in = check_filled(c, reach, ROLE_TERM, 4 * reach / BLOCK);
    check_seal(c);
    check_case(c, "%d x %d pixels", rows, columns);
    const struct check_pixels positions = rows_of(1, (int)(side * side), a.position_stride);
    struct check_output *out = rows_output(c, "out", &positions);
    a.out = out->expected;
    in_of(c->scalar, tile)(&a);
    a.out = out->got;
    in_of(c->set, tile)(&a);
    return check_end(c);
}

static bool check_in(struct check *c, int tile)
{
    int side = tile + 2;
    for (int i = 0; i < ROUNDS * VALUES_COUNT * side * side; i++) {
        int size = i / VALUES_COUNT % (side * side);
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        if (!in_case(c, tile, size / side + 1, size % side + 1))
            return false;
    }
    return true;
}

/* Runs the output transform into one side of the outputs; all that is given has rows of its own. */
static void run_out(winograd2_out_fn *run, const struct winograd_out_args *args, int parts,
                    float *sum, float *act)
{
    struct winograd_out_args a = *args;
    a.sum = sum;
    a.act = act;
    if (!(parts & PART_RESIDUAL))
        a.residual = NULL;
    if (!(parts & PART_SCALE))
        a.scale = a.shift = NULL;
    for (int y = 0; parts & PART_IN_PLACE && y < a.rows; y++)
        memcpy(sum + (size_t)y * a.sum_stride, a.residual + (size_t)y * a.residual_stride,
               (size_t)a.columns * BLOCK * sizeof(float));
    if (parts & PART_IN_PLACE) {
        a.residual = sum;
        a.residual_stride = a.sum_stride;
    }
    run(&a);
}

static bool out_case(struct check *c, int tile, const struct winograd_out_args *a, int epilogue)
{
    int parts = check_epilogues[epilogue].parts;
    const struct check_pixels sum_at = rows_of(a->columns, a->rows, a->sum_stride);
    const struct check_pixels act_at = rows_of(a->columns, a->rows, a->act_stride);
    check_case(c, "%d x %d pixels, epilogue %s", a->rows, a->columns,
               check_epilogues[epilogue].name);
    struct check_output *sum = parts & PART_SUM ? rows_output(c, "sum", &sum_at) : NULL;
    struct check_output *act = parts & PART_ACT ? rows_output(c, "act", &act_at) : NULL;
    run_out(out_of(c->scalar, tile), a, parts, sum ? sum->expected : NULL,
            act ? act->expected : NULL);
    run_out(out_of(c->set, tile), a, parts, sum ? sum->got : NULL, act ? act->got : NULL);
    return check_end(c);
}

static bool out_cases(struct check *c, int tile, int rows, int columns)
{
    size_t row = (size_t)columns * BLOCK, side = (size_t)tile + 2;
    struct winograd_out_args a = {.rows = rows, .columns = columns};
    a.position_stride = BLOCK + check_random(c) % 4;
    a.residual_stride = row + check_random(c) % 4;
    a.sum_stride = row + check_random(c) % 20;
    a.act_stride = row + check_random(c) % 20;
    a.in =
        check_filled(c, (side * side - 1) * a.position_stride + BLOCK, ROLE_TERM, 4 * side * side);
    a.bias = check_filled(c, BLOCK, ROLE_TERM, 16);
    a.scale = check_filled(c, BLOCK, ROLE_SCALE, 16);
    a.shift = check_filled(c, BLOCK, ROLE_TERM, 16);
    a.residual = check_filled(c, (size_t)(rows - 1) * a.residual_stride + row, ROLE_TERM, 16);
    check_seal(c);
    for (int epilogue = 0; epilogue < CHECK_EPILOGUES; epilogue++) {
        if (!out_case(c, tile, &a, epilogue))
            return false;
    }
    return true;
}

static bool check_out(struct check *c, int tile)
{
    for (int i = 0; i < ROUNDS * VALUES_COUNT * tile * tile; i++) {
        int size = i / VALUES_COUNT % (tile * tile);
        if (check_leaves_out(c, QUICK_SHARE))
            continue;
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        if (!out_cases(c, tile, size / tile + 1, size % tile + 1))
            return false;
    }
    return true;
}

static const struct shape {
    int cin, cout, height, width, batch;
} shapes[] = {{16, 16, 1, 1, 1}, {32, 48, 7, 5, 2}, {40, 24, 9, 10, 1}, {16, 80, 4, 8, 1}};

static const struct winograd_blocking blockings[] = {
    {96, false}, {1, true}, {1, false}, {7, true}, {3, false}, {64, true},
};
#define BLOCKINGS (sizeof blockings / sizeof *blockings)

static struct winograd make_whole(struct check *c, const struct shape *s, int tile)
{
    struct winograd w = {.tile = tile, .batch = s->batch};
    w.in = tensor_blocked(s->cin, s->height, s->width, s->batch);
    w.residual = w.sum = tensor_blocked(s->cout, s->height, s->width, 0);
    w.act = tensor_blocked(s->cout, s->height, s->width, 1);
    size_t side = (size_t)tile + 2, channels = (size_t)tensor_blocks(&w.sum) * BLOCK;
    size_t filters = side * side * channels * (size_t)tensor_blocks(&w.in) * BLOCK;
    size_t floats = tensor_floats(&w.in, s->batch), residual = tensor_floats(&w.residual, s->batch);
    tensor_place(&w.in, check_filled(c, floats, ROLE_FACTOR, 1000));
    tensor_place(&w.residual, check_filled(c, residual, ROLE_TERM, 16));
    w.weights = check_filled(c, filters, ROLE_FACTOR, 10000);
    w.weights_end = w.weights + filters;
    w.bias = check_filled(c, channels, ROLE_TERM, 16);
    w.scale = check_filled(c, channels, ROLE_SCALE, 16);
    w.shift = check_filled(c, channels, ROLE_TERM, 16);
    return w;
}

/* Runs it in a blocking; the outputs are the got or the expected ones of `out`. */
static void run_whole(struct winograd w, const struct winograd_blocking *blocking, struct check *c,
                      float *sum, float *act)
{
    w.blocking = *blocking;
    tensor_place(&w.sum, sum);
    tensor_place(&w.act, act);
    struct check_output *shared = check_output(c, "shared", winograd_shared_floats(&w));
    struct check_output *scratch = check_output(c, "scratch", winograd_scratch_floats(&w));
    w.shared = shared->got;
    for (int phase = 0; phase < 2; phase++) {
        for (int unit = winograd_units(&w, phase) - 1; unit >= 0; unit--)
            winograd_run(&w, phase, unit, scratch->got);
    }
    check_ignore(shared);
    check_ignore(scratch);
}

static bool whole_case(struct check *c, struct winograd w, size_t blocking)
{
    const struct winograd_blocking *b = &blockings[blocking];
    check_case(c, "whole convolution, %d x %d x %d to %d, batch %d, chunk %d, by %s", w.in.channels,
               w.in.height, w.in.width, w.sum.channels, w.batch, b->chunk,
               b->by_channels ? "channels" : "tiles");
    static struct place sum_at, act_at;
    place_tensor(&sum_at, &w.sum, w.batch);
    place_tensor(&act_at, &w.act, w.batch);
    struct check_output *sum = place_check_output(c, "sum", &sum_at);
    struct check_output *act = place_check_output(c, "act", &act_at);
    w.set = c->scalar;
    run_whole(w, &blockings[(blocking + 1) % BLOCKINGS], c, sum->expected, act->expected);
    w.set = c->set;
    run_whole(w, b, c, sum->got, act->got);
    return check_end(c);
}

static bool check_whole(struct check *c, int tile)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int values = VALUES_NORMAL; values <= VALUES_SALTED; values++) {
            check_data(c, (enum check_values)values);
            struct winograd w = make_whole(c, &shapes[i], tile);
            check_seal(c);
            for (size_t blocking = 0; blocking < BLOCKINGS; blocking++) {
                if (!check_leaves_out(c, QUICK_SHARE) && !whole_case(c, w, blocking))
                    return false;
            }
        }
    }
    return true;
}

bool check_winograd2_in(struct check *c)
{
    return check_in(c, 2);
}

bool check_winograd4_in(struct check *c)
{
    return check_in(c, 4);
}

bool check_winograd2_out(struct check *c)
{
    return check_out(c, 2) && check_whole(c, 2);
}

bool check_winograd4_out(struct check *c)
{
    return check_out(c, 4) && check_whole(c, 4);
}
