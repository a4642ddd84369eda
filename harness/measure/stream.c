#include "harness/measure/stream.h"

/* A value that the compiler has to have in a register, and that it does not know afterwards: it
 * can neither leave a load out nor make a loop into a call of memcpy. */
#ifdef __x86_64__
#define IN_REGISTER(value) __asm__ volatile("" : "+v"(value))
#else
#define IN_REGISTER(value) __asm__ volatile("" : "+w"(value))
#endif

#define UNROLLED(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)
#define LOAD(i)                                                                                    \
    vector v##i = from[at + (i)];                                                                  \
    IN_REGISTER(v##i);
#define STORE(i) to[at + (i)] = v##i;

/* The two functions for vectors of so many bytes. */
#define DEFINE_STREAM(name, bytes, attribute)                                                      \
    attribute static void read_##name(const float *source, size_t floats)                          \
    {                                                                                              \
        typedef float vector __attribute__((vector_size(bytes), may_alias));                       \
        const vector *from = (const void *)source;                                                 \
        for (size_t at = 0; at < floats * sizeof(float) / (bytes); at += 8) {                      \
            UNROLLED(LOAD)                                                                         \
        }                                                                                          \
    }                                                                                              \
    attribute static void copy_##name(const float *source, float *target, size_t floats)           \
    {                                                                                              \
        typedef float vector __attribute__((vector_size(bytes), may_alias));                       \
        const vector *from = (const void *)source;                                                 \
        vector *to = (void *)target;                                                               \
        for (size_t at = 0; at < floats * sizeof(float) / (bytes); at += 8) {                      \
            UNROLLED(LOAD)                                                                         \
            UNROLLED(STORE)                                                                        \
        }                                                                                          \
    }

DEFINE_STREAM(baseline, 16, )
#ifdef __x86_64__
DEFINE_STREAM(avx2, 32, __attribute__((target("avx2"))))
DEFINE_STREAM(avx512, 64, __attribute__((target("avx512f"))))
#endif

struct stream stream_get(enum isa isa)
{
#ifdef __x86_64__
    if (isa == ISA_AVX2)
        return (struct stream){read_avx2, copy_avx2};
    if (isa == ISA_AVX512)
        return (struct stream){read_avx512, copy_avx512};
#endif
    (void)isa;
    return (struct stream){read_baseline, copy_baseline};
}
