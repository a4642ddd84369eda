/*
 * Whole convolutions through the loops in kernels/conv.h. They may be cut in any way without
 * changing a bit, so the scalar kernel runs in another blocking than the one under test.
 */
#include "harness/kernel_check_strip.h"
#include "kernels/conv.h"

#include <assert.h>
#include <string.h>

static const struct shape {
    int cin, cout, height, width; /* of the output */
    int kernel, stride, pad, batch;
} shapes[] = {
    {16, 32, 5, 7, 1, 1, 0, 1}, {48, 80, 4, 6, 1, 1, 0, 2},   {40, 24, 5, 5, 1, 2, 0, 1},
    {32, 32, 5, 4, 3, 1, 1, 2}, {48, 40, 4, 4, 3, 2, 1, 1},   {16, 16, 3, 9, 5, 1, 2, 1},
    {16, 16, 1, 1, 1, 1, 0, 1}, {16, 32, 23, 23, 1, 1, 0, 1},
};

static const struct shape stem_shapes[] = {
    {3, 64, 6, 8, 7, 2, 3, 1},
    {3, 16, 5, 5, 3, 1, 1, 2},
    {3, 48, 23, 23, 1, 1, 0, 1},
};

/* Strip, group of output blocks, chunk of input blocks. */
static const struct conv_blocking blockings[] = {
    {CONV_MAX_STRIP, 64, 64}, {1, 1, 1}, {5, 2, 1}, {13, 1, 2}, {24, 3, 1}, {64, 4, 2}, {7, 5, 3},
};
#define BLOCKINGS (sizeof blockings / sizeof *blockings)
#define QUICK_SHARE 11

enum epilogue {
    EPILOGUE_SUM,
    EPILOGUE_ACT,
    EPILOGUE_DUAL,         /* residual, sum and act with scale */
    EPILOGUE_IN_PLACE,     /* the same, the sum over the residual */
    EPILOGUE_EVERY_SECOND, /* residual of every second pixel, act with scale */
    EPILOGUE_COUNT,
};

static const char *const epilogue_names[EPILOGUE_COUNT] = {
    "sum", "act", "residual, sum, act with scale", "residual, sum in place, act with scale",
    "residual of every second pixel, act with scale"};

static float *place_filled(struct check *c, struct tensor *t, int batch, enum check_role role,
                           size_t every)
{
    float *memory = check_filled(c, tensor_floats(t, batch), role, every);
    tensor_place(t, memory);
    return memory;
}

static void make_inputs(struct check *c, const struct shape *s, struct conv *conv)
{
    bool stem = s->cin == 3;
    int height = (s->height - 1) * s->stride + s->kernel - 2 * s->pad;
    int width = (s->width - 1) * s->stride + s->kernel - 2 * s->pad;
    conv->in = stem ? tensor_image(height, width, s->pad)
                    : tensor_blocked(s->cin, height, width, s->pad + s->batch - 1);
    size_t cin = stem ? 3 : (size_t)tensor_blocks(&conv->in) * BLOCK;
    size_t length = cin * (size_t)(s->kernel * s->kernel);
    size_t channels = (size_t)((s->cout + BLOCK - 1) / BLOCK) * BLOCK;
    place_filled(c, &conv->in, s->batch, ROLE_FACTOR, 4 * length);
    conv->weights = check_filled(c, channels * length, ROLE_FACTOR, 4 * length);
    conv->weights_end = conv->weights + channels * length;
    conv->bias = check_filled(c, channels, ROLE_TERM, 16);
}

/* The tensors of the epilogue, without the memory that is written. */
static void make_epilogue(struct check *c, const struct shape *s, enum epilogue epilogue,
                          struct conv *conv)
{
    int by = epilogue == EPILOGUE_EVERY_SECOND ? 2 : 1;
    size_t channels = (size_t)((s->cout + BLOCK - 1) / BLOCK) * BLOCK;
    conv->sum = tensor_blocked(s->cout, s->height, s->width, 0);
    conv->act = tensor_blocked(s->cout, s->height, s->width, s->batch);
    conv->residual_stride = by;
    if (epilogue >= EPILOGUE_DUAL) {
        conv->residual = tensor_blocked(s->cout, by * s->height, by * s->width, 0);
        place_filled(c, &conv->residual, s->batch, ROLE_TERM, 16);
        conv->scale = check_filled(c, channels, ROLE_SCALE, 16);
        conv->shift = check_filled(c, channels, ROLE_TERM, 16);
    }
}

