/*
 * Convolution micro-kernel, AVX-512: 14 pixels x 32 output channels.
 *
 * Registers: 28 accumulators (14 pixels x 2 blocks of 16 output channels), 2 vectors of weights
 * (one of each block's panel), 1 broadcast input value; 31 of 32. Of an input channel, even pixels
 * are broadcast once for two FMAs, and odd ones by each FMA itself: 2 + 7 + 14 loads and 28 FMAs,
 * so 2 loads a cycle keep both FMA pipes busy with room to spare, and a line of weights from the L2
 * cache has 14 cycles to arrive. All even would be 7 more instructions to issue, all odd more loads
 * than there is time for. Smaller tiles broadcast once for two FMAs: clang would spill some. With
 * one block, the broadcast is always part of the FMA.
 *
 * 14 addresses do not fit the general registers. So a tile is called for one of three layouts:
 *  - RUN: the pixels are one run at a constant distance, as in every 1x1 convolution of stride 1
 *    and in Winograd's products: one address with 14 constant offsets;
 *  - ROWS: they are two such runs of 7, as in the 3x3 over maps of 56, 28, 14 and 7 pixels with a
 *    border, and with another distance for stride 2 and for the stem: two addresses;
 *  - ANY: each has its own address, and a tile has at most 8, whose 16 chains still cover the FMA
 *    latency (4 cycles x 2 pipes = 8).
 * A tap is only another offset under all pixels, so 1x1 and 3x3 are one loop.
 * Accumulators are named variables: GCC 12 keeps an array of them on the stack.
 */
#include "kernels/avx512/vec.h"
#include "kernels/epilogue.h"
#include "kernels/table.h"
#include "kernels/tile.h"
#include "kernels/unroll.h"

#define MOST_PIXELS 14
#define MOST_ANY 8
#define ROW 7

/* A filter row of the 7x7 stem in floats, and its stride of 2 pixels. */
#define STEM_PIECE 21
#define STEM_STEP 6

/* How the input of a tile lies and is walked through: constants wherever a tile is made. */
struct shape {
    enum { ANY, RUN, ROWS } layout;
    int step;   /* floats from a pixel to the next, unless ANY */
    int length; /* of a piece */
    int unroll; /* divides the length */
};

/* No epilogue: the arguments say it. */
#define AS_TOLD (-1)

/* M(pixel, first pixel of its row). */
#define EACH_1(M) M(0, 0)
#define EACH_2(M) EACH_1(M) M(1, 0)
#define EACH_3(M) EACH_2(M) M(2, 0)
#define EACH_4(M) EACH_3(M) M(3, 0)
#define EACH_5(M) EACH_4(M) M(4, 0)
#define EACH_6(M) EACH_5(M) M(5, 0)
#define EACH_7(M) EACH_6(M) M(6, 0)
#define EACH_8(M) EACH_7(M) M(7, 7)
#define EACH_9(M) EACH_8(M) M(8, 7)
#define EACH_10(M) EACH_9(M) M(9, 7)
#define EACH_11(M) EACH_10(M) M(10, 7)
#define EACH_12(M) EACH_11(M) M(11, 7)
#define EACH_13(M) EACH_12(M) M(12, 7)
#define EACH_14(M) EACH_13(M) M(13, 7)

/*
 * Lines of each panel to come that are fetched with each piece: two tiles fetch panels as large as
 * their own. They come into the L2 cache, the L1 cache's own prefetcher does the rest; as two
 * streams side by side, since memory delivers lines of different pages faster than those of one.
 */
enum {
    LINES = 8,
    STREAMS = 2, /* of each panel */
};

/* Floats from one stream of the memory to be prefetched to the next: whole lines. */
static inline size_t stream_step(const struct conv_args *a)
{
    size_t lines = (size_t)(a->prefetch_end - a->prefetch) / BLOCK;
    return (lines / STREAMS + 1) * BLOCK;
}

static inline __attribute__((always_inline)) void fetch(const float *ahead, size_t step)
{
    UNROLLED(8)
    for (int line = 0; line < LINES; line++)
        __builtin_prefetch(ahead + line / STREAMS * BLOCK + (size_t)(line % STREAMS) * step, 0, 2);
}

