#include "kernels/bilinear_steps.h"

/* The factors of Strassen's last two products are no sums, but parts of the input. */
static const struct {
    int tile, side, positions, sums, group;
} forms[] = {
    [FORM_WINOGRAD2] = {2, 4, 16, 16, 1},
    [FORM_WINOGRAD4] = {4, 6, 36, 36, 1},
    [FORM_POLYPHASE2] = {2, 5, 25, 25, 1},
    [FORM_STRASSEN] = {0, 0, 7, 5, 2},
};

int bilinear_tile(enum bilinear_form form)
{
    return forms[form].tile;
}

int bilinear_side(enum bilinear_form form)
{
    return forms[form].side;
}

int bilinear_positions(enum bilinear_form form)
{
    return forms[form].positions;
}

int bilinear_sums(enum bilinear_form form)
{
    return forms[form].sums;
}

int bilinear_group(enum bilinear_form form)
{
    return forms[form].group;
}

int bilinear_tiles(enum bilinear_form form, int height, int width)
{
    const int tile = bilinear_tile(form);
    return form == FORM_STRASSEN ? divide_up(height * width, 2)
                                 : divide_up(height, tile) * divide_up(width, tile);
}
