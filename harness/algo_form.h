/** How the kernels call an algorithm. */
#ifndef RESMARK_HARNESS_ALGO_FORM_H
#define RESMARK_HARNESS_ALGO_FORM_H

#include "harness/algo.h"
#include "kernels/bilinear.h"

/** The bilinear algorithm that it is; not for ALGO_DIRECT. */
enum bilinear_form algo_form(enum algo algo);

#endif
