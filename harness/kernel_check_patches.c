/* The transforms of bilinear algorithms that work on square patches, one patch at a time. */
#include "harness/kernel_check_strip.h"
#include "kernels/bilinear.h"

#include <string.h>

#define ROUNDS 6
#define QUICK_SHARE 5
#define MAX_SIDE 8

/* All input transforms of patches have one type, and so have the output transforms. */
static winograd2_in_fn *in_of(const struct kernel_set *set, enum bilinear_form form)
{
    winograd2_in_fn *const all[] = {[FORM_WINOGRAD2] = set->winograd2_in.run,
                                    [FORM_WINOGRAD4] = set->winograd4_in.run,
                                    [FORM_WINOGRAD6] = set->winograd6_in.run,
                                    [FORM_POLYPHASE2] = set->polyphase2_in.run,
                                    [FORM_POLYPHASE4] = set->polyphase4_in.run};
    return all[form];
}

static winograd2_out_fn *out_of(const struct kernel_set *set, enum bilinear_form form)
{
    winograd2_out_fn *const all[] = {[FORM_WINOGRAD2] = set->winograd2_out.run,
                                     [FORM_WINOGRAD4] = set->winograd4_out.run,
                                     [FORM_WINOGRAD6] = set->winograd6_out.run,
                                     [FORM_POLYPHASE2] = set->polyphase2_out.run,
                                     [FORM_POLYPHASE4] = set->polyphase4_out.run};
    return all[form];
}

