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
#include "kernels/epilogue.h"
#include "kernels/fetch.h"
#include "kernels/table.h"
#include "kernels/tile.h"
#include "kernels/unroll.h"

#include <immintrin.h>

#define MOST_PIXELS 6

/*
 * Lines of the weights to come that are fetched with each piece. FEW serve a strip of 8 tiles or
 * more; a Winograd chunk of 3 tiles needs MANY to fetch a panel as large as its own, one of 2 MOST.
 */
enum {
    NONE = 0,
    FEW = 3,
    MANY = 6,
    MOST = 9,
    STREAMS = 3,
};

#define EACH_1(M) M(0)
#define EACH_2(M) EACH_1(M) M(1)
#define EACH_3(M) EACH_2(M) M(2)
#define EACH_4(M) EACH_3(M) M(3)
#define EACH_5(M) EACH_4(M) M(4)
#define EACH_6(M) EACH_5(M) M(5)

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
 * What a tile reads and writes beside its input. Copies of the arguments, which the compiler would
 * read again after each store.
 */
struct panel {
    const float *residual, *scale, *shift;
    float *sum, *act, *partial;
    const int32_t *residual_at, *sum_at, *act_at;
};

static inline struct panel panel_of(const struct conv_args *a)
{
    return (struct panel){.residual = a->residual.data,
                          .scale = a->scale,
                          .shift = a->shift,
                          .sum = a->sum.data,
                          .act = a->act.data,
                          .partial = a->partial,
                          .residual_at = a->residual.at,
                          .sum_at = a->sum.at,
                          .act_at = a->act.at};
}

static inline __attribute__((always_inline)) void finish_pixel(const struct panel *p,
                                                               ptrdiff_t pixel, const int parts,
                                                               __m256 zero, __m256 v0, __m256 v1)
{
    if (parts & RESIDUAL) {
        const float *r = p->residual + p->residual_at[pixel];
        v0 = _mm256_add_ps(v0, _mm256_loadu_ps(r));
        v1 = _mm256_add_ps(v1, _mm256_loadu_ps(r + 8));
    }
    if (parts & SUM) {
        float *sum = p->sum + p->sum_at[pixel];
        _mm256_storeu_ps(sum, v0);
        _mm256_storeu_ps(sum + 8, v1);
    }
    if (parts & SCALE) {
        v0 = _mm256_fmadd_ps(v0, _mm256_loadu_ps(p->scale), _mm256_loadu_ps(p->shift));
        v1 = _mm256_fmadd_ps(v1, _mm256_loadu_ps(p->scale + 8), _mm256_loadu_ps(p->shift + 8));
    }
    if (parts & ACT) {
        float *act = p->act + p->act_at[pixel];
        _mm256_storeu_ps(act, relu(zero, v0));
        _mm256_storeu_ps(act + 8, relu(zero, v1));
    }
}

/*
 * A use of an operand after its last FMA: without it GCC 12 lets that FMA overwrite the operand,
 * and spills an accumulator to make room.
 */
#define KEEP(v) __asm__ volatile("" : : "x"(v));

/*
 * A pointer whose history the compiler is not to know: it would derive each from others anew, with
 * an instruction for each of a piece's channels. Instructions count where a neighbour shares the
 * core: the 20 of an input channel then take as long as its 12 FMAs, or longer.
 */
#define HIDE(p) __asm__("" : "+r"(p));

/* What is constant wherever tiles are called, but for the length of a rare stem. */
struct loop {
    int length;       /* floats of a piece */
    int unroll;       /* of them at a time; divides length */
    bool adjacent;    /* as in conv_args */
    int fetch;        /* lines of weights that are fetched with a piece */
    bool fetch_input; /* fetch the next piece of the input, too */
};

/* Where pixel i's piece is: for adjacent pixels a constant distance from the first one's. */
#define INPUT(i) (loop.adjacent ? in0 + (i)*BLOCK : in##i)
#define DECLARE(i)                                                                                 \
    const float *in##i = a->in + a->in_at[pixel + i] + *first;                                     \
    __m256 acc##i##l, acc##i##h;