static inline float *partial_at(const struct conv_args *a, int block, int pixel)
{
    return a->partial + (size_t)block * a->partial_stride + pixel * BLOCK;
}

/* Zero, made anew for each tile: GCC 12 would keep it in a register that the loop needs. */
static inline __m512 make_zero(void)
{
    int zero = 0;
    __asm__ volatile("" : "+r"(zero));
    return _mm512_castsi512_ps(_mm512_set1_epi32(zero));
}

/* maxps returns its second operand for NaN and for two zeros, as in vec_relu(). */
static inline __attribute__((always_inline)) void finish_pixel(const struct conv_args *a,
                                                               const int block, int pixel,
                                                               const int parts, __m512 zero,
                                                               __m512 v)
{
    if (parts & RESIDUAL) {
        const struct strip_in *r = &a->residual;
        v = vec_add(v, vec_load(r->data + r->at[pixel] + (size_t)block * r->block_stride));
    }
    if (parts & SUM)
        vec_store(a->sum.data + a->sum.at[pixel] + (size_t)block * a->sum.block_stride, v);
    if (parts & SCALE)
        v = vec_fma(v, vec_load(a->scale + block * BLOCK), vec_load(a->shift + block * BLOCK));
    if (parts & ACT)
        vec_store(a->act.data + a->act.at[pixel] + (size_t)block * a->act.block_stride,
                  _mm512_max_ps(zero, v));
}

/*
 * A use of an operand after its last FMA: without it GCC 12 lets that FMA overwrite the operand,
 * and spills an accumulator to make room.
 */
#define KEEP(v) __asm__ volatile("" : : "v"(v));

/*
 * Nothing that was loaded for one channel may serve another: the pixels of the stem overlap, and
 * GCC 12 would keep broadcast values in registers that it does not have.
 */
#define FORGET __asm__ volatile("" : : : "memory")

/* The steps of a tile for one pixel, with one block (accumulators a) or two (a and b). */
#define DECLARE_1(i, row)                                                                          \
    const float *in##i = a->in + a->in_at[pixel + i];                                              \
    __m512 acc##i##a;
