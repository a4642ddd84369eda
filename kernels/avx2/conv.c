/*
 * Convolution micro-kernel, AVX2: 6 pixels x 16 output channels.
 *
 * Registers: 12 accumulators (6 pixels x 2 vectors of 8 output channels), 2 vectors of weights,
 * 1 broadcast input value; 15 of 16. An input channel costs 2 loads, 6 broadcasts and 12 FMAs:
 * 12 independent chains cover the FMA latency (4 cycles x 2 pipes = 8) with room to spare.
 * The pixels' addresses come from a table, so that strides, borders and row ends cost nothing
 * inside; a filter row is one contiguous run of floats, so 1x1 and 3x3 are one loop.
 * Accumulators are named variables: GCC 12 keeps an array of them on the stack.
 */
#include "kernels/table.h"
#include "kernels/tile.h"

#include <immintrin.h>

#define MOST_PIXELS 6

#define EACH_1(M) M(0)
#define EACH_2(M) EACH_1(M) M(1)
#define EACH_3(M) EACH_2(M) M(2)
#define EACH_4(M) EACH_3(M) M(3)
#define EACH_5(M) EACH_4(M) M(4)
#define EACH_6(M) EACH_5(M) M(5)

/* Where one tile of a strip starts: its first pixel, and the output block. */
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
    return a->partial + ((size_t)at.block * a->pixels + at.pixel + i) * BLOCK;
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
    x = _mm256_broadcast_ss(in##i + c);                                                            \
    acc##i##l = _mm256_fmadd_ps(x, wl, acc##i##l);                                                 \
    acc##i##h = _mm256_fmadd_ps(x, wh, acc##i##h);                                                 \
    KEEP(x)
#define ADVANCE(i) in##i += step;
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
 * One tile of N pixels. The run is walked in pieces of `unroll` input floats; a piece also
 * prefetches one line of the weights that come next. `unroll` is a constant at each call.
 */
#define DEFINE_TILE(N)                                                                             \
    static inline __attribute__((always_inline)) void tile_##N(                                    \
        const struct conv_args *a, struct place at, const int unroll, const float *ahead)          \
    {                                                                                              \
        const float *w = a->weights + (size_t)at.block * a->weights_stride;                        \
        EACH_##N(DECLARE);                                                                         \
        if (a->resume) {                                                                           \
            EACH_##N(RESUME);                                                                      \
        } else {                                                                                   \
            const float *bias = a->bias + at.block * BLOCK;                                        \
            EACH_##N(START);                                                                       \
        }                                                                                          \
        const ptrdiff_t next_row = (ptrdiff_t)a->row_stride - a->run;                              \
        const ptrdiff_t next_block =                                                               \
            (ptrdiff_t)a->cin_stride - (ptrdiff_t)a->row_stride * a->kernel_h;                     \
        int cin_block = a->cin_blocks;                                                             \
        ptrdiff_t step;                                                                            \
        do {                                                                                       \
            int ky = a->kernel_h;                                                                  \
            do {                                                                                   \
                int left = a->run;                                                                 \
                do {                                                                               \
                    _mm_prefetch((const char *)ahead, _MM_HINT_T0);                                \
                    ahead += BLOCK;                                                                \
                    _Pragma("GCC unroll 16") for (int c = 0; c < unroll; c++)                      \
                    {                                                                              \
                        __m256 x, wl = _mm256_loadu_ps(w + c * BLOCK),                             \
                                  wh = _mm256_loadu_ps(w + c * BLOCK + 8);                         \
                        EACH_##N(MULTIPLY);                                                        \
                        KEEP(wl)                                                                   \
                        KEEP(wh)                                                                   \
                    }                                                                              \
                    w += unroll * BLOCK;                                                           \
                    step = unroll;                                                                 \
                    EACH_##N(ADVANCE);                                                             \
                } while (left -= unroll);                                                          \
                step = next_row;                                                                   \
                EACH_##N(ADVANCE);                                                                 \
            } while (--ky);                                                                        \
            step = next_block;                                                                     \
            EACH_##N(ADVANCE);                                                                     \
        } while (--cin_block);                                                                     \
        if (!a->finish) {                                                                          \
            EACH_##N(SUSPEND);                                                                     \
            return;                                                                                \
        }                                                                                          \
        switch (epilogue_of(a)) {                                                                  \
            EPILOGUE(N, ACT)                                                                       \
            EPILOGUE(N, SUM)                                                                       \
            EPILOGUE(N, RESIDUAL | ACT | SCALE)                                                    \
            EPILOGUE(N, RESIDUAL | SUM | ACT | SCALE)                                              \
        default: {                                                                                 \
            const int parts = epilogue_of(a);                                                      \
            EACH_##N(FINISH);                                                                      \
        }                                                                                          \
        }                                                                                          \
    }

DEFINE_TILE(1)
DEFINE_TILE(2)
DEFINE_TILE(3)
DEFINE_TILE(4)
DEFINE_TILE(5)
DEFINE_TILE(6)

/* Tile functions are inlined per unroll, so each loop has constant trip counts and addresses. */
#define DEFINE_STRIP(name, unroll)                                                                 \
    void name(const struct conv_args *a)                                                           \
    {                                                                                              \
        const ptrdiff_t lines = (ptrdiff_t)a->cin_blocks * a->kernel_h * a->run / unroll * BLOCK;  \
        for (int block = 0; block < a->blocks; block++) {                                          \
            const float *ahead = a->prefetch;                                                      \
            for (int pixel = 0, n; pixel < a->pixels; pixel += n) {                                \
                struct place at = {pixel, block};                                                  \
                n = tile_next(a->pixels - pixel, MOST_PIXELS);                                     \
                switch (n) {                                                                       \
                case 6:                                                                            \
                    tile_6(a, at, unroll, ahead);                                                  \
                    break;                                                                         \
                case 5:                                                                            \
                    tile_5(a, at, unroll, ahead);                                                  \
                    break;                                                                         \
                case 4:                                                                            \
                    tile_4(a, at, unroll, ahead);                                                  \
                    break;                                                                         \
                case 3:                                                                            \
                    tile_3(a, at, unroll, ahead);                                                  \
                    break;                                                                         \
                case 2:                                                                            \
                    tile_2(a, at, unroll, ahead);                                                  \
                    break;                                                                         \
                default:                                                                           \
                    tile_1(a, at, unroll, ahead);                                                  \
                    break;                                                                         \
                }                                                                                  \
                ahead = ahead + lines < a->prefetch_end ? ahead + lines : a->weights;              \
            }                                                                                      \
        }                                                                                          \
    }

DEFINE_STRIP(conv_mk_6x16__avx2, 16)
DEFINE_STRIP(stem_mk_6x16__avx2, 3)
