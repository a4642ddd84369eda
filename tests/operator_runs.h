/** ONNX operators on resmark's kernels, for cases that others wrote. */
#ifndef RESMARK_TESTS_OPERATOR_RUNS_H
#define RESMARK_TESTS_OPERATOR_RUNS_H

#include "kernels/kernels.h"
#include "onnx.pb-c.h"

#define OPERATOR_MAX_INPUTS 5

/** Row-major float32, as ONNX has it. */
struct array {
    float *data; /**< NULL: not there */
    int rank;
    int64_t dims[8];
    size_t count;
};

struct operator_case {
    const Onnx__NodeProto *node;
    struct array inputs[OPERATOR_MAX_INPUTS]; /**< those of the node */
    struct array expected;
};

/**
 * Computes the case on a kernel set into `out`, which has the expected count. NULL when that was
 * done, else why the kernels do not cover the case.
 */
const char *operator_run(const struct operator_case *c, const struct kernel_set *set, float *out);

#endif