#define DECLARE_2(i, row) DECLARE_1(i, row) __m512 acc##i##b;
#define POINT(i, row) const float *at##i = in##i + piece;
#define START_1(i, row) acc##i##a = bias_a;
#define START_2(i, row) START_1(i, row) acc##i##b = bias_b;
#define RESUME_1(i, row) acc##i##a = vec_load(partial_at(a, 0, pixel + i));
#define RESUME_2(i, row) RESUME_1(i, row) acc##i##b = vec_load(partial_at(a, 1, pixel + i));
#define INPUT(i, row)                                                                              \
    (s.layout == ANY   ? at##i + c                                                                 \
     : s.layout == RUN ? at0 + (i * s.step + c)                                                    \
                       : at##row + ((i - row) * s.step + c))
#define MULTIPLY_1(i, row) acc##i##a = vec_fma(vec_set1(*INPUT(i, row)), wa, acc##i##a);
#define MULTIPLY_2(i, row)                                                                         \
    if (full && i % 2) {                                                                           \
        MULTIPLY_1(i, row);                                                                        \
        FORGET;                                                                                    \
        acc##i##b = vec_fma(vec_set1(*INPUT(i, row)), wb, acc##i##b);                              \
    } else {                                                                                       \
        x = vec_set1(*INPUT(i, row));                                                              \
        acc##i##a = vec_fma(x, wa, acc##i##a);                                                     \
        acc##i##b = vec_fma(x, wb, acc##i##b);                                                     \
        KEEP(x)                                                                                    \
    }
#define SUSPEND_1(i, row) vec_store(partial_at(a, 0, pixel + i), acc##i##a);
#define SUSPEND_2(i, row) SUSPEND_1(i, row) vec_store(partial_at(a, 1, pixel + i), acc##i##b);
#define FINISH_1(i, row) finish_pixel(a, 0, pixel + i, parts, zero, acc##i##a);
#define FINISH_2(i, row) FINISH_1(i, row) finish_pixel(a, 1, pixel + i, parts, zero, acc##i##b);

/* The same for a whole tile: the start from the bias, and one input channel. */
#define STRIDE_1
#define STRIDE_2 const size_t stride = a->weights_stride
#define BIAS_1 const __m512 bias_a = vec_load(bias_of(a, 0));
#define BIAS_2 BIAS_1 const __m512 bias_b = vec_load(bias_of(a, 1));
#define CHANNEL_1(N)                                                                               \
    const __m512 wa = vec_load(w + c * BLOCK);                                                     \
    EACH_##N(MULTIPLY_1);
#define CHANNEL_2(N)                                                                               \
    const bool full = N == MOST_PIXELS;                                                            \
    __m512 x, wa = vec_load(w + c * BLOCK), wb = vec_load(w + stride + c * BLOCK);                 \
    EACH_##N(MULTIPLY_2);                                                                          \
    KEEP(wa)                                                                                       \
    KEEP(wb)
#define FETCH_1 fetch(ahead, stream);
#define FETCH_2 FETCH_1 fetch(ahead + stride, stream);

#define EPILOGUE(N, B, constant)                                                                   \
    case constant: {                                                                               \
        const int parts = constant;                                                                \
        EACH_##N(FINISH_##B);                                                                      \
        break;                                                                                     \
    }

/*
 * `count` tiles of N pixels x B blocks in a row. A tile has one loop, over the pieces, with one
 * branch: the end of a nest of loops over channels and taps would be mispredicted once a tile.
 * Where the shape's length and unroll are the same constant, nothing else is left. `ahead` walks
 * over the memory to be prefetched, and is passed on.
 */
#define DEFINE_TILES(N, B)                                                                         \
    static inline __attribute__((always_inline)) const float *tiles_##N##_##B(                     \
        const struct conv_args *a, int pixel, int count, const struct shape s, const float *ahead) \
    {                                                                                              \
        const int32_t *const end = a->piece_at + a->pieces;                                        \
        const int epilogue = a->finish ? epilogue_of(a) : 0;                                       \
        const bool rare = B == 1 || s.layout == ANY; /* not worth an end for each epilogue */      \
        const size_t stream = stream_step(a);                                                      \
        STRIDE_##B;                                                                                \
        for (; count; count--, pixel += N) {                                                       \
            const float *w = a->weights;                                                           \
            const int32_t *piece_at = a->piece_at;                                                 \
            EACH_##N(DECLARE_##B);                                                                 \
            if (a->resume) {                                                                       \
                EACH_##N(RESUME_##B);                                                              \
            } else {                                                                               \
                BIAS_##B;                                                                          \
                EACH_##N(START_##B);                                                               \
            }                                                                                      \
            do {                                                                                   \
                ptrdiff_t piece = *piece_at++;                                                     \
                FETCH_##B;                                                                         \
                ahead += LINES / STREAMS * BLOCK;                                                  \
                for (int left = s.length; left; left -= s.unroll) {                                \
                    EACH_##N(POINT);                                                               \
                    _Pragma("GCC unroll 24") for (int c = 0; c < s.unroll; c++)                    \
                    {                                                                              \
                        CHANNEL_##B(N);                                                            \
                        FORGET;                                                                    \
                    }                                                                              \
                    w += s.unroll * BLOCK;                                                         \
                    piece += s.unroll;                                                             \
                }                                                                                  \
            } while (piece_at != end);                                                             \
            ahead = ahead < a->prefetch + stream ? ahead : a->weights;                             \
            const __m512 zero = make_zero();                                                       \
            switch (rare && epilogue ? AS_TOLD : epilogue) {                                       \
            case 0:                                                                                \
                EACH_##N(SUSPEND_##B);                                                             \
                break;                                                                             \
                EPILOGUE(N, B, ACT)                                                                \
                EPILOGUE(N, B, SUM)                                                                \
                EPILOGUE(N, B, RESIDUAL | ACT | SCALE)                                             \
                EPILOGUE(N, B, RESIDUAL | SUM | ACT | SCALE)                                       \
            default: {                                                                             \
                const int parts = epilogue;                                                        \
                EACH_##N(FINISH_##B);                                                              \
            }                                                                                      \
            }                                                                                      \
        }                                                                                          \
        return ahead;                                                                              \
    }

