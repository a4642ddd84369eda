#include "arch/clock.h"

#include <stdlib.h>
#include <time.h>

/** Long against the 50 ns or so in which both clocks are read: the ratio is good to 1e-5. */
#define TICK_SPAN_NS 20000000

/**
 * A chain's additions: an unrolled loop, so that its branch hides beside them. All together they
 * take tens of microseconds, against some 30 ns for reading the time.
 */
#define CHAIN_LINKS 100
#define CHAIN_ROUNDS 1000

/** The median of these is taken: an interrupt spoils the chain that it hits, but only that one. */
#define CHAINS 15

uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#if defined(__x86_64__)

uint64_t clock_ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/**
 * The addend sits in a register on purpose: since Golden Cove, additions of a small constant are
 * folded before they are executed, and a chain of them seems to run at three times the clock.
 */
static void run_chain(void)
{
    uint64_t value = 1, addend = 1, rounds = CHAIN_ROUNDS;
    __asm__ volatile("1:\n\t"
                     ".rept %c[links]\n\t"
                     "add %[addend], %[value]\n\t"
                     ".endr\n\t"
                     "dec %[rounds]\n\t"
                     "jnz 1b"
                     : [value] "+r"(value), [rounds] "+r"(rounds)
                     : [addend] "r"(addend), [links] "i"(CHAIN_LINKS)
                     : "cc");
}

#elif defined(__aarch64__)

uint64_t clock_ticks(void)
{
    uint64_t ticks;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks) : : "memory");
    return ticks;
}

static void run_chain(void)
{
    uint64_t value = 1, addend = 1, rounds = CHAIN_ROUNDS;
    __asm__ volatile("1:\n\t"
                     ".rept %c[links]\n\t"
                     "add %[value], %[value], %[addend]\n\t"
                     ".endr\n\t"
                     "subs %[rounds], %[rounds], #1\n\t"
                     "b.ne 1b"
                     : [value] "+r"(value), [rounds] "+r"(rounds)
                     : [addend] "r"(addend), [links] "i"(CHAIN_LINKS)
                     : "cc");
}

#endif

/** One reading of both clocks, from the attempt that took the least time. */
struct instant {
    uint64_t ns, ticks;
};

static struct instant read_both(void)
{
    struct instant best = {0};
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < 8; i++) {
        uint64_t before = clock_ns();
        uint64_t ticks = clock_ticks();
        uint64_t width = clock_ns() - before;
        if (width < shortest) {
            shortest = width;
            best = (struct instant){before + width / 2, ticks};
        }
    }
    return best;
}

double clock_tick_hz(void)
{
    struct instant start = read_both();
    while (clock_ns() - start.ns < TICK_SPAN_NS) {
    }
    struct instant end = read_both();
    return (double)(end.ticks - start.ticks) * 1e9 / (double)(end.ns - start.ns);
}

static int compare_times(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

double clock_core_hz(void)
{
    uint64_t times[CHAINS];
    for (int i = 0; i < CHAINS; i++) {
        uint64_t start = clock_ns();
        run_chain();
        times[i] = clock_ns() - start;
    }
    qsort(times, CHAINS, sizeof *times, compare_times);
    return (double)CHAIN_LINKS * CHAIN_ROUNDS * 1e9 / (double)times[CHAINS / 2];
}
