/*
 * Convolution micro-kernel, NEON: 6 pixels x 16 output channels.
 *
 * Registers: 24 accumulators (6 pixels x 4 vectors of 4 output channels), 6 vectors of 4 input
 * channels, one a pixel, and 2 vectors of weights: all 32. FMLA takes one lane of the input's
 * vector, so a broadcast costs nothing; 4 input channels cost 6 loads of input, 8 paired loads of
 * weights and 96 FMAs. 24 independent chains cover the FMA latency of the widest cores (4 cycles x
 * 4 pipes = 16) with room to spare, and so do the 20 of a tile of 5 pixels.
 * The pixels' addresses come from a table, so that strides, borders and row ends cost nothing
 * inside, and so do the places of the taps, so that 1x1 and 3x3 are one loop.
 * Accumulators are named variables: GCC 12 keeps an array of them on the stack.
 */
#include "kernels/epilogue.h"
#include "kernels/neon/vec.h"
#include "kernels/table.h"
#include "kernels/tile.h"

#define MOST_PIXELS 6

/*
 * Lines of the weights to come that are fetched with each piece, three at a time: twice three, by
 * which three tiles, as a Winograd chunk of 16 has, fetch a panel as large as their own; two tiles
 * or one fetch three times three. AHEAD is three in floats.
 */
#define FETCH(ahead)                                                                               \
    __builtin_prefetch(ahead);                                                                     \
    __builtin_prefetch(ahead + 1 * BLOCK);                                                         \
    __builtin_prefetch(ahead + 2 * BLOCK);
#define AHEAD (3 * BLOCK)

/* M(pixel, with) for each pixel of a tile. */
#define EACH_1(M, with) M(0, with)
#define EACH_2(M, with) EACH_1(M, with) M(1, with)
#define EACH_3(M, with) EACH_2(M, with) M(2, with)
#define EACH_4(M, with) EACH_3(M, with) M(3, with)
#define EACH_5(M, with) EACH_4(M, with) M(4, with)
#define EACH_6(M, with) EACH_5(M, with) M(5, with)

/* One tile of a strip: its first pixel, and its output block. */
struct place {
    int pixel;
    int block;
};

/* The 16 output channels of a pixel. */
struct sixteen {
    vec v0, v1, v2, v3;
};

static inline struct sixteen load_sixteen(const float *p)
{
    return (struct sixteen){vec_load(p), vec_load(p + 4), vec_load(p + 8), vec_load(p + 12)};
}

static inline void store_sixteen(float *p, struct sixteen s)
{
    vec_store(p, s.v0);
    vec_store(p + 4, s.v1);
    vec_store(p + 8, s.v2);
    vec_store(p + 12, s.v3);
}

static inline const float *residual_at(const struct conv_args *a, struct place at, int i)
{
    const struct strip_in *r = &a->residual;
    return r->data + r->at[at.pixel + i] + (size_t)at.block * r->block_stride;
}

static inline float *store_at(const struct strip_out *out, struct place at, int i)
{
    return out->data + out->at[at.pixel + i] + (size_t)at.block * out->block_stride;
}

static inline float *partial_at(const struct conv_args *a, struct place at, int i)
{
    return a->partial + (size_t)at.block * a->partial_stride + (at.pixel + i) * BLOCK;
}

static inline __attribute__((always_inline)) void
finish_pixel(const struct conv_args *a, struct place at, int i, const int parts, struct sixteen s)
{
    if (parts & RESIDUAL) {
        struct sixteen r = load_sixteen(residual_at(a, at, i));
        s = (struct sixteen){vec_add(s.v0, r.v0), vec_add(s.v1, r.v1), vec_add(s.v2, r.v2),
                             vec_add(s.v3, r.v3)};
    }
    if (parts & SUM)
        store_sixteen(store_at(&a->sum, at, i), s);
    if (parts & SCALE) {
        struct sixteen scale = load_sixteen(a->scale + at.block * BLOCK);
        struct sixteen shift = load_sixteen(a->shift + at.block * BLOCK);
        s = (struct sixteen){vec_fma(s.v0, scale.v0, shift.v0), vec_fma(s.v1, scale.v1, shift.v1),
                             vec_fma(s.v2, scale.v2, shift.v2), vec_fma(s.v3, scale.v3, shift.v3)};
    }
    if (parts & ACT)
        store_sixteen(store_at(&a->act, at, i), (struct sixteen){vec_relu(s.v0), vec_relu(s.v1),
                                                                 vec_relu(s.v2), vec_relu(s.v3)});
}

