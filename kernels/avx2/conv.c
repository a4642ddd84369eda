/*
 * Convolution micro-kernel, AVX2: 3 pixels x 32 output channels.
 *
 * Registers: 12 accumulators (3 pixels x 4 vectors of 8 output channels, which are 2 blocks), 3
 * broadcast input values, 1 vector of weights: all 16. An input channel costs 3 broadcasts, 4 loads
 * and 12 FMAs; 6 pixels x 16 channels would cost 6, 2 and 12. The difference is small where a core
 * is alone, but where a neighbour shares its issue slots and load ports they bind, not the FMA
 * pipes, and there the fewest instructions win. (A load as part of an FMA saves its slot, but is
 * repeated for each pixel: the load ports do not have the time.) 12 independent chains cover the
 * FMA latency (4 cycles x 2 pipes = 8) with room to spare. A single block is 6 pixels x 16.
 *
 * A tile is called for one of three layouts of its input:
 *  - RUN: the pixels are one run of lines and the pieces a constant distance apart, as in every 1x1
 *    convolution of stride 1 and in the products of the bilinear algorithms: one address;
 *  - TABLE: the addresses come from the tables of pixels and pieces, so that strides, borders and
 *    row ends cost nothing inside; what lies under one piece is not under the others;
 *  - TAPS: the same for the taps of a filter, which share most of their input.
 * Accumulators are named variables: GCC 12 keeps an array of them on the stack.
 */
#include "kernels/epilogue.h"
#include "kernels/table.h"
#include "kernels/tile.h"
#include "kernels/unroll.h"

#include <immintrin.h>

#define MOST_PIXELS_1 6
#define MOST_PIXELS_2 3

/* A filter row of the 7x7 stem in floats. */
#define STEM_PIECE 21

/* Inputs of a product of the stem's polyphase form, and of one that has no odd rows or columns. */
#define PHASES_PIECE 12
#define HALF_PIECE 6

/* What is constant wherever tiles are called, but for the length of a rare stem. */
struct loop {
    enum { RUN, TABLE, TAPS } layout;
    int length; /* floats of a piece */
    int unroll; /* of them at a time; divides length */
    int fetch;  /* lines of each panel to come that are fetched with a piece, MOST_LINES at most */
    enum { EITHER, ZEROS, BEGIN, RESUME } start;
    int end;           /* the epilogue's parts, 0 to suspend, or AS_TOLD: the arguments say it */
    bool adjacent_out; /* as in the arguments */
};

#define AS_TOLD (-1)
#define MOST_LINES 6

/* The parts of the epilogue that a call ends with. */
static inline int end_of(const struct conv_args *a)
{
    return a->finish ? epilogue_of(a) : 0;
}

#define EACH_1(M) M(0)
#define EACH_2(M) EACH_1(M) M(1)
#define EACH_3(M) EACH_2(M) M(2)
#define EACH_4(M) EACH_3(M) M(3)
#define EACH_5(M) EACH_4(M) M(4)
#define EACH_6(M) EACH_5(M) M(5)

/*
 * Lines of each of the two panels to come, spread over the channels of a piece: many at once wait
 * for each other, and the FMAs for them.
 */
#define FETCH_LINE(line)                                                                           \
    if (line < lines && line * BLOCK / lines == channel)                                           \
        __builtin_prefetch(ahead + line * BLOCK);                                                  \
    if (line < lines && (2 * line + 1) * BLOCK / (2 * lines) == channel)                           \
        __builtin_prefetch(ahead + stride + line * BLOCK);
static inline __attribute__((always_inline)) void fetch_lines(const float *ahead, size_t stride,
                                                              const int lines, const int channel)
{
    EACH_6(FETCH_LINE)
}

/* Zero, made anew for each tile: GCC 12 would keep it in a register that the loop needs. */
static inline __m256 make_zero(void)
{
    int zero = 0;
    __asm__ volatile("" : "+r"(zero));
    return _mm256_castsi256_ps(_mm256_set1_epi32(zero));
}

/* maxps returns its second operand for NaN and for two zeros: x < 0 ? 0 : x, exactly. */
static inline __m256 relu(__m256 zero, __m256 v)
{
    return _mm256_max_ps(zero, v);
}

