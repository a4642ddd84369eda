/*
 * Convolution micro-kernel, AVX2: 6 pixels x 16 output channels.
 *
 * Registers: 12 accumulators (6 pixels x 2 vectors of 8 output channels), 2 vectors of weights,
 * 1 broadcast input value; 15 of 16. An input channel costs 2 loads, 6 broadcasts and 12 FMAs:
 * 12 independent chains cover the FMA latency (4 cycles x 2 pipes = 8) with room to spare.
 * The pixels' addresses come from a table, so that strides, borders and row ends cost nothing
 * inside, and so do the places of the taps, so that 1x1 and 3x3 are one loop.
 * Accumulators are named variables: GCC 12 keeps an array of them on the stack.
 */
#include "kernels/table.h"
#include "kernels/tile.h"

#include <immintrin.h>

#define MOST_PIXELS 6

/*
 * Lines of the weights to come that are fetched with each piece: so many that three tiles, as a
 * Winograd chunk of 16 has, fetch a panel as large as their own. AHEAD is that in floats.
 */
#define FETCH(ahead)                                                                               \
    __builtin_prefetch(ahead);                                                                     \
    __builtin_prefetch(ahead + 1 * BLOCK);                                                         \
    __builtin_prefetch(ahead + 2 * BLOCK);                                                         \
    __builtin_prefetch(ahead + 3 * BLOCK);                                                         \
    __builtin_prefetch(ahead + 4 * BLOCK);                                                         \
    __builtin_prefetch(ahead + 5 * BLOCK);
#define AHEAD (6 * BLOCK)

#define EACH_1(M) M(0)
#define EACH_2(M) EACH_1(M) M(1)
#define EACH_3(M) EACH_2(M) M(2)
#define EACH_4(M) EACH_3(M) M(3)
#define EACH_5(M) EACH_4(M) M(4)
#define EACH_6(M) EACH_5(M) M(5)

/* One tile of a strip: its first pixel, and its output block. */
struct place {
    int pixel;
    int block;
};

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
    return a->partial + ((size_t)at.block * (size_t)a->pixels + (size_t)(at.pixel + i)) * BLOCK;
}

static inline __m256 relu(__m256 v)
{
    /* maxps returns its second operand for NaN and for two zeros: x < 0 ? 0 : x, exactly. */
    return _mm256_max_ps(_mm256_setzero_ps(), v);
}

/* Which parts an epilogue has: constants wherever it is called, so that it has no branch. */
enum {
    RESIDUAL = 1,
    SUM = 2,
    ACT = 4,
    SCALE = 8,
};

static inline int epilogue_of(const struct conv_args *a)
{
    return (a->residual.data ? RESIDUAL : 0) | (a->sum.data ? SUM : 0) | (a->act.data ? ACT : 0) |
           (a->scale ? SCALE : 0);
}

static inline __attribute__((always_inline)) void finish_pixel(const struct conv_args *a,
                                                               struct place at, int i,
                                                               const int parts, __m256 v0,
                                                               __m256 v1)
{
    if (parts & RESIDUAL) {
        const float *r = residual_at(a, at, i);
        v0 = _mm256_add_ps(v0, _mm256_loadu_ps(r));
        v1 = _mm256_add_ps(v1, _mm256_loadu_ps(r + 8));
    }
    if (parts & SUM) {
        float *sum = store_at(&a->sum, at, i);
        _mm256_storeu_ps(sum, v0);
        _mm256_storeu_ps(sum + 8, v1);
    }
    if (parts & SCALE) {
        const float *scale = a->scale + at.block * BLOCK, *shift = a->shift + at.block * BLOCK;
        v0 = _mm256_fmadd_ps(v0, _mm256_loadu_ps(scale), _mm256_loadu_ps(shift));
        v1 = _mm256_fmadd_ps(v1, _mm256_loadu_ps(scale + 8), _mm256_loadu_ps(shift + 8));
    }
    if (parts & ACT) {
        float *act = store_at(&a->act, at, i);
        _mm256_storeu_ps(act, relu(v0));
        _mm256_storeu_ps(act + 8, relu(v1));
    }
}

/*
 * A use of an operand after its last FMA: without it GCC 12 lets that FMA overwrite the operand,
 * and spills an accumulator to make room.
 */
#define KEEP(v) __asm__ volatile("" : : "x"(v));

/* What is constant wherever tiles are called. */
struct loop {
    int length;    /* floats of a piece */
    int unroll;    /* of them at a time; divides length */
    bool adjacent; /* as in conv_args */
};

/* Where pixel i's piece is: for adjacent pixels a constant distance from the first one's. */
#define INPUT(i) (loop.adjacent ? in0 + (i)*BLOCK : in##i)
#define DECLARE(i)                                                                                 \
    const float *in##i = a->in + a->in_at[at.pixel + i];                                           \
    __m256 acc##i##l, acc##i##h;
#define START(i)                                                                                   \
    acc##i##l = _mm256_loadu_ps(bias);                                                             \
    acc##i##h = _mm256_loadu_ps(bias + 8);
