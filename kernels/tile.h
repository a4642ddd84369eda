/** How a strip of pixels is cut into register tiles: shared by the micro-kernels of all ISAs. */
#ifndef RESMARK_KERNELS_TILE_H
#define RESMARK_KERNELS_TILE_H

/**
 * Pixels of the next tile when `left` pixels remain and a tile holds at most `most`: as few tiles
 * as possible, of nearly equal size, because a tile of one pixel would leave the FMA pipes idle
 * (49 pixels are 4 tiles of 6 and 5 of 5, not 8 of 6 and 1 of 1).
 */
static inline int tile_next(int left, int most)
{
    int tiles = (left + most - 1) / most;
    return (left + tiles - 1) / tiles;
}

#endif
