#include "kernels/bilinear_steps.h"

/*
 * The factors of Strassen's last two products are no sums, but parts of the input. The last two of
 * a polyphase line, which are of the middle tap, have one filter.
 */
static const struct {
    int tile, side, filter_side, reach, pad, positions, sums, group;
} forms[] = {
    [FORM_WINOGRAD2] = {2, 4, 4, 4, 1, 16, 16, 1},   [FORM_WINOGRAD4] = {4, 6, 6, 6, 1, 36, 36, 1},
    [FORM_WINOGRAD6] = {6, 8, 8, 8, 1, 64, 64, 1},   [FORM_POLYPHASE2] = {2, 5, 4, 5, 1, 25, 25, 1},
    [FORM_POLYPHASE4] = {4, 7, 7, 13, 3, 49, 49, 1}, [FORM_STRASSEN] = {0, 0, 0, 0, 0, 7, 5, 2},
};

/* Channels of the image's four phases. */
#define STEM_INPUTS 12

int bilinear_tile(enum bilinear_form form)
{
    return forms[form].tile;
}

int bilinear_side(enum bilinear_form form)
{
    return forms[form].side;
}

int bilinear_filter_side(enum bilinear_form form)
{
    return forms[form].filter_side;
}

int bilinear_reach(enum bilinear_form form)
{
    return forms[form].reach;
}

int bilinear_pad(enum bilinear_form form)
{
    return forms[form].pad;
}

int bilinear_inputs(enum bilinear_form form, int cin)
{
    return form == FORM_POLYPHASE4 ? STEM_INPUTS
                                   : divide_up(cin, BLOCK) / forms[form].group * BLOCK;
}

int bilinear_positions(enum bilinear_form form)
{
    return forms[form].positions;
}

int bilinear_filters(enum bilinear_form form)
{
    const int side = forms[form].filter_side;
    return side ? side * side : forms[form].positions;
}

int bilinear_sharing(enum bilinear_form form, int filter, int positions[BILINEAR_MAX_SHARING])
{
    const int side = forms[form].side, last = forms[form].filter_side - 1;
    int count = 0;
    if (side == forms[form].filter_side) {
        positions[0] = filter;
        return 1;
    }
    const int row = filter / (last + 1), column = filter % (last + 1);
    for (int y = row; y < (row == last ? side : row + 1); y++) {
        for (int x = column; x < (column == last ? side : column + 1); x++)
            positions[count++] = y * side + x;
    }
    return count;
}

/* The transforms of cut lines (transform_lines.h) have these. */
unsigned bilinear_kept(enum bilinear_form form, int outputs)
{
    if (form == FORM_WINOGRAD4 && outputs <= 2)
        return 1u << 5 | 7;
    if (form == FORM_WINOGRAD6 && outputs <= 4)
        return outputs <= 2 ? 1u << 7 | 7 : 1u << 7 | 0x1f;
    return (1u << bilinear_side(form)) - 1;
}

/* Of those kept, the columns of A^T (transform_lines.h) that are zero but for the last row. */
unsigned bilinear_spared(enum bilinear_form form, int outputs)
{
    static const unsigned last_only[] = {
        [FORM_WINOGRAD2] = 1u << 3,  [FORM_WINOGRAD4] = 1u << 5,
        [FORM_WINOGRAD6] = 1u << 7,  [FORM_POLYPHASE2] = 1u << 2 | 1u << 4,
        [FORM_POLYPHASE4] = 1u << 6, [FORM_STRASSEN] = 0};
    const unsigned all = (1u << bilinear_side(form)) - 1, kept = bilinear_kept(form, outputs);
    if (outputs == bilinear_tile(form))
        return 0;
    return kept == all ? last_only[form] : all & ~kept;
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

/* Those of one direction: each tile's, but of a last tile that is cut short. */
static int products_along(enum bilinear_form form, int size)
{
    const unsigned spared = bilinear_spared(form, last_outputs(form, size));
    return divide_up(size, bilinear_tile(form)) * bilinear_side(form) - __builtin_popcount(spared);
}

int bilinear_products(enum bilinear_form form, int height, int width)
{
    if (form == FORM_STRASSEN)
        return bilinear_positions(form) * bilinear_tiles(form, height, width);
    return products_along(form, height) * products_along(form, width);
}
