/*
 * The micro-kernels of convolutions, a strip at a time. Each strip's chain of FMAs is computed once
 * by the scalar kernel, in up to three steps; the kernel under test then runs it with each
 * combination of steps in a call, and with every epilogue.
 */
#include "harness/kernel_check_strip.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MAX_STEPS 3
#define MAX_PIECES 27
#define QUICK_SHARE 11

/* What is summed: a filter over blocks of input channels, in a number of steps. */
struct reduction {
    bool stem;
    int height, width; /* of the filter */
    int cin_blocks;
    int steps;
};

/* A strip with its inputs: all that its cases share. */
struct strip {
    struct reduction reduction;
    const char *layout, *out_layout;
    struct conv_args args; /* all but what a case sets */
    bool adjacent;         /* a hint may say that the pixels are … */
    bool adjacent_out;     /* … and another, that those of the outputs are */
    int32_t piece_at[MAX_PIECES];
    int ends[MAX_STEPS]; /* the piece behind each step */
    struct place in, residual, sum, act;
    const float *scale, *shift;
    const float *residual_data;
    float *chain; /* the partial sums behind each step */
};

/* The outputs of a case; sum and act may be NULL. */
struct strip_outputs {
    struct check_output *partial, *sum, *act;
};

static float *got_of(const struct check_output *output)
{
    return output ? output->got : NULL;
}

static float *expected_of(const struct check_output *output)
{
    return output ? output->expected : NULL;
}

static conv_fn *kernel_of(const struct kernel_set *set, const struct strip *s)
{
    return s->reduction.stem ? set->stem.run : set->conv.run;
}

static size_t chain_floats(const struct strip *s)
{
    return (size_t)(s->args.blocks - 1) * s->args.partial_stride + (size_t)s->args.pixels * BLOCK;
}

/* The arguments of a call for the steps `first` to `last`. */
static struct conv_args call_of(const struct strip *s, int first, int last)
{
    struct conv_args a = s->args;
    int done = first > 0 ? s->ends[first - 1] : 0;
    a.piece_at += done;
    a.pieces = s->ends[last] - done;
    a.weights += (size_t)(done * a.piece) * BLOCK;
    a.resume = first > 0;
    a.finish = last == s->reduction.steps - 1;
    return a;
}

static void compute_chain(struct check *c, struct strip *s)
{
    size_t floats = chain_floats(s);
    for (int i = 0; i < s->reduction.steps; i++) {
        struct conv_args a = call_of(s, i, i);
        a.finish = false;
        a.partial = s->chain + (size_t)i * floats;
        if (i > 0)
            memcpy(a.partial, a.partial - floats, floats * sizeof(float));
        kernel_of(c->scalar, s)(&a);
    }
}

/* The steps end with blocks of input channels, or in irregular layouts anywhere. */
static void make_steps(struct check *c, struct strip *s, bool irregular)
{
    int steps = s->reduction.steps, pieces = s->args.pieces, done = 0;
    for (int i = 0; i < steps; i++) {
        int most = pieces - (steps - 1 - i);
        int any = done + 1 + (int)(check_random(c) % (uint64_t)(most - done));
        done = i == steps - 1 ? pieces : irregular ? any : pieces / steps * (i + 1);
        s->ends[i] = done;
    }
}

static void make_weights(struct check *c, struct strip *s)
{
    struct conv_args *a = &s->args;
    size_t length = (size_t)(a->pieces * a->piece), gap = check_random(c) % 4;
    a->weights_stride = length * BLOCK + gap;
    size_t floats = (size_t)a->blocks * a->weights_stride - gap;
    a->weights = check_filled(c, floats, ROLE_FACTOR, 4 * length);
    /* So many lines that a tile fetches none, some or more than it can with each piece. */
    size_t ahead = (size_t)a->pieces * BLOCK * (check_random(c) % 24);
    a->prefetch = a->weights;
    a->prefetch_end = a->weights + (ahead < floats ? ahead : floats);
    a->bias = check_random(c) % 4 ? check_filled(c, (size_t)a->blocks * BLOCK, ROLE_TERM, 8) : NULL;
    s->scale = check_filled(c, (size_t)a->blocks * BLOCK, ROLE_SCALE, 16);
    s->shift = check_filled(c, (size_t)a->blocks * BLOCK, ROLE_TERM, 16);
}