/* Rows of up to 6 pixels; messages call a row a block. */
static struct check_pixels rows_of(int pixels, int rows, size_t stride)
{
    static const int32_t at[] = {0, BLOCK, 2 * BLOCK, 3 * BLOCK, 4 * BLOCK, 5 * BLOCK};
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

/* Pixels that a patch lacks are outputs that the tile lacks, but for the border. */
static unsigned kept_of(enum bilinear_form form, int pixels)
{
    int lacks = bilinear_reach(form) - pixels, tile = bilinear_tile(form);
    return bilinear_kept(form, lacks < tile ? tile - lacks : 1);
}

/* Where the products of a patch are that its transform knows; messages call one a pixel. */
static struct check_pixels positions_of(enum bilinear_form form, const struct patch_in_args *a,
                                        int32_t *at)
{
    const int side = bilinear_side(form);
    int count = 0;
    for (int i = 0; i < side * side; i++) {
        if (kept_of(form, a->rows) >> i / side & kept_of(form, a->columns) >> i % side & 1)
            at[count++] = (int32_t)(i * (int)a->position_stride);
    }
    return (struct check_pixels){at, count, 1, 0, 0};
}

/* How far a patch reaches over the tensor's edge: nothing behind its last pixel may be read. */
static bool in_case(struct check *c, enum bilinear_form form, int rows, int columns)
{
    const size_t pixel = form == FORM_POLYPHASE4 ? 3 : BLOCK;
    struct patch_in_args a = {.rows = rows, .columns = columns};
    a.row_stride = (size_t)bilinear_reach(form) * pixel + check_random(c) % 4;
    a.position_stride = BLOCK + check_random(c) % 4;
    size_t reach = (size_t)(rows - 1) * a.row_stride + (size_t)columns * pixel;
    a.in = check_filled(c, reach, ROLE_TERM, 4 * reach / pixel);
    check_seal(c);
    check_case(c, "%d x %d pixels", rows, columns);
    int32_t at[MAX_SIDE * MAX_SIDE];
    const struct check_pixels positions = positions_of(form, &a, at);
    struct check_output *out =
        check_output(c, "out", (size_t)(bilinear_positions(form) - 1) * a.position_stride + BLOCK);
    out->pixels = &positions;
    a.out = out->expected;
    in_of(c->scalar, form)(&a);
    a.out = out->got;
    in_of(c->set, form)(&a);
    return check_end(c);
}

static bool check_in(struct check *c, enum bilinear_form form)
{
    const int reach = bilinear_reach(form);
    for (int i = 0; i < ROUNDS * VALUES_COUNT * reach * reach; i++) {
        int size = i / VALUES_COUNT % (reach * reach);
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        if (!in_case(c, form, size / reach + 1, size % reach + 1))
            return false;
    }
    return true;
}

/* Runs the output transform into one side of the outputs; all that is given has rows of its own. */
static void run_out(winograd2_out_fn *run, const struct patch_out_args *args, int parts, float *sum,
                    float *act)
{
    struct patch_out_args a = *args;
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

static bool out_case(struct check *c, enum bilinear_form form, const struct patch_out_args *a,
                     int epilogue)
{
    int parts = check_epilogues[epilogue].parts;
    const struct check_pixels sum_at = rows_of(a->columns, a->rows, a->sum_stride);
    const struct check_pixels act_at = rows_of(a->columns, a->rows, a->act_stride);
    check_case(c, "%d x %d pixels, epilogue %s", a->rows, a->columns,
               check_epilogues[epilogue].name);
    struct check_output *sum = parts & PART_SUM ? rows_output(c, "sum", &sum_at) : NULL;
    struct check_output *act = parts & PART_ACT ? rows_output(c, "act", &act_at) : NULL;
    run_out(out_of(c->scalar, form), a, parts, sum ? sum->expected : NULL,
            act ? act->expected : NULL);
    run_out(out_of(c->set, form), a, parts, sum ? sum->got : NULL, act ? act->got : NULL);
    return check_end(c);
}

static bool out_cases(struct check *c, enum bilinear_form form, int rows, int columns)
{
    size_t row = (size_t)columns * BLOCK, positions = (size_t)bilinear_positions(form);
    struct patch_out_args a = {.rows = rows, .columns = columns};
    a.position_stride = BLOCK + check_random(c) % 4;
    a.residual_stride = row + check_random(c) % 4;
    a.sum_stride = row + check_random(c) % 20;
    a.act_stride = row + check_random(c) % 20;
    a.in = check_filled(c, (positions - 1) * a.position_stride + BLOCK, ROLE_TERM, 4 * positions);
    a.bias = check_filled(c, BLOCK, ROLE_TERM, 16);
    a.scale = check_filled(c, BLOCK, ROLE_SCALE, 16);
    a.shift = check_filled(c, BLOCK, ROLE_TERM, 16);
    a.residual = check_filled(c, (size_t)(rows - 1) * a.residual_stride + row, ROLE_TERM, 16);
    check_seal(c);
    for (int epilogue = 0; epilogue < CHECK_EPILOGUES; epilogue++) {
        if (!out_case(c, form, &a, epilogue))
            return false;
    }
    return true;
}

static bool check_out(struct check *c, enum bilinear_form form)
{
    const int tile = bilinear_tile(form);
    for (int i = 0; i < ROUNDS * VALUES_COUNT * tile * tile; i++) {
        int size = i / VALUES_COUNT % (tile * tile);
        if (check_leaves_out(c, QUICK_SHARE))
            continue;
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        if (!out_cases(c, form, size / tile + 1, size % tile + 1))
            return false;
    }
    return true;
}

bool check_winograd2_in(struct check *c)
{
    return check_in(c, FORM_WINOGRAD2);
}

bool check_winograd2_out(struct check *c)
{
    return check_out(c, FORM_WINOGRAD2) && check_whole_bilinear(c, FORM_WINOGRAD2);
}

bool check_winograd4_in(struct check *c)
{
    return check_in(c, FORM_WINOGRAD4);
}

bool check_winograd4_out(struct check *c)
{
    return check_out(c, FORM_WINOGRAD4) && check_whole_bilinear(c, FORM_WINOGRAD4);
}

bool check_winograd6_in(struct check *c)
{
    return check_in(c, FORM_WINOGRAD6);
}

bool check_winograd6_out(struct check *c)
{
    return check_out(c, FORM_WINOGRAD6) && check_whole_bilinear(c, FORM_WINOGRAD6);
}

bool check_polyphase2_in(struct check *c)
{
    return check_in(c, FORM_POLYPHASE2);
}

bool check_polyphase2_out(struct check *c)
{
    return check_out(c, FORM_POLYPHASE2) && check_whole_bilinear(c, FORM_POLYPHASE2);
}

bool check_polyphase4_in(struct check *c)
{
    return check_in(c, FORM_POLYPHASE4);
}

bool check_polyphase4_out(struct check *c)
{
    return check_out(c, FORM_POLYPHASE4) && check_whole_bilinear(c, FORM_POLYPHASE4);
}
