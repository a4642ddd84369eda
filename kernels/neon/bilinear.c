/* Transforms of bilinear algorithms, neon: the common bodies on this set's vectors. */
#include "kernels/neon/vec.h"
#include "kernels/table.h"
#include "kernels/transform_cuts.h"
#include "kernels/transform_image.h"
#include "kernels/transform_pairs.h"

void winograd2_in_x4__neon(const struct patch_in_args *a)
{
    winograd_in_2(a);
}

void winograd2_out_x4__neon(const struct patch_out_args *a)
{
    winograd_out_2(a);
}

void winograd4_in_x4__neon(const struct patch_in_args *a)
{
    winograd_in_4(a);
}

void winograd4_out_x4__neon(const struct patch_out_args *a)
{
    winograd_out_4(a);
}

void winograd6_in_x4__neon(const struct patch_in_args *a)
{
    winograd_in_6(a);
}

void winograd6_out_x4__neon(const struct patch_out_args *a)
{
    winograd_out_6(a);
}

void polyphase2_in_x4__neon(const struct patch_in_args *a)
{
    polyphase_in_2(a);
}

void polyphase2_out_x4__neon(const struct patch_out_args *a)
{
    polyphase_out_2(a);
}

void polyphase4_in_x4__neon(const struct patch_in_args *a)
{
    polyphase_in_4(a);
}

void polyphase4_out_x4__neon(const struct patch_out_args *a)
{
    polyphase_out_4(a);
}

void strassen_in_x4__neon(const struct strassen_in_args *a)
{
    strassen_in(a);
}

void strassen_out_x4__neon(const struct strassen_out_args *a)
{
    strassen_out(a);
}