#define DEFINE_BOTH(N) DEFINE_TILES(N, 1) DEFINE_TILES(N, 2)
DEFINE_BOTH(1)
DEFINE_BOTH(2)
DEFINE_BOTH(3)
DEFINE_BOTH(4)
DEFINE_BOTH(5)
DEFINE_BOTH(6)
DEFINE_BOTH(7)
DEFINE_BOTH(8)
DEFINE_BOTH(9)
DEFINE_BOTH(10)
DEFINE_BOTH(11)
DEFINE_BOTH(12)
DEFINE_BOTH(13)
DEFINE_BOTH(14)

/* The tiles of one size and layout; returns `ahead`, moved on. */
typedef const float *tiles_fn(const struct conv_args *a, int pixel, int count, const float *ahead);

/*
 * Each is a function of its own, since GCC takes minutes for all of them in one. Only what ResNet
 * spends its time in is unrolled over a whole piece.
 */
#define DEFINE_SHAPE(NAME, N, B, LAYOUT, STEP, LENGTH, UNROLL)                                     \
    static __attribute__((noinline)) const float *NAME##_##N##_##B(                                \
        const struct conv_args *a, int pixel, int count, const float *ahead)                       \
    {                                                                                              \
        const struct shape s = {LAYOUT, STEP, LENGTH, UNROLL};                                     \
        return tiles_##N##_##B(a, pixel, count, s, ahead);                                         \
    }
#define DEFINE_ANY(N)                                                                              \
    DEFINE_SHAPE(any, N, 1, ANY, 0, BLOCK, 4)                                                      \
    DEFINE_SHAPE(any, N, 2, ANY, 0, BLOCK, 4)                                                      \
    DEFINE_SHAPE(stem, N, 1, ANY, 0, a->piece, 3)                                                  \
    DEFINE_SHAPE(stem, N, 2, ANY, 0, a->piece, 3)
#define DEFINE_RUN(N)                                                                              \
    DEFINE_SHAPE(run, N, 1, RUN, BLOCK, BLOCK, 4)                                                  \
    DEFINE_SHAPE(run, N, 2, RUN, BLOCK, BLOCK, BLOCK)

DEFINE_ANY(1)
DEFINE_ANY(2)
DEFINE_ANY(3)
DEFINE_ANY(4)
DEFINE_ANY(5)
DEFINE_ANY(6)
DEFINE_ANY(7)
DEFINE_ANY(8)
DEFINE_RUN(7)
DEFINE_RUN(8)
DEFINE_RUN(9)
DEFINE_RUN(10)
DEFINE_RUN(11)
DEFINE_RUN(12)
DEFINE_RUN(13)
DEFINE_RUN(14)
DEFINE_SHAPE(rows, 14, 1, ROWS, BLOCK, BLOCK, 4)
DEFINE_SHAPE(rows, 14, 2, ROWS, BLOCK, BLOCK, BLOCK)
DEFINE_SHAPE(stride2, 14, 1, ROWS, 2 * BLOCK, BLOCK, 4)
DEFINE_SHAPE(stride2, 14, 2, ROWS, 2 * BLOCK, BLOCK, BLOCK)
DEFINE_SHAPE(stem_rows, 14, 1, ROWS, STEM_STEP, STEM_PIECE, 3)
DEFINE_SHAPE(stem_rows, 14, 2, ROWS, STEM_STEP, STEM_PIECE, STEM_PIECE)

/* By blocks - 1 and pixels; a run of fewer than 9 pixels is a tile of any layout. */
#define ANY_SIZES(NAME, B)                                                                         \
    {                                                                                              \
        NULL, NAME##_1_##B, NAME##_2_##B, NAME##_3_##B, NAME##_4_##B, NAME##_5_##B, NAME##_6_##B,  \
            NAME##_7_##B, NAME##_8_##B                                                             \
    }
