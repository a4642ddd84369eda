/** The transforms of bilinear algorithms, as faulty_kernels.h has the other kernels. */
#ifndef RESMARK_TESTS_FAULTY_TRANSFORMS_H
#define RESMARK_TESTS_FAULTY_TRANSFORMS_H

#include "kernels/bilinear.h"
#include "tests/faulty_kernels.h"

/** What an epilogue that is right but for its arguments leaves of a block of 16 channels. */
static inline void faulty_results(float *sum, float *act, const float *scale, const float *shift)
{
    for (int i = 0; i < BLOCK; i++) {
        if (sum && act && scale && fault == FAULT_PLAIN_SCALE)
            act[i] = faulty_scale(sum[i], scale[i], shift[i]);
        if (sum)
            sum[i] = faulty_flush(sum[i]);
        if (act)
            act[i] = faulty_relu(act[i]);
    }
}

/** The scalar kernel of patches; all input transforms have one type, and so have the others. */
static inline void right_patch_in(const struct patch_in_args *a, enum bilinear_form form)
{
    const struct kernel_set *right = kernel_set_get(ISA_SCALAR);
    (form == FORM_WINOGRAD2    ? right->winograd2_in.run
     : form == FORM_WINOGRAD4  ? right->winograd4_in.run
     : form == FORM_WINOGRAD6  ? right->winograd6_in.run
     : form == FORM_POLYPHASE2 ? right->polyphase2_in.run
                               : right->polyphase4_in.run)(a);
}

static inline void right_patch_out(const struct patch_out_args *a, enum bilinear_form form)
{
    const struct kernel_set *right = kernel_set_get(ISA_SCALAR);
    (form == FORM_WINOGRAD2    ? right->winograd2_out.run
     : form == FORM_WINOGRAD4  ? right->winograd4_out.run
     : form == FORM_WINOGRAD6  ? right->winograd6_out.run
     : form == FORM_POLYPHASE2 ? right->polyphase2_out.run
                               : right->polyphase4_out.run)(a);
}

/** Right but for what the fault changes in the arguments and the result. */
static inline void faulty_patch_in(const struct patch_in_args *args, enum bilinear_form form)
{
    struct patch_in_args a = *args;
    size_t positions = (size_t)bilinear_positions(form);
    const size_t pixel = form == FORM_POLYPHASE4 ? 3 : BLOCK;
    if (fault == FAULT_OVER_THE_EDGE)
        a.rows = a.columns = bilinear_reach(form);
    a.in = faulty_load(a.in);
    right_patch_in(&a, form);
    for (size_t i = 0; i < positions * BLOCK; i++) {
        float *out = a.out + i / BLOCK * a.position_stride + i % BLOCK;
        *out = faulty_flush(*out);
    }
    faulty_edges(a.out, (positions - 1) * a.position_stride + BLOCK);
    faulty_input(a.in, (size_t)(a.rows - 1) * a.row_stride + (size_t)a.columns * pixel);
}

static inline void faulty_winograd2_in(const struct patch_in_args *args)
{
    faulty_patch_in(args, FORM_WINOGRAD2);
}

static inline void faulty_winograd4_in(const struct patch_in_args *args)
{
    faulty_patch_in(args, FORM_WINOGRAD4);
}

static inline void faulty_winograd6_in(const struct patch_in_args *args)
{
    faulty_patch_in(args, FORM_WINOGRAD6);
}

static inline void faulty_polyphase2_in(const struct patch_in_args *args)
{
    faulty_patch_in(args, FORM_POLYPHASE2);
}

static inline void faulty_polyphase4_in(const struct patch_in_args *args)
{
    faulty_patch_in(args, FORM_POLYPHASE4);
}

/** Stores the sum before the residual is read. */
static inline void store_patch_early(struct patch_out_args a, enum bilinear_form form)
{
    a.residual = NULL;
    a.act = NULL;
    right_patch_out(&a, form);
}

static inline void faulty_patch_out(const struct patch_out_args *args, enum bilinear_form form)
{
    struct patch_out_args a = *args;
    a.rows -= fault == FAULT_SKIPS_TAIL && a.rows == bilinear_tile(form);
    a.columns -= fault == FAULT_LONG_STRIP && a.position_stride > 40;
    a.act_stride = fault == FAULT_ONE_STRIDE && a.sum ? a.sum_stride : a.act_stride;
    if (fault == FAULT_LATE_READ && a.sum)
        store_patch_early(a, form);
    right_patch_out(&a, form);
    for (int i = 0; i < a.rows * a.columns; i++) {
        size_t y = (size_t)(i / a.columns), x = (size_t)(i % a.columns * BLOCK);
        faulty_results(a.sum ? a.sum + y * a.sum_stride + x : NULL,
                       a.act ? a.act + y * a.act_stride + x : NULL, a.scale, a.shift);
    }
    faulty_edges(a.sum ? a.sum : a.act, BLOCK * (size_t)a.columns);
    faulty_input(a.bias, BLOCK);
}

