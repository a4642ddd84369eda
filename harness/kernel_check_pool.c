/* Max-pool over planes of all small sizes, and the global average pool. */
#include "harness/kernel_check_case.h"

#include <math.h>

#define POOL_SIZES 9
#define AVG_PIXELS 50
#define ROUNDS 4
#define QUICK_SHARE 11

/* What a max-pool stores. */
enum { STORE_SUM = 1, STORE_ACT = 2, STORE_SCALE = 4 };

static const struct {
    int parts;
    const char *name;
} stores[] = {{STORE_SUM, "sum"},
              {STORE_ACT, "act"},
              {STORE_ACT | STORE_SCALE, "act with scale"},
              {STORE_SUM | STORE_ACT, "sum and act"},
              {STORE_SUM | STORE_ACT | STORE_SCALE, "sum and act with scale"}};

static int out_size(const struct max_pool_args *a, int size)
{
    return (size + 2 * a->pad - a->kernel) / a->stride + 1;
}

static bool max_pool_row(struct check *c, const struct max_pool_args *args, int store)
{
    struct max_pool_args a = *args;
    int parts = stores[store].parts;
    check_case(c, "%d x %d, kernel %d, stride %d, pad %d, row %d, %s", a.height, a.width, a.kernel,
               a.stride, a.pad, a.row, stores[store].name);
    size_t count = (size_t)a.out_width * BLOCK;
    struct check_output *sum = parts & STORE_SUM ? check_output(c, "sum", count) : NULL;
    struct check_output *act = parts & STORE_ACT ? check_output(c, "act", count) : NULL;
    if (!(parts & STORE_SCALE))
        a.scale = a.shift = NULL;
    a.sum = sum ? sum->expected : NULL;
    a.act = act ? act->expected : NULL;
    c->scalar->max_pool.run(&a);
    a.sum = sum ? sum->got : NULL;
    a.act = act ? act->got : NULL;
    c->set->max_pool.run(&a);
    return check_end(c);
}

static bool max_pool_rows(struct check *c, struct max_pool_args *a)
{
    int rows = out_size(a, a->height);
    a->out_width = out_size(a, a->width);
    for (a->row = 0; a->row < rows; a->row++) {
        for (size_t store = 0; store < sizeof stores / sizeof *stores; store++) {
            if (!max_pool_row(c, a, (int)store))
                return false;
        }
    }
    return true;
}

/* A plane whose surroundings are infinite: they would win any maximum that they take part in. */
static const float *plane(struct check *c, const struct max_pool_args *a)
{
    size_t rows = (size_t)a->height + 2, count = rows * a->row_stride;
    float *data = check_filled(c, count, ROLE_TERM, 16);
    float *in = data + a->row_stride + BLOCK;
    for (size_t i = 0; i < count; i++) {
        size_t y = i / a->row_stride, x = i % a->row_stride;
        if (y < 1 || y > (size_t)a->height || x < BLOCK || x >= (size_t)(a->width + 1) * BLOCK)
            data[i] = INFINITY;
    }
    return in;
}

static bool max_pool_size(struct check *c, enum check_values values, int height, int width,
                          int window)
{
    struct max_pool_args a = {.height = height,
                              .width = width,
                              .kernel = 2 + window % 2,
                              .stride = 1 + window / 2 % 2,
                              .pad = window / 4};
    if (height + 2 * a.pad < a.kernel || width + 2 * a.pad < a.kernel)
        return true;
    if (check_leaves_out(c, QUICK_SHARE))
        return true;
    check_data(c, values);
    a.row_stride = (size_t)(width + 2) * BLOCK + check_random(c) % 4;
    a.in = plane(c, &a);
    a.scale = check_filled(c, BLOCK, ROLE_SCALE, 8);
    a.shift = check_filled(c, BLOCK, ROLE_TERM, 8);
    check_seal(c);
    return max_pool_rows(c, &a);
}

bool check_max_pool(struct check *c)
{
    for (int i = 0; i < VALUES_COUNT * POOL_SIZES * POOL_SIZES; i++) {
        int height = i / VALUES_COUNT % POOL_SIZES + 1;
        int width = i / VALUES_COUNT / POOL_SIZES + 1;
        for (int window = 0; window < 8; window++) {
            if (!max_pool_size(c, (enum check_values)(i % VALUES_COUNT), height, width, window))
                return false;
        }
    }
    return true;
}

static bool avg_pool_case(struct check *c, size_t pixels)
{
    const float *in = check_filled(c, pixels * BLOCK, ROLE_TERM, 2 * pixels);
    check_seal(c);
    check_case(c, "%zu pixels", pixels);
    struct check_output *out = check_output(c, "out", BLOCK);
    c->scalar->avg_pool.run(in, pixels, out->expected);
    c->set->avg_pool.run(in, pixels, out->got);
    return check_end(c);
}

bool check_avg_pool(struct check *c)
{
    for (int i = 0; i < ROUNDS * VALUES_COUNT * AVG_PIXELS; i++) {
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        if (!avg_pool_case(c, (size_t)i / VALUES_COUNT % AVG_PIXELS + 1))
            return false;
    }
    return true;
}
