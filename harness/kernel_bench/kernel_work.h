/** What each kernel is measured on: one call of the size that ResNet-50 has it do, and its cost. */
#ifndef RESMARK_HARNESS_KERNEL_BENCH_KERNEL_WORK_H
#define RESMARK_HARNESS_KERNEL_BENCH_KERNEL_WORK_H

#include "kernels/table.h"

/** Most pixels of a strip, and pieces of a reduction. */
#define KERNEL_WORK_PIXELS 128
#define KERNEL_WORK_PIECES 16

struct kernel_work {
    const struct kernel_set *set;
    enum kernel_op op;
    double operations; /**< floating-point ones of a call; 0 for a kernel that memory bounds */
    double bytes;      /**< that a call reads and writes, each once */
    bool reads;        /**< it writes next to nothing of them */
    char shape[40];    /**< for people */
    float *memory;     /**< all that it touches, on cache lines … */
    size_t floats;     /**< … so many in all */
    size_t used;
    int32_t in_at[KERNEL_WORK_PIXELS], out_at[KERNEL_WORK_PIXELS], piece_at[KERNEL_WORK_PIECES];
    const float *a, *b, *scale, *shift;
    float *out, *more;
    size_t count, blocks;
    union {
        struct conv_args conv;
        struct max_pool_args max_pool;
        struct patch_in_args patch_in;
        struct patch_out_args patch_out;
        struct strassen_in_args strassen_in;
        struct strassen_out_args strassen_out;
    } args;
};

/** Makes the work of a set's kernel. False when there is no memory; kernel_work_free() releases. */
bool kernel_work_make(struct kernel_work *work, const struct kernel_set *set, enum kernel_op op);
void kernel_work_free(struct kernel_work *work);

/** Calls the kernel once. */
void kernel_work_run(const struct kernel_work *work);

#endif