/* Returns how many floats of input a pixel reaches. */
static size_t make_pieces(struct check *c, struct strip *s, bool irregular)
{
    const struct reduction *r = &s->reduction;
    int columns = r->stem ? 1 : r->width, rows = r->height;
    size_t plane = (size_t)rows * s->in.row + check_random(c) % 4, most = 0;
    s->args.piece = r->stem ? 3 * r->width : BLOCK;
    s->args.pieces = r->cin_blocks * rows * columns;
    assert(s->args.pieces <= MAX_PIECES);
    for (int i = 0; i < s->args.pieces; i++) {
        size_t cin = (size_t)(i / (rows * columns)), row = (size_t)(i / columns % rows);
        size_t at = cin * plane + row * s->in.row + (size_t)(i % columns * BLOCK);
        if (irregular)
            at = check_random(c) % 500;
        most = at > most ? at : most;
        s->piece_at[i] = (int32_t)at;
    }
    make_steps(c, s, irregular);
    return most + (size_t)s->args.piece;
}

static void make_input(struct check *c, struct strip *s, int layout)
{
    struct conv_args *a = &s->args;
    bool irregular = place_input(c, &s->in, layout, s->reduction.stem ? 3 : BLOCK, a->pixels);
    size_t reach = make_pieces(c, s, irregular);
    size_t length = (size_t)(a->pieces * a->piece);
    s->adjacent = !s->reduction.stem && place_adjacent(&s->in, a->pixels);
    a->in_at = s->in.at;
    a->piece_at = s->piece_at;
    a->in = check_filled(c, s->in.span + reach, ROLE_FACTOR, 2 * length) + s->in.origin;
}

static void place_outputs(struct check *c, struct strip *s, int layout)
{
    const int pixels = s->args.pixels, blocks = s->args.blocks;
    place_output(c, &s->residual, layout, pixels, blocks);
    place_output(c, &s->sum, layout, pixels, blocks);
    place_output(c, &s->act, layout, pixels, blocks);
    s->adjacent_out = place_adjacent(&s->residual, pixels) && place_adjacent(&s->sum, pixels) &&
                      place_adjacent(&s->act, pixels);
}

/* Outputs lie as the input does, or of an even number of pixels as in the next layout. */
static void make_strip(struct check *c, struct strip *s, int layout)
{
    struct conv_args *a = &s->args;
    int out_layout = a->pixels % 2 ? layout : (layout + 1) % PLACE_LAYOUTS;
    s->layout = place_name(layout);
    s->out_layout = place_name(out_layout);
    make_input(c, s, layout);
    make_weights(c, s);
    place_outputs(c, s, out_layout);
    s->residual_data = check_filled(c, s->residual.span, ROLE_TERM, 16);
    a->partial_stride = (size_t)(a->pixels * BLOCK + a->pixels % 4 * 5);
    s->chain = check_input(c, (size_t)s->reduction.steps * chain_floats(s));
    compute_chain(c, s);
    check_seal(c);
}

/* Makes the memory of the sum the residual's too. */
static void copy_residual(const struct strip *s, float *sum)
{
    for (int i = 0; i < s->args.pixels * s->args.blocks; i++) {
        size_t block = (size_t)(i / s->args.pixels);
        ptrdiff_t from = place_at(&s->residual, i % s->args.pixels, block);
        ptrdiff_t to = place_at(&s->sum, i % s->args.pixels, block);
        memcpy(sum + to, s->residual_data + from, BLOCK * sizeof(float));
    }
}

static struct strip_out strip_out(const struct place *at, float *data)
{
    return (struct strip_out){data ? data + at->origin : NULL, at->at, at->block_stride};
}