/*
 * What a tile reads and writes beside its input, of one block. Copies of the arguments, which the
 * compiler would read again after each store.
 */
struct panel {
    const float *bias, *residual, *scale, *shift;
    float *sum, *act, *partial;
    const int32_t *residual_at, *sum_at, *act_at;
};

/* An absent tensor stays absent. */
#define OFFSET(p, floats) ((p) ? (p) + (floats) : NULL)

/* A tensor's pointer in a block, where outputs are adjacent at a pixel. */
#define PLACE(t)                                                                                   \
    OFFSET(a->t.data, block *(ptrdiff_t)a->t.block_stride + (adjacent ? a->t.at[pixel] : 0))

static inline struct panel panel_of(const struct conv_args *a, int block, ptrdiff_t pixel,
                                    const bool adjacent)
{
    return (struct panel){.bias = bias_of(a, block),
                          .residual = PLACE(residual),
                          .scale = OFFSET(a->scale, block * BLOCK),
                          .shift = OFFSET(a->shift, block * BLOCK),
                          .sum = PLACE(sum),
                          .act = PLACE(act),
                          .partial = OFFSET(a->partial, (size_t)block * a->partial_stride),
                          .residual_at = a->residual.at,
                          .sum_at = a->sum.at,
                          .act_at = a->act.at};
}

/* Where pixel `pixel + i` is. Pointers to adjacent outputs are at `pixel`. */
static inline ptrdiff_t place_of(const int32_t *at, ptrdiff_t pixel, int i, const bool adjacent)
{
    return adjacent ? i * BLOCK : at[pixel + i];
}

/* Moves the pointers to adjacent outputs by so many pixels. */
static inline void move_panel(struct panel *p, ptrdiff_t pixels, const int parts)
{
    if (parts & RESIDUAL)
        p->residual += pixels * BLOCK;
    if (parts & SUM)
        p->sum += pixels * BLOCK;
    if (parts & ACT)
        p->act += pixels * BLOCK;
}

/* The channels from `half` on of a panel's pixel. */
static inline __attribute__((always_inline)) void
finish_vector(const struct panel *p, ptrdiff_t pixel, int i, int half, const int parts,
              const bool adjacent, __m256 zero, __m256 scale, __m256 shift, __m256 v)
{
    if (parts & RESIDUAL)
        v = _mm256_add_ps(
            v, _mm256_loadu_ps(p->residual + half + place_of(p->residual_at, pixel, i, adjacent)));
    if (parts & SUM)
        _mm256_storeu_ps(p->sum + half + place_of(p->sum_at, pixel, i, adjacent), v);
    if (parts & SCALE)
        v = _mm256_fmadd_ps(v, scale, shift);
    if (parts & ACT)
        _mm256_storeu_ps(p->act + half + place_of(p->act_at, pixel, i, adjacent), relu(zero, v));
}

/* Fetches what a pixel's epilogue will read or write; a residual is where the sum goes, too. */
static inline void fetch_outputs(const struct panel *p, ptrdiff_t pixel, int i, const int parts,
                                 const bool adjacent)
{
    if (parts & RESIDUAL)
        __builtin_prefetch(p->residual + place_of(p->residual_at, pixel, i, adjacent));
    if (parts & ACT)
        __builtin_prefetch(p->act + place_of(p->act_at, pixel, i, adjacent), 1);
}

/*
 * A use of an operand behind its last FMA: without it GCC 12 lets that FMA overwrite the operand,
 * and spills an accumulator to make room.
 */
#define KEEP(v) __asm__ volatile("" : : "x"(v));

/*
 * The FMA of an accumulator is above, and all loads of what comes next below: clang 14 would load
 * the next operand first, for which there is no register. GCC 12 does not, and would move
 * accumulators.
 */
#ifdef __clang__
#define SETTLE(acc) __asm__ volatile("" : "+x"(acc) : : "memory");
#else
#define SETTLE(acc)
#endif

/*
 * A pointer whose history the compiler is not to know: it would derive each from others anew, with
 * an instruction for each of a piece's channels.
 */
#define HIDE(p) __asm__("" : "+r"(p));