#define RUN_SIZES(B)                                                                               \
    {                                                                                              \
        [7] = run_7_##B, [8] = run_8_##B, [9] = run_9_##B, [10] = run_10_##B, [11] = run_11_##B,   \
        [12] = run_12_##B, [13] = run_13_##B, [14] = run_14_##B                                    \
    }
static tiles_fn *const any_tiles[2][MOST_ANY + 1] = {ANY_SIZES(any, 1), ANY_SIZES(any, 2)};
static tiles_fn *const stem_tiles[2][MOST_ANY + 1] = {ANY_SIZES(stem, 1), ANY_SIZES(stem, 2)};
static tiles_fn *const run_tiles[2][MOST_PIXELS + 1] = {RUN_SIZES(1), RUN_SIZES(2)};
static tiles_fn *const row_tiles[2] = {rows_14_1, rows_14_2};
static tiles_fn *const stride2_tiles[2] = {stride2_14_1, stride2_14_2};
static tiles_fn *const stem_row_tiles[2] = {stem_rows_14_1, stem_rows_14_2};

/* All pixels of a strip from `pixel` on, in tiles of at most `most`, whose functions are `sizes`.
 */
static void split_tiles(const struct conv_args *a, int pixel, int most, tiles_fn *const *sizes,
                        const float *ahead)
{
    if (pixel == a->pixels)
        return;
    const struct tile_split split = tile_split(a->pixels - pixel, most);
    ahead = sizes[split.size](a, pixel, split.large, ahead);
    if (split.small)
        sizes[split.size - 1](a, pixel + split.large * split.size, split.small, ahead);
}

/* Whether up to 16 pixels at `at` are at first, first + step, and so on. */
static inline bool is_run(const int32_t *at, int pixels, int32_t first, int step)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __mmask16 lanes = vec_first((size_t)pixels);
    __m512i run = _mm512_add_epi32(_mm512_set1_epi32(first),
                                   _mm512_mullo_epi32(lane, _mm512_set1_epi32(step)));
    return _mm512_mask_cmpneq_epi32_mask(lanes, _mm512_maskz_loadu_epi32(lanes, at), run) == 0;
}

/* Whether a whole strip is one run. */
static inline bool all_run(const struct conv_args *a, int step)
{
    for (int p = 0; p < a->pixels; p += 16) {
        if (!is_run(a->in_at + p, a->pixels - p, a->in_at[0] + p * step, step))
            return false;
    }
    return true;
}

/* How many pixels from the start of a strip are tiles of two rows. */
static inline int in_rows(const struct conv_args *a, int step)
{
    const int32_t *at = a->in_at;
    int p = 0;
    while (p + MOST_PIXELS <= a->pixels && is_run(at + p, ROW, at[p], step) &&
           is_run(at + p + ROW, ROW, at[p + ROW], step))
        p += MOST_PIXELS;
    return p;
}

/* The pixels of a strip that are tiles of two rows by them, and the rest in any layout. */
static void rows_and_rest(const struct conv_args *a, int pixels, tiles_fn *rows,
                          tiles_fn *const *rest)
{
    const float *ahead = a->prefetch;
    if (pixels)
        ahead = rows(a, 0, pixels / MOST_PIXELS, ahead);
    split_tiles(a, pixels, MOST_ANY, rest, ahead);
}

void conv_mk_14x32__avx512(const struct conv_args *a)
{
    const int set = a->blocks - 1;
    if (a->pixels > MOST_ANY && (a->adjacent || all_run(a, BLOCK))) {
        split_tiles(a, 0, MOST_PIXELS, run_tiles[set], a->prefetch);
        return;
    }
    int pixels = in_rows(a, BLOCK);
    if (pixels)
        rows_and_rest(a, pixels, row_tiles[set], any_tiles[set]);
    else
        rows_and_rest(a, in_rows(a, 2 * BLOCK), stride2_tiles[set], any_tiles[set]);
}

void stem_mk_14x32__avx512(const struct conv_args *a)
{
    const int set = a->blocks - 1;
    int pixels = a->piece == STEM_PIECE ? in_rows(a, STEM_STEP) : 0;
    rows_and_rest(a, pixels, stem_row_tiles[set], stem_tiles[set]);
}