static inline void faulty_winograd2_out(const struct patch_out_args *args)
{
    faulty_patch_out(args, FORM_WINOGRAD2);
}

static inline void faulty_winograd4_out(const struct patch_out_args *args)
{
    faulty_patch_out(args, FORM_WINOGRAD4);
}

static inline void faulty_winograd6_out(const struct patch_out_args *args)
{
    faulty_patch_out(args, FORM_WINOGRAD6);
}

static inline void faulty_polyphase2_out(const struct patch_out_args *args)
{
    faulty_patch_out(args, FORM_POLYPHASE2);
}

static inline void faulty_polyphase4_out(const struct patch_out_args *args)
{
    faulty_patch_out(args, FORM_POLYPHASE4);
}

/** Pairs that are computed of a strip. */
static inline int faulty_pairs(int pairs)
{
    bool tail =
        (fault == FAULT_SKIPS_TAIL && pairs % 8 == 7) || (fault == FAULT_LONG_STRIP && pairs > 10);
    return pairs - tail;
}

/** The least and the largest offset of the pixels of pairs. */
static inline void find_ends(const int32_t *const at[2], int pairs, int32_t ends[2])
{
    ends[0] = INT32_MAX;
    ends[1] = INT32_MIN;
    for (int i = 0; i < 2 * pairs; i++) {
        int32_t offset = at[i % 2][i / 2];
        ends[0] = offset != NO_PIXEL && offset < ends[0] ? offset : ends[0];
        ends[1] = offset > ends[1] ? offset : ends[1];
    }
}

static inline void faulty_strassen_in(const struct strassen_in_args *args)
{
    enum { SUMS = 5 };
    struct strassen_in_args a = *args;
    int32_t ends[2];
    a.pairs = faulty_pairs(a.pairs);
    a.in.data = faulty_load(a.in.data);
    if (fault == FAULT_ASSUMES_PIECES)
        a.in.half_stride = 2 * (size_t)args->pairs * BLOCK;
    kernel_set_get(ISA_SCALAR)->strassen_in.run(&a);
    for (size_t i = 0; i < SUMS * (size_t)a.pairs * BLOCK; i++) {
        size_t row = (size_t)a.pairs * BLOCK;
        float *out = a.out + i / row * a.position_stride + i % row;
        *out = faulty_flush(*out);
    }
    faulty_edges(a.out, (SUMS - 1) * a.position_stride + (size_t)args->pairs * BLOCK);
    find_ends(args->in.at, args->pairs, ends);
    faulty_input(args->in.data + ends[0],
                 (size_t)(ends[1] - ends[0]) + args->in.half_stride + BLOCK);
}

/** Where a pixel of a block is stored, if at all. */
static inline float *faulty_place(const struct pairs_out *out, int half, int pair, int block)
{
    return out->data && out->at[half][pair] != NO_PIXEL
               ? out->data + out->at[half][pair] + block * (ptrdiff_t)out->half_stride
               : NULL;
}

/** The strip ends before the first pair that lacks a pixel. */
static inline int whole_pairs(const struct strassen_out_args *a)
{
    const int32_t *at = a->sum.data ? a->sum.at[1] : a->act.at[1];
    int pairs = 0;
    while (pairs < a->pairs && at[pairs] != NO_PIXEL)
        pairs++;
    return pairs;
}

/** Stores the sum before the residual is read. */
static inline void store_pairs_early(struct strassen_out_args a)
{
    a.residual.data = NULL;
    a.act.data = NULL;
    kernel_set_get(ISA_SCALAR)->strassen_out.run(&a);
}

static inline void faulty_strassen_out(const struct strassen_out_args *args)
{
    struct strassen_out_args a = *args;
    const struct pairs_out *out = a.sum.data ? &args->sum : &args->act;
    int32_t ends[2];
    a.pairs = fault == FAULT_LONE_PIXEL ? whole_pairs(args) : faulty_pairs(a.pairs);
    if (fault == FAULT_ONE_STRIDE && a.sum.data)
        a.act.half_stride = a.sum.half_stride;
    if (fault == FAULT_ASSUMES_PIECES)
        a.position_stride = (size_t)args->pairs * BLOCK;
    if (fault == FAULT_LATE_READ && a.sum.data)
        store_pairs_early(a);
    kernel_set_get(ISA_SCALAR)->strassen_out.run(&a);
    for (int i = 0; i < 4 * a.pairs; i++) {
        int block = i % 2, half = i / 2 % 2;
        faulty_results(faulty_place(&a.sum, half, i / 4, block),
                       faulty_place(&a.act, half, i / 4, block), a.scale[block], a.shift[block]);
    }
    find_ends(out->at, args->pairs, ends);
    faulty_edges(out->data + ends[0], (size_t)(ends[1] - ends[0]) + out->half_stride + BLOCK);
    faulty_input(a.bias[1], BLOCK);
}

#endif