/* The steps of a tile for pixel i, with one block (vectors a and b) or two (c and d, too). */
#define INPUT(i) (loop.layout == RUN ? in0 + (i)*BLOCK : in##i)
#define POINT(i) const float *in##i = a->in + a->in_at[pixel + i] + *first;
#define DECLARE_1(i) POINT(i) __m256 acc##i##a, acc##i##b;
#define DECLARE_2(i) POINT(i) __m256 acc##i##a, acc##i##b, acc##i##c, acc##i##d;
/* Of a run, the next tile's line under this piece; else this tile's under the next piece. */
#define FETCH_INPUT(i)                                                                             \
    __builtin_prefetch(loop.layout == RUN ? in0 + (run + i) * BLOCK : in##i + step);
#define ADVANCE(i)                                                                                 \
    if (i == 0 || loop.layout != RUN) {                                                            \
        in##i += step;                                                                             \
        HIDE(in##i)                                                                                \
    }
#define LOAD(from, i, l, h)                                                                        \
    acc##i##l = _mm256_loadu_ps(from);                                                             \
    acc##i##h = _mm256_loadu_ps(from + 8);
#define ZERO_1(i) acc##i##a = acc##i##b = _mm256_setzero_ps();
#define ZERO_2(i) ZERO_1(i) acc##i##c = acc##i##d = _mm256_setzero_ps();
#define START_1(i) LOAD(first_panel.bias, i, a, b)
#define START_2(i) START_1(i) LOAD(second_panel.bias, i, c, d)
#define RESUME_1(i) LOAD(first_panel.partial + (pixel + (i)) * BLOCK, i, a, b)
#define RESUME_2(i) RESUME_1(i) LOAD(second_panel.partial + (pixel + (i)) * BLOCK, i, c, d)
#define MULTIPLY(i, v) acc##i##v = _mm256_fmadd_ps(x##i, w, acc##i##v);
#define SETTLE_a(i) SETTLE(acc##i##a)
#define SETTLE_b(i) SETTLE(acc##i##b)
#define SETTLE_c(i) SETTLE(acc##i##c)
#define SETTLE_d(i) SETTLE(acc##i##d)
#define MULTIPLY_a(i) MULTIPLY(i, a)
#define MULTIPLY_b(i) MULTIPLY(i, b)
#define MULTIPLY_c(i) MULTIPLY(i, c)
#define MULTIPLY_d(i) MULTIPLY(i, d)
#define BROADCAST(i) const __m256 x##i = _mm256_broadcast_ss(INPUT(i) + done + c);
#define MULTIPLY_1(i)                                                                              \
    {                                                                                              \
        BROADCAST(i)                                                                               \
        acc##i##a = _mm256_fmadd_ps(x##i, wl, acc##i##a);                                          \
        acc##i##b = _mm256_fmadd_ps(x##i, wh, acc##i##b);                                          \
        KEEP(x##i)                                                                                 \
        SETTLE(acc##i##a)                                                                          \
        SETTLE(acc##i##b)                                                                          \
    }
#define KEEP_INPUT(i) KEEP(x##i)
#define STORE(to, i, l, h)                                                                         \
    _mm256_storeu_ps(to, acc##i##l);                                                               \
    _mm256_storeu_ps(to + 8, acc##i##h);
#define SUSPEND_1(i) STORE(first_panel.partial + (pixel + (i)) * BLOCK, i, a, b)
#define SUSPEND_2(i) SUSPEND_1(i) STORE(second_panel.partial + (pixel + (i)) * BLOCK, i, c, d)
#define FINISH(i, panel, half, acc)                                                                \
    finish_vector(&panel, pixel, i, half, parts, loop.adjacent_out, zero, scale, shift, acc);
#define FINISH_a(i) FINISH(i, first_panel, 0, acc##i##a)
#define FINISH_b(i) FINISH(i, first_panel, 8, acc##i##b)
#define FINISH_c(i) FINISH(i, second_panel, 0, acc##i##c)
#define FINISH_d(i) FINISH(i, second_panel, 8, acc##i##d)
/* All pixels' vectors of the same channels: they share scale and shift. */
#define FINISH_VECTORS(N, panel, half, v)                                                          \
    {                                                                                              \
        const __m256 scale = parts & SCALE ? _mm256_loadu_ps(panel.scale + half) : zero;           \
        const __m256 shift = parts & SCALE ? _mm256_loadu_ps(panel.shift + half) : zero;           \
        EACH_##N(FINISH_##v);                                                                      \
    }
#define FINISH_1(N) FINISH_VECTORS(N, first_panel, 0, a) FINISH_VECTORS(N, first_panel, 8, b)
#define FINISH_2(N)                                                                                \
    FINISH_1(N) FINISH_VECTORS(N, second_panel, 0, c) FINISH_VECTORS(N, second_panel, 8, d)

#define FETCH_OUTPUTS(i, panel) fetch_outputs(&panel, pixel, run + i, epilogue, loop.adjacent_out);
#define FETCH_OUTPUTS_1(i) FETCH_OUTPUTS(i, first_panel)
#define FETCH_OUTPUTS_2(i) FETCH_OUTPUTS_1(i) FETCH_OUTPUTS(i, second_panel)

/* An input channel of a whole tile. */
#define CHANNEL_1(N)                                                                               \
    const __m256 wl = _mm256_loadu_ps(weights + c * BLOCK),                                        \
                 wh = _mm256_loadu_ps(weights + c * BLOCK + 8);                                    \
    EACH_##N(MULTIPLY_1);                                                                          \
    KEEP(wl)                                                                                       \
    KEEP(wh)
#define VECTOR(N, v, at)                                                                           \
    {                                                                                              \
        const __m256 w = _mm256_loadu_ps(at);                                                      \
        EACH_##N(MULTIPLY_##v);                                                                    \
        KEEP(w)                                                                                    \
        EACH_##N(SETTLE_##v);                                                                      \
    }
#define CHANNEL_2(N)                                                                               \
    EACH_##N(BROADCAST);                                                                           \
    VECTOR(N, a, weights + c * BLOCK)                                                              \
    VECTOR(N, b, weights + c * BLOCK + 8)                                                          \
    VECTOR(N, c, second + c * BLOCK)                                                               \
    VECTOR(N, d, second + c * BLOCK + 8)                                                           \
    EACH_##N(KEEP_INPUT);

#define EPILOGUE(N, B, constant)                                                                   \
    case constant: {                                                                               \
        const int parts = constant;                                                                \
        FINISH_##B(N) break;                                                                       \
    }

/*
 * `count` tiles of N pixels x B blocks in a row. A tile has one loop, over the pieces, whose end is
 * predicted better than that of a nest over channels, rows and taps. `ahead` walks over the memory
 * to be prefetched, and is passed on.
 */
#define DEFINE_TILES(N, B)                                                                         \
    static inline __attribute__((always_inline))                                                   \
    const float *tiles_##N##_##B(const struct conv_args *a, ptrdiff_t pixel, int count,            \
                                 const struct loop loop, const float *ahead)                       \
    {                                                                                              \
        const int32_t *const first = a->piece_at, *const end = first + a->pieces;                  \
        const ptrdiff_t run = N, even = a->pieces > 1 ? first[1] - first[0] : 0;                   \
        const int epilogue = loop.end == AS_TOLD ? end_of(a) : loop.end;                           \
        struct panel first_panel = panel_of(a, 0, pixel, loop.adjacent_out),                       \
                     second_panel = panel_of(a, B - 1, pixel, loop.adjacent_out);                  \
        const size_t stride = a->weights_stride;                                                   \
        (void)second_panel;                                                                        \
        for (; count; count--, pixel += N) {                                                       \
            const float *weights = a->weights, *second = weights + stride;                         \
            const int32_t *piece_at = first;                                                       \
            EACH_##N(DECLARE_##B);                                                                 \
            if (count > 1 && epilogue) { /* of the next tile */                                    \
                EACH_##N(FETCH_OUTPUTS_##B);                                                       \
            }                                                                                      \
            if (loop.start == RESUME || (loop.start == EITHER && a->resume)) {                     \
                EACH_##N(RESUME_##B);                                                              \
            } else if (loop.start == ZEROS) {                                                      \
                EACH_##N(ZERO_##B);                                                                \
            } else {                                                                               \
                EACH_##N(START_##B);                                                               \
            }                                                                                      \
            do {                                                                                   \
                const ptrdiff_t piece = loop.layout == RUN ? 0 : *piece_at;                        \
                piece_at++;                                                                        \
                const ptrdiff_t step = loop.layout == RUN ? even                                   \
                                       : piece_at == end  ? *first + N * BLOCK - piece             \
                                                          : *piece_at - piece;                      \
                if (loop.layout != TAPS) {                                                         \
                    EACH_##N(FETCH_INPUT);                                                         \
                }                                                                                  \
                for (int done = 0; done < loop.length; done += loop.unroll) {                      \
                    UNROLLED(24)                                                                   \
                    for (int c = 0; c < loop.unroll; c++) {                                        \
                        fetch_lines(ahead, stride, loop.fetch, c);                                 \
                        CHANNEL_##B(N)                                                             \
                    }                                                                              \
                    weights += loop.unroll * BLOCK;                                                \
                    HIDE(weights)                                                                  \
                    if (B == 2) {                                                                  \
                        second += loop.unroll * BLOCK;                                             \
                        HIDE(second)                                                               \
                    }                                                                              \
                }                                                                                  \
                ahead += loop.fetch * BLOCK;                                                       \
                EACH_##N(ADVANCE)                                                                  \
            } while (piece_at != end);                                                             \
            const __m256 zero = make_zero();                                                       \
            switch (epilogue) {                                                                    \
            case 0:                                                                                \
                EACH_##N(SUSPEND_##B);                                                             \
                break;                                                                             \
                EPILOGUE(N, B, ACT)                                                                \
                EPILOGUE(N, B, SUM)                                                                \
                EPILOGUE(N, B, RESIDUAL | ACT | SCALE)                                             \
                EPILOGUE(N, B, RESIDUAL | SUM | ACT | SCALE)                                       \
            default: {                                                                             \
                const int parts = epilogue;                                                        \
                FINISH_##B(N)                                                                      \
            }                                                                                      \
            }                                                                                      \
            if (loop.adjacent_out) {                                                               \
                move_panel(&first_panel, N, epilogue);                                             \
                move_panel(&second_panel, N, B == 2 ? epilogue : 0);                               \
            }                                                                                      \
        }                                                                                          \
        return ahead;                                                                              \
    }

DEFINE_TILES(1, 1)
DEFINE_TILES(2, 1)
DEFINE_TILES(3, 1)
DEFINE_TILES(4, 1)
DEFINE_TILES(5, 1)
DEFINE_TILES(6, 1)
DEFINE_TILES(1, 2)
DEFINE_TILES(2, 2)
DEFINE_TILES(3, 2)

/* Tiles of one size; returns `ahead`, moved on. */
typedef const float *tiles_fn(const struct conv_args *a, int pixel, int size, int count,
                              const float *ahead);

#define CASE_TILES(N, B)                                                                           \
    case N:                                                                                        \
        return tiles_##N##_##B(a, pixel, count, loop, ahead);
#define SIZES_1                                                                                    \
    CASE_TILES(1, 1)                                                                               \
    CASE_TILES(2, 1)                                                                               \
    CASE_TILES(3, 1)                                                                               \
    CASE_TILES(4, 1)                                                                               \
    CASE_TILES(5, 1)                                                                               \
    CASE_TILES(6, 1)
#define SIZES_2                                                                                    \
    CASE_TILES(1, 2)                                                                               \
    CASE_TILES(2, 2)                                                                               \
    CASE_TILES(3, 2)

/* Each is a function of its own: GCC takes much longer for all of them in one. */
#define DEFINE_LOOP(NAME, B, ...)                                                                  \
    static __attribute__((noinline)) const float *NAME(const struct conv_args *a, int pixel,       \
                                                       int size, int count, const float *ahead)    \
    {                                                                                              \
        const struct loop loop = {__VA_ARGS__};                                                    \
        switch (size) {                                                                            \
            SIZES_##B                                                                              \
        }                                                                                          \
        return ahead;                                                                              \
    }

/* One block, in any layout. */
DEFINE_LOOP(table_1, 1, TABLE, BLOCK, BLOCK, 0, EITHER, AS_TOLD, false)
DEFINE_LOOP(stem_1, 1, TAPS, a->piece, 3, 0, EITHER, AS_TOLD, false)

/* Runs that suspend, by the lines that they fetch with a piece. */
#define DEFINE_SUSPENDING(LINES)                                                                   \
    DEFINE_LOOP(zeros_##LINES, 2, RUN, BLOCK, BLOCK, LINES, ZEROS, 0, false)                       \
    DEFINE_LOOP(resume_##LINES, 2, RUN, BLOCK, BLOCK, LINES, RESUME, 0, false)
DEFINE_SUSPENDING(0)
DEFINE_SUSPENDING(1)
DEFINE_SUSPENDING(2)
DEFINE_SUSPENDING(3)
DEFINE_SUSPENDING(4)
DEFINE_SUSPENDING(6)
DEFINE_LOOP(begin_0, 2, RUN, BLOCK, BLOCK, 0, BEGIN, 0, false)
DEFINE_LOOP(begin_1, 2, RUN, BLOCK, BLOCK, 1, BEGIN, 0, false)

/* Runs that finish. */
#define DEFINE_FINISHING(LINES)                                                                    \
    DEFINE_LOOP(act_##LINES, 2, RUN, BLOCK, BLOCK, LINES, EITHER, ACT, true)                       \
    DEFINE_LOOP(sum_##LINES, 2, RUN, BLOCK, BLOCK, LINES, EITHER, SUM, true)                       \
    DEFINE_LOOP(residual_act_##LINES, 2, RUN, BLOCK, BLOCK, LINES, EITHER, RESIDUAL | ACT | SCALE, \
                true)                                                                              \
    DEFINE_LOOP(residual_both_##LINES, 2, RUN, BLOCK, BLOCK, LINES, EITHER,                        \
                RESIDUAL | SUM | ACT | SCALE, true)                                                \
    DEFINE_LOOP(act_apart_##LINES, 2, RUN, BLOCK, BLOCK, LINES, EITHER, ACT, false)                \
    DEFINE_LOOP(as_told_##LINES, 2, RUN, BLOCK, BLOCK, LINES, EITHER, AS_TOLD, false)
DEFINE_FINISHING(0)
DEFINE_FINISHING(1)

/* The other layouts. */
DEFINE_LOOP(table_fetching, 2, TABLE, BLOCK, BLOCK, 1, EITHER, AS_TOLD, false)
DEFINE_LOOP(table_alone, 2, TABLE, BLOCK, BLOCK, 0, EITHER, AS_TOLD, false)
DEFINE_LOOP(taps_fetching, 2, TAPS, BLOCK, BLOCK, 1, EITHER, AS_TOLD, false)
DEFINE_LOOP(taps_alone, 2, TAPS, BLOCK, BLOCK, 0, EITHER, AS_TOLD, false)
DEFINE_LOOP(stem_taps, 2, TAPS, STEM_PIECE, STEM_PIECE, 0, EITHER, AS_TOLD, false)
DEFINE_LOOP(stem_phases, 2, RUN, PHASES_PIECE, PHASES_PIECE, 0, ZEROS, 0, false)
DEFINE_LOOP(stem_half, 2, RUN, HALF_PIECE, HALF_PIECE, 0, ZEROS, 0, false)
DEFINE_LOOP(stem_any, 2, TAPS, a->piece, 3, 0, EITHER, AS_TOLD, false)

/* Lines of a panel to come. */
static inline long lines_to_come(const struct conv_args *a)
{
    return a->prefetch_end > a->prefetch ? (a->prefetch_end - a->prefetch) / BLOCK : 0;
}

/* Tiles until all of them are fetched. */
static inline int fetching_tiles(const struct conv_args *a, int lines)
{
    long tile = (long)a->pieces * lines;
    return lines ? (int)((lines_to_come(a) + tile - 1) / tile) : 0;
}

/*
 * A strip of one block or two: the first tiles fetch what comes next, some lines with each piece,
 * and the others compute alone.
 */
static void strip(const struct conv_args *a, tiles_fn *fetching, int lines, tiles_fn *alone)
{
    const struct tile_split split =
        tile_split(a->pixels, a->blocks == 2 ? MOST_PIXELS_2 : MOST_PIXELS_1);
    const float *ahead = a->prefetch;
    int pixel = 0, left = fetching_tiles(a, lines);
    for (int small = 0; small < 2; small++) {
        int size = split.size - small, count = small ? split.small : split.large;
        int now = left < count ? left : count;
        if (now)
            ahead = fetching(a, pixel, size, now, ahead);
        if (now < count)
            alone(a, pixel + size * now, size, count - now, ahead);
        pixel += size * count;
        left -= now;
    }
}

/* Are the pieces a constant distance apart? */
static bool evenly_spaced(const struct conv_args *a)
{
    for (int k = 2; k < a->pieces; k++) {
        if (a->piece_at[k] - a->piece_at[k - 1] != a->piece_at[1] - a->piece_at[0])
            return false;
    }
    return true;
}

/* A run that finishes rows which are apart, as a 3x3's input with a border has them. */
static tiles_fn *finishing_rows(const struct conv_args *a, int lines)
{
    if (epilogue_of(a) == ACT)
        return lines ? act_apart_1 : act_apart_0;
    return lines ? as_told_1 : as_told_0;
}

/* A run that finishes, and fetches so many lines of each panel with a piece, 0 or 1. */
static tiles_fn *finishing_run(const struct conv_args *a, int lines)
{
    if (!a->adjacent_out)
        return finishing_rows(a, lines);
    switch (epilogue_of(a)) {
    case ACT:
        return lines ? act_1 : act_0;
    case SUM:
        return lines ? sum_1 : sum_0;
    case RESIDUAL | ACT | SCALE:
        return lines ? residual_act_1 : residual_act_0;
    case RESIDUAL | SUM | ACT | SCALE:
        return lines ? residual_both_1 : residual_both_0;
    default:
        return lines ? as_told_1 : as_told_0;
    }
}

/* Sums of products begin at zero. */
static inline bool begins_at_bias(const struct conv_args *a)
{
    return !a->resume && a->bias;
}

/* A run that fetches so many lines of each panel with a piece. */
static tiles_fn *run_fetching(const struct conv_args *a, int lines)
{
    static tiles_fn *const zeros[] = {zeros_0, zeros_1, zeros_2,
                                      zeros_3, zeros_4, [MOST_LINES] = zeros_6};
    static tiles_fn *const resume[] = {resume_0, resume_1, resume_2,
                                       resume_3, resume_4, [MOST_LINES] = resume_6};
    if (a->finish)
        return finishing_run(a, lines);
    if (begins_at_bias(a))
        return lines ? begin_1 : begin_0;
    return (a->resume ? resume : zeros)[lines];
}

/*
 * The fewest lines with a piece that have the whole panels fetched by the strip's end; 5 are 6.
 * Runs that begin or end as a convolution's, of which few are short, have one alone.
 */
static int lines_a_piece(const struct conv_args *a)
{
    if (a->finish || begins_at_bias(a))
        return 1;
    long pieces = (long)a->pieces * ((a->pixels + MOST_PIXELS_2 - 1) / MOST_PIXELS_2);
    long lines = (lines_to_come(a) + pieces - 1) / pieces;
    return lines <= 1 ? 1 : lines <= 4 ? (int)lines : MOST_LINES;
}

static void run(const struct conv_args *a)
{
    const int lines = lines_a_piece(a);
    strip(a, run_fetching(a, lines), lines, run_fetching(a, 0));
}

void conv_mk_3x32__avx2(const struct conv_args *a)
{
    if (a->blocks == 1)
        strip(a, NULL, 0, table_1);
    else if (a->adjacent && evenly_spaced(a))
        run(a);
    else if (a->pieces > 1 && a->piece_at[1] - a->piece_at[0] == BLOCK)
        strip(a, taps_fetching, 1, taps_alone);
    else
        strip(a, table_fetching, 1, table_alone);
}

/* A product of the stem's polyphase form. */
static bool begins_run(const struct conv_args *a, int piece)
{
    return a->piece == piece && a->pieces == 1 && a->adjacent && !a->bias && !a->resume &&
           !a->finish;
}

/* The weights of the stem stay in the L1 cache. */
void stem_mk_3x32__avx2(const struct conv_args *a)
{
    tiles_fn *alone = a->blocks == 1                ? stem_1
                      : a->piece == STEM_PIECE      ? stem_taps
                      : begins_run(a, PHASES_PIECE) ? stem_phases
                      : begins_run(a, HALF_PIECE)   ? stem_half
                                                    : stem_any;
    strip(a, NULL, 0, alone);
}