static bool has_sum(enum epilogue epilogue)
{
    return epilogue != EPILOGUE_ACT && epilogue != EPILOGUE_EVERY_SECOND;
}

static bool has_act(enum epilogue epilogue)
{
    return epilogue != EPILOGUE_SUM;
}

/* Runs it into one side of the outputs; a thread may take the units in any order. */
static void run(struct conv conv, enum epilogue epilogue, float *sum, float *act, float *scratch,
                bool backwards)
{
    if (sum)
        tensor_place(&conv.sum, sum);
    if (act)
        tensor_place(&conv.act, act);
    if (epilogue == EPILOGUE_IN_PLACE) {
        memcpy(sum, conv.residual.data, tensor_floats(&conv.residual, conv.batch) * sizeof(float));
        conv.residual = conv.sum;
    }
    int units = conv_units(&conv);
    for (int i = 0; i < units; i++)
        conv_run(&conv, backwards ? units - 1 - i : i, scratch);
}

static bool run_case(struct check *c, struct conv conv, enum epilogue epilogue, size_t blocking)
{
    const struct conv_blocking *b = &blockings[blocking];
    check_case(c,
               "whole convolution, %d x %d x %d to %d, batch %d, kernel %d, stride %d, epilogue "
               "%s, strip %d, group %d, chunk %d",
               conv.in.channels, conv.in.height, conv.in.width, conv.act.channels, conv.batch,
               conv.kernel, conv.stride, epilogue_names[epilogue], b->strip, b->group, b->chunk);
    static struct place sum_at, act_at;
    place_tensor(&sum_at, &conv.sum, conv.batch);
    place_tensor(&act_at, &conv.act, conv.batch);
    struct check_output *sum = has_sum(epilogue) ? place_check_output(c, "sum", &sum_at) : NULL;
    struct check_output *act = has_act(epilogue) ? place_check_output(c, "act", &act_at) : NULL;
    conv.set = c->scalar;
    conv.blocking = blockings[(blocking + 1) % BLOCKINGS];
    struct check_output *expected_scratch =
        check_output(c, "the scalar kernel's scratch", conv_scratch_floats(&conv));
    run(conv, epilogue, sum ? sum->expected : NULL, act ? act->expected : NULL,
        expected_scratch->got, false);
    conv.set = c->set;
    conv.blocking = *b;
    struct check_output *scratch = check_output(c, "scratch", conv_scratch_floats(&conv));
    run(conv, epilogue, sum ? sum->got : NULL, act ? act->got : NULL, scratch->got,
        blocking % 2 != 0);
    check_ignore(expected_scratch);
    check_ignore(scratch);
    return check_end(c);
}

/* In each blocking once; the epilogues take turns. */
static bool run_shape(struct check *c, const struct shape *s, enum check_values values)
{
    int turn = (int)(check_random(c) % EPILOGUE_COUNT);
    for (size_t blocking = 0; blocking < BLOCKINGS; blocking++, turn++) {
        enum epilogue epilogue = (enum epilogue)(turn % EPILOGUE_COUNT);
        if (check_leaves_out(c, QUICK_SHARE))
            continue;
        struct conv conv = {
            .batch = s->batch, .kernel = s->kernel, .stride = s->stride, .pad = s->pad};
        check_data(c, values);
        make_inputs(c, s, &conv);
        make_epilogue(c, s, epilogue, &conv);
        check_seal(c);
        if (!run_case(c, conv, epilogue, blocking))
            return false;
    }
    return true;
}

bool check_whole_convolutions(struct check *c, bool stem)
{
    const struct shape *all = stem ? stem_shapes : shapes;
    size_t count = stem ? sizeof stem_shapes / sizeof *all : sizeof shapes / sizeof *all;
    for (size_t i = 0; i < count; i++) {
        if (!run_shape(c, &all[i], VALUES_NORMAL) || !run_shape(c, &all[i], VALUES_SALTED))
            return false;
    }
    return true;
}
