/*
 * Winograd transforms, avx512: the common body on this set's vectors. A vector is a whole block of
 * channels, so each transform is one pass over its patch, without a loop over lanes.
 */
#include "kernels/avx512/vec.h"
#include "kernels/table.h"
#include "kernels/winograd_body.h"

void winograd2_in_x16__avx512(const struct winograd_in_args *a)
{
    winograd_in_2(a);
}

void winograd2_out_x16__avx512(const struct winograd_out_args *a)
{
    winograd_out_2(a);
}

void winograd4_in_x16__avx512(const struct winograd_in_args *a)
{
    winograd_in_4(a);
}

void winograd4_out_x16__avx512(const struct winograd_out_args *a)
{
    winograd_out_4(a);
}