static struct strip_in strip_in(const struct place *at, const float *data)
{
    return (struct strip_in){data + at->origin, at->at, at->block_stride};
}

/* Points the arguments at one side of the outputs. */
static void set_outputs(const struct strip *s, int parts, float *sum, float *act,
                        struct conv_args *a)
{
    a->sum = strip_out(&s->sum, sum);
    a->act = strip_out(&s->act, act);
    a->residual = (struct strip_in){0};
    if (parts & PART_IN_PLACE)
        a->residual = strip_in(&s->sum, sum);
    else if (parts & PART_RESIDUAL)
        a->residual = strip_in(&s->residual, s->residual_data);
    a->scale = parts & PART_SCALE ? s->scale : NULL;
    a->shift = parts & PART_SCALE ? s->shift : NULL;
}

/* The scalar kernel over no piece at all is its epilogue alone. */
static void finish_expected(struct check *c, const struct strip *s, int parts, float *sum,
                            float *act)
{
    struct conv_args a = s->args;
    a.pieces = 0;
    a.resume = true;
    a.finish = true;
    a.partial = s->chain + (size_t)(s->reduction.steps - 1) * chain_floats(s);
    set_outputs(s, parts, sum, act, &a);
    kernel_of(c->scalar, s)(&a);
}

/* Bit i of a split: a call ends with step i. Names the pieces of each call: "9+18". */
static void name_split(const struct strip *s, unsigned split, char *text, size_t size)
{
    int length = 0, done = 0;
    for (int i = 0; i < s->reduction.steps; i++) {
        bool last = i == s->reduction.steps - 1;
        if (!last && !(split >> i & 1))
            continue;
        length += snprintf(text + length, size - (size_t)length, "%d%s", s->ends[i] - done,
                           last ? "" : "+");
        done = s->ends[i];
    }
}

static void name_case(struct check *c, const struct strip *s, unsigned split, const char *epilogue)
{
    const char *adjacent = s->args.adjacent ? " (adjacent)" : "";
    const char *adjacent_out = s->args.adjacent_out ? " (adjacent)" : "";
    const char *bias = s->args.bias ? "" : ", no bias";
    const struct reduction *r = &s->reduction;
    char pieces[40];
    name_split(s, split, pieces, sizeof pieces);
    check_case(
        c,
        "%d pixels%s, %d output blocks, %d input blocks, filter %d x %d, layout %s into %s%s, "
        "pieces %s%s, epilogue %s",
        s->args.pixels, adjacent, s->args.blocks, r->cin_blocks, r->height, r->width, s->layout,
        s->out_layout, adjacent_out, pieces, bias, epilogue);
}

/* Copies the partial sums, and not what lies between those of two blocks. */
static void copy_partial(const struct conv_args *a, const float *from, float *to)
{
    for (int block = 0; block < a->blocks; block++) {
        size_t at = (size_t)block * a->partial_stride;
        memcpy(to + at, from + at, (size_t)(a->pixels * BLOCK) * sizeof(float));
    }
}

/* The chain in calls: after each but the last the partial sums, and nothing else, are written. */
static bool run_calls(struct check *c, const struct strip *s, unsigned split, int parts,
                      const struct strip_outputs *out)
{
    for (int first = 0, last = 0; last < s->reduction.steps; last++) {
        bool end = last == s->reduction.steps - 1;
        if (!end && !(split >> last & 1))
            continue;
        struct conv_args a = call_of(s, first, last);
        set_outputs(s, parts, got_of(out->sum), got_of(out->act), &a);
        a.partial = out->partial->got;
        kernel_of(c->set, s)(&a);
        first = last + 1;
        if (end)
            break;
        copy_partial(&a, s->chain + (size_t)last * chain_floats(s), out->partial->expected);
        if (!check_compare(c))
            return false;
    }
    check_ignore(out->partial);
    finish_expected(c, s, parts, expected_of(out->sum), expected_of(out->act));
    return check_end(c);
}