/*
 * The loop's instructions. There is no register to spare, and a compiler that moves a load up by
 * one instruction spills an accumulator: GCC 12 did so 193 times in the loop of 6 pixels, clang 14
 * 16 times. So they are volatile, which keeps them in the order that is written here.
 */
#define LOAD_FOUR(i, p)                                                                            \
    __asm__ volatile("ldr %q0, %1" : "=w"(x##i) : "m"(*(const vec *)(in##i + p)));
/* One float alone: the image may end behind it. LD1 to a lane would also take an FMA's slot. */
#define LOAD_ONE(i, p) __asm__ volatile("ldr %s0, %1" : "=w"(x##i) : "m"(in##i[p]));
#define LOAD_WEIGHTS(offset)                                                                       \
    __asm__ volatile("ldp %q0, %q1, [%2, %3]"                                                      \
                     : "=w"(wl), "=w"(wh)                                                          \
                     : "r"(w), "i"((offset) * sizeof(float)),                                      \
                       "m"(*(const float(*)[4 * BLOCK]) w));
#define FMLA(acc, weights, x, lane)                                                                \
    __asm__ volatile("fmla %0.4s, %1.4s, %2.s[" #lane "]" : "+w"(acc) : "w"(weights), "w"(x));

#define DECLARE(i, a)                                                                              \
    const float *in##i = a->in + a->in_at[at.pixel + i];                                           \
    vec x##i, acc##i##0, acc##i##1, acc##i##2, acc##i##3;
#define ACCUMULATE_FROM(i, p)                                                                      \
    acc##i##0 = vec_load(p);                                                                       \
    acc##i##1 = vec_load(p + 4);                                                                   \
    acc##i##2 = vec_load(p + 8);                                                                   \
    acc##i##3 = vec_load(p + 12);
#define RESUME(i, a) ACCUMULATE_FROM(i, partial_at(a, at, i))
#define MULTIPLY_LOW(i, lane)                                                                      \
    FMLA(acc##i##0, wl, x##i, lane)                                                                \
    FMLA(acc##i##1, wh, x##i, lane)
#define MULTIPLY_HIGH(i, lane)                                                                     \
    FMLA(acc##i##2, wl, x##i, lane)                                                                \
    FMLA(acc##i##3, wh, x##i, lane)
#define SIXTEEN(i)                                                                                 \
    (struct sixteen)                                                                               \
    {                                                                                              \
        acc##i##0, acc##i##1, acc##i##2, acc##i##3                                                 \
    }
#define SUSPEND(i, a) store_sixteen(partial_at(a, at, i), SIXTEEN(i));
#define FINISH(i, parts) finish_pixel(a, at, i, parts, SIXTEEN(i));

/* One input channel, which is a lane of each x. */
#define CHANNEL(N, lane)                                                                           \
    LOAD_WEIGHTS(lane *BLOCK)                                                                      \
    EACH_##N(MULTIPLY_LOW, lane);                                                                  \
    LOAD_WEIGHTS(lane *BLOCK + 8)                                                                  \
    EACH_##N(MULTIPLY_HIGH, lane);

#define EPILOGUE(N, constant)                                                                      \
    case constant: {                                                                               \
        EACH_##N(FINISH, constant);                                                                \
        break;                                                                                     \
    }

/*
 * `count` tiles of N pixels in a row. A tile has one loop, over the pieces, with one branch: the
 * end of a nest of loops over channels and taps would be mispredicted once a tile. That is so where
 * `length`, the piece's floats, is a constant. `ahead` walks over the memory to be prefetched, and
 * is passed on.
 */
#define DEFINE_TILES(N)                                                                            \
    static inline __attribute__((always_inline))                                                   \
    const float *tiles_##N(const struct conv_args *a, struct place at, int count,                  \
                           const int length, const float *ahead)                                   \
    {                                                                                              \
        const int32_t *const end = a->piece_at + a->pieces;                                        \
        const int epilogue = a->finish ? epilogue_of(a) : 0;                                       \
        const bool few = a->pixels <= 2 * MOST_PIXELS;                                             \
        for (; count; count--, at.pixel += N) {                                                    \
            const float *w = a->weights + (size_t)at.block * a->weights_stride;                    \
            const int32_t *piece_at = a->piece_at;                                                 \
            EACH_##N(DECLARE, a);                                                                  \
            if (a->resume) {                                                                       \
                EACH_##N(RESUME, a);                                                               \
            } else {                                                                               \
                const float *bias = bias_of(a, at.block);                                          \
                EACH_##N(ACCUMULATE_FROM, bias);                                                   \
            }                                                                                      \
            do {                                                                                   \
                ptrdiff_t piece = *piece_at++;                                                     \
                FETCH(ahead)                                                                       \
                FETCH(ahead + AHEAD)                                                               \
                ahead += 2 * AHEAD;                                                                \
                if (few) {                                                                         \
                    FETCH(ahead)                                                                   \
                    ahead += AHEAD;                                                                \
                }                                                                                  \
                vec wl, wh;                                                                        \
                int left = length;                                                                 \
                _Pragma("GCC unroll 4") for (; left >= 4; left -= 4, piece += 4, w += 4 * BLOCK)   \
                {                                                                                  \
                    EACH_##N(LOAD_FOUR, piece);                                                    \
                    CHANNEL(N, 0)                                                                  \
                    CHANNEL(N, 1)                                                                  \
                    CHANNEL(N, 2)                                                                  \
                    CHANNEL(N, 3)                                                                  \
                }                                                                                  \
                for (; left; left--, piece++, w += BLOCK) {                                        \
                    EACH_##N(LOAD_ONE, piece);                                                     \
                    CHANNEL(N, 0)                                                                  \
                }                                                                                  \
            } while (piece_at != end);                                                             \
            ahead = ahead < a->prefetch_end ? ahead : a->weights;                                  \
            switch (epilogue) {                                                                    \
            case 0:                                                                                \
                EACH_##N(SUSPEND, a);                                                              \
                break;                                                                             \
                EPILOGUE(N, ACT)                                                                   \
                EPILOGUE(N, SUM)                                                                   \
                EPILOGUE(N, RESIDUAL | ACT | SCALE)                                                \
                EPILOGUE(N, RESIDUAL | SUM | ACT | SCALE)                                          \
            default: {                                                                             \
                EACH_##N(FINISH, epilogue);                                                        \
            }                                                                                      \
            }                                                                                      \
        }                                                                                          \
        return ahead;                                                                              \
    }

DEFINE_TILES(1)
DEFINE_TILES(2)
DEFINE_TILES(3)
DEFINE_TILES(4)
DEFINE_TILES(5)
DEFINE_TILES(6)

#define CASE_TILES(N)                                                                              \
    case N:                                                                                        \
        return tiles_##N(a, at, count, length, ahead);

static inline __attribute__((always_inline)) const float *tiles(const struct conv_args *a,
                                                                struct place at, int size,
                                                                int count, const int length,
                                                                const float *ahead)
{
    switch (size) {
        CASE_TILES(1)
        CASE_TILES(2)
        CASE_TILES(3)
        CASE_TILES(4)
        CASE_TILES(5)
        CASE_TILES(6)
    }
    return ahead;
}

static inline __attribute__((always_inline)) void strip(const struct conv_args *a, const int length)
{
    const struct tile_split split = tile_split(a->pixels, MOST_PIXELS);
    for (int block = 0; block < a->blocks; block++) {
        struct place at = {0, block};
        const float *ahead = a->prefetch;
        for (int small = 0; small < 2; small++) {
            int size = split.size - small, count = small ? split.small : split.large;
            ahead = tiles(a, at, size, count, length, ahead);
            at.pixel += size * count;
        }
    }
}

void conv_mk_6x16__neon(const struct conv_args *a)
{
    strip(a, BLOCK);
}

void stem_mk_6x16__neon(const struct conv_args *a)
{
    strip(a, a->piece);
}
