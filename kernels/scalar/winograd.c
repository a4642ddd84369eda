/* Winograd transforms, scalar: the common body on this set's vectors. */
#include "kernels/scalar/vec.h"
#include "kernels/table.h"
#include "kernels/winograd_body.h"

void winograd2_in_x1__scalar(const struct winograd_in_args *a)
{
    winograd_in_2(a);
}

void winograd2_out_x1__scalar(const struct winograd_out_args *a)
{
    winograd_out_2(a);
}

void winograd4_in_x1__scalar(const struct winograd_in_args *a)
{
    winograd_in_4(a);
}

void winograd4_out_x1__scalar(const struct winograd_out_args *a)
{
    winograd_out_4(a);
}
