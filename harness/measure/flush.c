#include "harness/measure/flush.h"

#include <stdint.h>

/* No cache of an x86-64 or AArch64 has shorter lines, save the 32 bytes of some small Arm cores,
 * whose instruction reports them. */
#ifdef __x86_64__
#include <immintrin.h>

#define LINE_BYTES 64

static void flush_line(const char *line)
{
    _mm_clflush(line);
}

static void wait_for_flushes(void)
{
    _mm_mfence();
}

static size_t line_bytes(void)
{
    return LINE_BYTES;
}
#else
/* The smallest line of any data cache: 4 << CTR_EL0.DminLine (Arm ARM, D19.2.34). */
static size_t line_bytes(void)
{
    uint64_t type;
    __asm__("mrs %0, ctr_el0" : "=r"(type));
    return (size_t)4 << (type >> 16 & 15);
}

static void flush_line(const char *line)
{
    __asm__ volatile("dc civac, %0" : : "r"(line) : "memory");
}

static void wait_for_flushes(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}
#endif

void flush_memory(const void *memory, size_t bytes)
{
    size_t step = line_bytes();
    const char *first = (const char *)((uintptr_t)memory / step * step);
    for (const char *line = first; line < (const char *)memory + bytes; line += step)
        flush_line(line);
    wait_for_flushes();
}