#define RESUME(i)                                                                                  \
    acc##i##l = _mm256_loadu_ps(partial_at(a, at, i));                                             \
    acc##i##h = _mm256_loadu_ps(partial_at(a, at, i) + 8);
#define MULTIPLY(i)                                                                                \
    x = _mm256_broadcast_ss(INPUT(i) + piece + c);                                                 \
    acc##i##l = _mm256_fmadd_ps(x, wl, acc##i##l);                                                 \
    acc##i##h = _mm256_fmadd_ps(x, wh, acc##i##h);                                                 \
    KEEP(x)
#define SUSPEND(i)                                                                                 \
    _mm256_storeu_ps(partial_at(a, at, i), acc##i##l);                                             \
    _mm256_storeu_ps(partial_at(a, at, i) + 8, acc##i##h);
#define FINISH(i) finish_pixel(a, at, i, parts, acc##i##l, acc##i##h);

#define EPILOGUE(N, constant)                                                                      \
    case constant: {                                                                               \
        const int parts = constant;                                                                \
        EACH_##N(FINISH);                                                                          \
        break;                                                                                     \
    }

/*
 * `count` tiles of N pixels in a row. A tile has one loop, over the pieces, whose end is predicted
 * better than that of a nest over channels, rows and taps. `ahead` walks over the memory to be
 * prefetched, and is passed on.
 */
#define DEFINE_TILES(N)                                                                            \
    static inline __attribute__((always_inline))                                                   \
    const float *tiles_##N(const struct conv_args *a, struct place at, int count,                  \
                           const struct loop loop, const float *ahead)                             \
    {                                                                                              \
        const int32_t *const end = a->piece_at + a->pieces;                                        \
        const int epilogue = a->finish ? epilogue_of(a) : 0;                                       \
        for (; count; count--, at.pixel += N) {                                                    \
            const float *w = a->weights + (size_t)at.block * a->weights_stride;                    \
            const int32_t *piece_at = a->piece_at;                                                 \
            EACH_##N(DECLARE);                                                                     \
            if (a->resume) {                                                                       \
                EACH_##N(RESUME);                                                                  \
            } else {                                                                               \
                const float *bias = a->bias + at.block * BLOCK;                                    \
                EACH_##N(START);                                                                   \
            }                                                                                      \
            do {                                                                                   \
                ptrdiff_t piece = *piece_at++;                                                     \
                FETCH(ahead)                                                                       \
                ahead += AHEAD;                                                                    \
                for (int left = loop.length; left; left -= loop.unroll) {                          \
                    _Pragma("GCC unroll 24") for (int c = 0; c < loop.unroll; c++)                 \
                    {                                                                              \
                        __m256 x, wl = _mm256_loadu_ps(w + c * BLOCK),                             \
                                  wh = _mm256_loadu_ps(w + c * BLOCK + 8);                         \
                        EACH_##N(MULTIPLY);                                                        \
                        KEEP(wl)                                                                   \
                        KEEP(wh)                                                                   \
                    }                                                                              \
                    w += loop.unroll * BLOCK;                                                      \
                    piece += loop.unroll;                                                          \
                }                                                                                  \
            } while (piece_at != end);                                                             \
            ahead = ahead < a->prefetch_end ? ahead : a->weights;                                  \
            switch (epilogue) {                                                                    \
            case 0:                                                                                \
                EACH_##N(SUSPEND);                                                                 \
                break;                                                                             \
                EPILOGUE(N, ACT)                                                                   \
                EPILOGUE(N, SUM)                                                                   \
                EPILOGUE(N, RESIDUAL | ACT | SCALE)                                                \
                EPILOGUE(N, RESIDUAL | SUM | ACT | SCALE)                                          \
            default: {                                                                             \
                const int parts = epilogue;                                                        \
                EACH_##N(FINISH);                                                                  \
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
        return tiles_##N(a, at, count, loop, ahead);

static inline __attribute__((always_inline)) const float *tiles(const struct conv_args *a,
                                                                struct place at, int size,
                                                                int count, const struct loop loop,
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

static inline __attribute__((always_inline)) void strip(const struct conv_args *a,
                                                        const struct loop loop)
{
    const struct tile_split split = tile_split(a->pixels, MOST_PIXELS);
    for (int block = 0; block < a->blocks; block++) {
        struct place at = {0, block};
        const float *ahead = a->prefetch;
        for (int small = 0; small < 2; small++) {
            int size = split.size - small, count = small ? split.small : split.large;
            ahead = tiles(a, at, size, count, loop, ahead);
            at.pixel += size * count;
        }
    }
}

void conv_mk_6x16__avx2(const struct conv_args *a)
{
    if (a->adjacent)
        strip(a, (struct loop){BLOCK, BLOCK / 2, true});
    else
        strip(a, (struct loop){BLOCK, BLOCK / 2, false});
}

void stem_mk_6x16__avx2(const struct conv_args *a)
{
    if (a->piece == 21)
        strip(a, (struct loop){21, 7, false});
    else
        strip(a, (struct loop){a->piece, 3, false});
}