#define FETCH_INPUT(i) __builtin_prefetch(INPUT(i) + step);
#define ADVANCE(i)                                                                                 \
    if (i == 0 || !loop.adjacent) {                                                                \
        in##i += step;                                                                             \
        HIDE(in##i)                                                                                \
    }
#define START(i)                                                                                   \
    acc##i##l = _mm256_loadu_ps(a->bias);                                                          \
    acc##i##h = _mm256_loadu_ps(a->bias + 8);
#define RESUME(i)                                                                                  \
    acc##i##l = _mm256_loadu_ps(partial + (i)*BLOCK);                                              \
    acc##i##h = _mm256_loadu_ps(partial + (i)*BLOCK + 8);
#define MULTIPLY(i)                                                                                \
    x = _mm256_broadcast_ss(INPUT(i) + done + c);                                                  \
    acc##i##l = _mm256_fmadd_ps(x, wl, acc##i##l);                                                 \
    acc##i##h = _mm256_fmadd_ps(x, wh, acc##i##h);                                                 \
    KEEP(x)
#define SUSPEND(i)                                                                                 \
    _mm256_storeu_ps(partial + (i)*BLOCK, acc##i##l);                                              \
    _mm256_storeu_ps(partial + (i)*BLOCK + 8, acc##i##h);
#define FINISH(i) finish_pixel(&panel, pixel + i, parts, zero, acc##i##l, acc##i##h);

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
    const float *tiles_##N(const struct conv_args *a, ptrdiff_t pixel, int count,                  \
                           const struct loop loop, const float *ahead)                             \
    {                                                                                              \
        const int32_t *const first = a->piece_at, *const end = first + a->pieces;                  \
        const int epilogue = a->finish ? epilogue_of(a) : 0;                                       \
        const struct panel panel = panel_of(a);                                                    \
        const size_t stream = stream_step(a, STREAMS);                                             \
        for (; count; count--, pixel += N) {                                                       \
            float *const partial = panel.partial + pixel * BLOCK;                                  \
            const float *w = a->weights;                                                           \
            const int32_t *piece_at = first;                                                       \
            EACH_##N(DECLARE);                                                                     \
            if (a->resume) {                                                                       \
                EACH_##N(RESUME);                                                                  \
            } else {                                                                               \
                EACH_##N(START);                                                                   \
            }                                                                                      \
            do {                                                                                   \
                const ptrdiff_t piece = *piece_at++;                                               \
                const ptrdiff_t step = (piece_at == end ? *first + N * BLOCK : *piece_at) - piece; \
                fetch(ahead, stream, loop.fetch, STREAMS);                                         \
                ahead += loop.fetch / STREAMS * BLOCK;                                             \
                if (loop.fetch_input) {                                                            \
                    EACH_##N(FETCH_INPUT);                                                         \
                }                                                                                  \
                for (int done = 0; done < loop.length; done += loop.unroll) {                      \
                    UNROLLED(24) for (int c = 0; c < loop.unroll; c++)                             \
                    {                                                                              \
                        __m256 x, wl = _mm256_loadu_ps(w + c * BLOCK),                             \
                                  wh = _mm256_loadu_ps(w + c * BLOCK + 8);                         \
                        EACH_##N(MULTIPLY);                                                        \
                        KEEP(wl)                                                                   \
                        KEEP(wh)                                                                   \
                    }                                                                              \
                    w += loop.unroll * BLOCK;                                                      \
                    HIDE(w)                                                                        \
                }                                                                                  \
                EACH_##N(ADVANCE)                                                                  \
            } while (piece_at != end);                                                             \
            ahead = ahead < a->prefetch + stream ? ahead : a->weights;                             \
            const __m256 zero = make_zero();                                                       \
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
        return tiles_##N(a, pixel, count, loop, ahead);

static inline __attribute__((always_inline)) const float *tiles(const struct conv_args *a,
                                                                int pixel, int size, int count,
                                                                const struct loop loop,
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
    const float *ahead = a->prefetch;
    int pixel = 0;
    for (int small = 0; small < 2; small++) {
        int size = split.size - small, count = small ? split.small : split.large;
        ahead = tiles(a, pixel, size, count, loop, ahead);
        pixel += size * count;
    }
}

/*
 * The taps of a 3x3 share most of their input, which then needs no fetching. Pieces that are blocks
 * of a 1x1 share nothing.
 */
void conv_mk_6x16__avx2(const struct conv_args *a)
{
    bool taps = a->pieces > 1 && a->piece_at[1] - a->piece_at[0] == BLOCK;
    if (a->adjacent && a->pixels <= MOST_PIXELS * 2)
        strip(a, (struct loop){BLOCK, BLOCK, true, MOST, true});
    else if (a->adjacent && a->pixels <= MOST_PIXELS * 7)
        strip(a, (struct loop){BLOCK, BLOCK, true, MANY, true});
    else if (a->adjacent)
        strip(a, (struct loop){BLOCK, BLOCK, true, FEW, true});
    else if (taps)
        strip(a, (struct loop){BLOCK, BLOCK, false, FEW, false});
    else
        strip(a, (struct loop){BLOCK, BLOCK, false, FEW, true});
}

/* The weights of the stem stay in the L1 cache. */
void stem_mk_6x16__avx2(const struct conv_args *a)
{
    if (a->piece == 21)
        strip(a, (struct loop){21, 21, false, NONE, false});
    else
        strip(a, (struct loop){a->piece, 3, false, NONE, false});
}
