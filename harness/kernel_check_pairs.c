/* Strassen's transforms, a strip of pairs of pixels at a time. */
#include "harness/kernel_check_strip.h"

#include <string.h>

#define MAX_PAIRS 12
#define QUICK_SHARE 5
#define SUMS 5     /* of the input transform */
#define PRODUCTS 7 /* of the output transform */

/* Pixels of a tensor in two blocks: the upper ones of the pairs, then the lower ones there are. */
struct pairs {
    struct place place;
    int32_t lower[MAX_PAIRS];
};

/* The last pairs may lack their lower pixel. */
static void place_pairs(struct check *c, struct pairs *p, int layout, int pairs, int missing)
{
    place_output(c, &p->place, layout, 2 * pairs - missing, 2);
    for (int i = 0; i < pairs; i++)
        p->lower[i] = i < pairs - missing ? p->place.at[pairs + i] : NO_PIXEL;
}

static struct pairs_in pairs_in(const struct pairs *p, const float *memory)
{
    return (struct pairs_in){
        memory ? memory + p->place.origin : NULL, {p->place.at, p->lower}, p->place.block_stride};
}

static struct pairs_out pairs_out(const struct pairs *p, float *memory)
{
    return (struct pairs_out){
        memory ? memory + p->place.origin : NULL, {p->place.at, p->lower}, p->place.block_stride};
}

static int missing_of(struct check *c, int pairs)
{
    int missing = (int)(check_random(c) % 4) - 1;
    return missing < 0 ? 0 : missing < pairs ? missing : pairs;
}

static bool in_case(struct check *c, int layout, int pairs)
{
    static struct pairs in;
    int32_t at[MAX_PAIRS];
    place_pairs(c, &in, layout, pairs, 0);
    struct strassen_in_args a = {.pairs = pairs};
    a.position_stride = (size_t)pairs * BLOCK + check_random(c) % 20;
    a.in = pairs_in(&in, check_filled(c, in.place.span, ROLE_TERM, in.place.span / BLOCK + 1));
    check_seal(c);
    check_case(c, "%d pairs, %s", pairs, place_name(layout));
    for (int i = 0; i < pairs; i++)
        at[i] = i * BLOCK;
    const struct check_pixels sums = {at, pairs, SUMS, a.position_stride, 0};
    struct check_output *out =
        check_output(c, "out", (SUMS - 1) * a.position_stride + (size_t)pairs * BLOCK);
    out->pixels = &sums;
    a.out = out->expected;
    c->scalar->strassen_in.run(&a);
    a.out = out->got;
    c->set->strassen_in.run(&a);
    return check_end(c);
}

bool check_strassen_in(struct check *c)
{
    for (int i = 0; i < VALUES_COUNT * MAX_PAIRS * PLACE_LAYOUTS; i++) {
        if (check_leaves_out(c, QUICK_SHARE))
            continue;
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        if (!in_case(c, i / VALUES_COUNT % PLACE_LAYOUTS, i / VALUES_COUNT / PLACE_LAYOUTS + 1))
            return false;
    }
    return true;
}

/* A strip's inputs, and where its outputs go. */
struct strip {
    struct strassen_out_args args;
    struct pairs residual, sum, act;
    const float *residual_data;
};

static void make_strip(struct check *c, struct strip *s, int layout, int pairs, int missing)
{
    struct strassen_out_args *a = &s->args;
    *a = (struct strassen_out_args){.pairs = pairs};
    a->position_stride = (size_t)pairs * BLOCK + check_random(c) % 20;
    size_t products = (PRODUCTS - 1) * a->position_stride + (size_t)pairs * BLOCK;
    a->in = check_filled(c, products, ROLE_TERM, products / BLOCK + 1);
    const float *vectors[3];
    for (int i = 0; i < 3; i++)
        vectors[i] = check_filled(c, 2 * BLOCK, i == 1 ? ROLE_SCALE : ROLE_TERM, 32);
    for (size_t b = 0; b < 2; b++) {
        a->bias[b] = vectors[0] + b * BLOCK;
        a->scale[b] = vectors[1] + b * BLOCK;
        a->shift[b] = vectors[2] + b * BLOCK;
    }
    place_pairs(c, &s->residual, layout, pairs, missing);
    place_pairs(c, &s->sum, (layout + 1) % PLACE_LAYOUTS, pairs, missing);
    place_pairs(c, &s->act, (layout + 2) % PLACE_LAYOUTS, pairs, missing);
    s->residual_data = check_filled(c, s->residual.place.span, ROLE_TERM, 16);
}

/* Makes the memory of the sum the residual's too. */
static void copy_residual(const struct strip *s, float *sum)
{
    const struct place *from = &s->residual.place, *to = &s->sum.place;
    for (int i = 0; i < to->pixels.pixels * 2; i++) {
        int pixel = i / 2;
        memcpy(sum + place_at(to, pixel, (size_t)i % 2),
               s->residual_data + place_at(from, pixel, (size_t)i % 2), BLOCK * sizeof(float));
    }
}

/* Runs one side of a case; sum and act may be NULL. */
static void run_out(const struct kernel_set *set, const struct strip *s, int parts, float *sum,
                    float *act)
{
    struct strassen_out_args a = s->args;
    if (parts & PART_IN_PLACE) {
        copy_residual(s, sum);
        a.residual = pairs_in(&s->sum, sum);
    } else if (parts & PART_RESIDUAL) {
        a.residual = pairs_in(&s->residual, s->residual_data);
    }
    a.sum = pairs_out(&s->sum, sum);
    a.act = pairs_out(&s->act, act);
    for (int b = 0; b < 2 && !(parts & PART_SCALE); b++)
        a.scale[b] = a.shift[b] = NULL;
    set->strassen_out.run(&a);
}

static bool out_case(struct check *c, const struct strip *s, int layout, int missing, int epilogue)
{
    int parts = check_epilogues[epilogue].parts;
    check_case(c, "%d pairs, %d single, %s, epilogue %s", s->args.pairs, missing,
               place_name(layout), check_epilogues[epilogue].name);
    struct check_output *sum =
        parts & PART_SUM ? place_check_output(c, "sum", &s->sum.place) : NULL;
    struct check_output *act =
        parts & PART_ACT ? place_check_output(c, "act", &s->act.place) : NULL;
    run_out(c->scalar, s, parts, sum ? sum->expected : NULL, act ? act->expected : NULL);
    run_out(c->set, s, parts, sum ? sum->got : NULL, act ? act->got : NULL);
    return check_end(c);
}

bool check_strassen_out(struct check *c)
{
    static struct strip s;
    for (int i = 0; i < VALUES_COUNT * MAX_PAIRS * PLACE_LAYOUTS; i++) {
        int layout = i / VALUES_COUNT % PLACE_LAYOUTS, pairs = i / VALUES_COUNT / PLACE_LAYOUTS + 1;
        if (check_leaves_out(c, QUICK_SHARE))
            continue;
        check_data(c, (enum check_values)(i % VALUES_COUNT));
        int missing = missing_of(c, pairs);
        make_strip(c, &s, layout, pairs, missing);
        check_seal(c);
        for (int epilogue = 0; epilogue < CHECK_EPILOGUES; epilogue++) {
            if (!out_case(c, &s, layout, missing, epilogue))
                return false;
        }
    }
    return check_whole_bilinear(c, FORM_STRASSEN);
}
