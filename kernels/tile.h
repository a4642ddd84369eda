/** How a strip of pixels is cut into register tiles: shared by the micro-kernels of all ISAs. */
#ifndef RESMARK_KERNELS_TILE_H
#define RESMARK_KERNELS_TILE_H

/** First `large` tiles of `size` pixels, then `small` tiles of size - 1. */
struct tile_split {
    int size;
    int large, small;
};

/**
 * Cuts `pixels` >= 1 into as few tiles of at most `most` as possible, of nearly equal size, because
 * a tile of one pixel would leave the FMA pipes idle: 49 pixels are 4 tiles of 6 and 5 of 5, not 8
 * of 6 and 1 of 1.
 */
static inline struct tile_split tile_split(int pixels, int most)
{
    int tiles = (pixels + most - 1) / most;
    int size = (pixels + tiles - 1) / tiles;
    int large = pixels - (size - 1) * tiles;
    return (struct tile_split){size, large, tiles - large};
}

#endif
