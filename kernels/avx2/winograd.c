/* Winograd transforms, avx2: the common body on this set's vectors. */
#include "kernels/avx2/vec.h"
#include "kernels/table.h"
#include "kernels/winograd_body.h"

void winograd2_in_x8__avx2(const struct winograd_in_args *a)
{
    winograd_in_2(a);
}

void winograd2_out_x8__avx2(const struct winograd_out_args *a)
{
    winograd_out_2(a);
}

void winograd4_in_x8__avx2(const struct winograd_in_args *a)
{
    winograd_in_4(a);
}

void winograd4_out_x8__avx2(const struct winograd_out_args *a)
{
    winograd_out_4(a);
}