static bool strip_case(struct check *c, struct strip *s, unsigned split, int epilogue)
{
    int parts = check_epilogues[epilogue].parts;
    s->args.adjacent = s->adjacent && epilogue % 4; /* hints that may be withheld */
    s->args.adjacent_out = s->adjacent_out && epilogue % 3;
    name_case(c, s, split, check_epilogues[epilogue].name);
    struct strip_outputs out = {
        .partial = check_output(c, "partial", chain_floats(s)),
        .sum = parts & PART_SUM ? place_check_output(c, "sum", &s->sum) : NULL,
        .act = parts & PART_ACT ? place_check_output(c, "act", &s->act) : NULL,
    };
    if (parts & PART_IN_PLACE) {
        copy_residual(s, out.sum->got);
        copy_residual(s, out.sum->expected);
    }
    return run_calls(c, s, split, parts, &out);
}

static bool is_short(struct reduction r)
{
    return r.height * r.width == 1;
}

/*
 * Every split of one strip, with every epilogue. What follows a long sum does not depend on what
 * was summed: there the epilogues take turns, which is kinder to emulators.
 */
static bool strip_cases(struct check *c, struct strip *s, int layout)
{
    int turn = (int)(check_random(c) % CHECK_EPILOGUES);
    int epilogues = is_short(s->reduction) ? CHECK_EPILOGUES : 1;
    make_strip(c, s, layout);
    for (unsigned split = 0; split < 1U << (s->reduction.steps - 1); split++) {
        for (int i = 0; i < epilogues; i++, turn++) {
            if (!strip_case(c, s, split, turn % CHECK_EPILOGUES))
                return false;
        }
    }
    return true;
}

/* Every number of pixels and blocks; the layouts take turns, so that each size meets each layout.
 */
static bool strip_sizes(struct check *c, struct reduction reduction, enum check_values values,
                        int turn)
{
    static struct strip s;
    int most = 3 * c->set->tile_pixels + 1;
    assert(most <= PLACE_MAX_PIXELS);
    for (int blocks = 1; blocks <= c->set->tile_blocks; blocks++) {
        for (int pixels = 1; pixels <= most; pixels++) {
            if (check_leaves_out(c, QUICK_SHARE))
                continue;
            check_data(c, values);
            s = (struct strip){.reduction = reduction};
            s.args.pixels = pixels;
            s.args.blocks = blocks;
            if (!strip_cases(c, &s, (turn + pixels) % PLACE_LAYOUTS))
                return false;
        }
    }
    return true;
}

/* Denormals cost an FMA 100 cycles on some CPUs, and are as wrong in a short sum as in a long one.
 */
static bool takes(enum check_values values, struct reduction reduction)
{
    return values == VALUES_NORMAL || values == VALUES_SALTED ||
           (is_short(reduction) && reduction.cin_blocks == 1);
}

static bool check_reduction(struct check *c, struct reduction reduction)
{
    int turn = c->turn++;
    for (int i = 0; i < VALUES_COUNT; i++) {
        enum check_values values = (enum check_values)i;
        if (takes(values, reduction) && !strip_sizes(c, reduction, values, turn))
            return false;
    }
    return true;
}

bool check_conv(struct check *c)
{
    static const struct {
        int height, width, cin_blocks; /* the last at most */
    } filters[] = {{1, 1, 3}, {3, 3, 3}, {3, 1, 3}, {1, 3, 3}, {5, 5, 1}};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        for (int cin = 1; cin <= filters[i].cin_blocks; cin++) {
            if (!check_reduction(
                    c, (struct reduction){false, filters[i].height, filters[i].width, cin, cin}))
                return false;
        }
    }
    return check_whole_convolutions(c, false);
}

bool check_stem(struct check *c)
{
    static const int kernels[] = {7, 5, 3, 1};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        int kernel = kernels[i];
        for (int steps = 1; steps <= MAX_STEPS && steps <= kernel; steps++) {
            if (!check_reduction(c, (struct reduction){true, kernel, kernel, 1, steps}))
                return false;
        }
    }
    return check_whole_convolutions(c, true);
}
