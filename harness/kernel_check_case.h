/**
 * What the checks of kernels are written with. A check makes inputs, and for each case outputs in
 * pairs: the kernel writes one and the scalar kernel the other. Then both must be equal, with all
 * that surrounds them.
 *
 *     check_data(c, values);
 *     float *a = check_input(c, n), *b = check_input(c, n);
 *     check_fill(c, a, n, ROLE_TERM, 8); …
 *     check_seal(c);
 *     check_case(c, "count %d", n);
 *     struct check_output *out = check_output(c, "out", n);
 *     c->scalar->add.run(a, b, out->expected, n);
 *     c->set->add.run(a, b, out->got, n);
 *     if (!check_end(c))
 *         return false;
 */
#ifndef RESMARK_HARNESS_KERNEL_CHECK_CASE_H
#define RESMARK_HARNESS_KERNEL_CHECK_CASE_H

#include "harness/kernel_check.h"
#include "kernels/bilinear.h"

#define CHECK_INPUTS 8
#define CHECK_OUTPUTS 6

/** What the numbers of a data set are like. */
enum check_values {
    VALUES_NORMAL,    /**< normally distributed, so that every rounding shows */
    VALUES_SALTED,    /**< the same with NaN, infinities, -0, denormals, huge ones in between */
    VALUES_TINY,      /**< results are denormal: shows what flushes them to zero */
    VALUES_VANISHING, /**< results are -0, +0 and the smallest denormals */
    VALUES_COUNT,
};

/** What an input is in the kernel's formula; its magnitude follows. */
enum check_role {
    ROLE_FACTOR, /**< of a product that is summed */
    ROLE_TERM,   /**< of a sum */
    ROLE_SCALE,  /**< of a batch norm */
    ROLE_SCORE,  /**< an exponent */
};

/** Where an output's groups of 16 channels are: at[pixel] + block * block_stride. */
struct check_pixels {
    const int32_t *at;
    int pixels, blocks;
    size_t block_stride;
    size_t origin; /**< what `at` counts from */
};

struct check_output {
    const char *name;
    float *got, *expected;
    size_t count;
    const struct check_pixels *pixels; /**< the part to be written; NULL: all */
    bool ignored;
};

/** What the epilogue of a convolution may consist of. */
enum check_part {
    PART_RESIDUAL = 1,
    PART_IN_PLACE = 2, /**< the sum overwrites the residual */
    PART_SUM = 4,
    PART_ACT = 8,
    PART_SCALE = 16,
};

/** Every combination that the contract allows. */
#define CHECK_EPILOGUES 13
extern const struct check_epilogue {
    int parts;
    const char *name;
} check_epilogues[CHECK_EPILOGUES];

/** A check that is running. */
struct check {
    const struct kernel_set *set;    /**< whose kernel is checked */
    const struct kernel_set *scalar; /**< what it must equal */
    struct kernel_check_result *result;
    enum check_values values;
    uint64_t random;
    bool quick;
    long sets;    /**< data sets that a quick check could have left out */
    int turn;     /**< for what takes turns: counted by the checks */
    char *memory; /**< the slots: all inputs, then the outputs in pairs */
    size_t memory_bytes;
    size_t page;
    int inputs;
    int outputs;
    struct check_output output[CHECK_OUTPUTS];
};

/** The check of each op: true when all its cases are right. */
#define CHECK_DECLARE(op) bool check_##op(struct check *c);
KERNEL_OPS(CHECK_DECLARE)
#undef CHECK_DECLARE

/** Convolutions over whole tensors with this set's micro-kernels, in several blockings. */
bool check_whole_convolutions(struct check *c, bool stem);

/** The same by a bilinear algorithm. */
bool check_whole_bilinear(struct check *c, enum bilinear_form form);

/** Takes the memory. False with the result's problem set; check_free() releases. */
bool check_make(struct check *c, const struct kernel_set *set,
                const struct kernel_check_options *options, struct kernel_check_result *result);
void check_free(struct check *c);

/** The next number of the check's own sequence. */
uint64_t check_random(struct check *c);

/**
 * Whether the next data set is left out: of a quick check all but each `every`-th. A prime that
 * divides the length of no loop over data sets lets every value of every loop take part.
 */
bool check_leaves_out(struct check *c, int every);

/** Starts a data set: forgets all inputs. */
void check_data(struct check *c, enum check_values values);

/**
 * Uninitialised memory for `count` floats, at any multiple of 4 bytes, with pages before and behind
 * it that cannot be touched. Often, but not always, it ends where the page behind begins.
 */
float *check_input(struct check *c, size_t count);

/** Fills it by role. A salted data set gets about one special number in `every`. */
void check_fill(struct check *c, float *data, size_t count, enum check_role role, size_t every);

/** check_input() and check_fill() in one. */
float *check_filled(struct check *c, size_t count, enum check_role role, size_t every);

/** No input may be written from now until check_data(). */
void check_seal(struct check *c);

/** Starts a case: forgets all outputs. The text says which case it is. */
void check_case(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * A pair of outputs, filled with canaries inside and around, at any multiple of 4 bytes. What the
 * scalar kernel does not write must keep its canaries.
 */
struct check_output *check_output(struct check *c, const char *name, size_t count);

/** Whatever the kernel left inside is right: only the canaries around are compared. */
void check_ignore(struct check_output *output);

/** Compares all outputs, with their surroundings; false with the result's problem set. */
bool check_compare(struct check *c);

/**
 * The same at the end of a case, and that of each output all that had to be written was, and
 * nothing else, by the scalar kernel neither. The expected outputs are gone then.
 */
bool check_end(struct check *c);

/** Sets the result's problem; returns false. */
bool check_problem(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
