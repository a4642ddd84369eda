#include "harness/team.h"

#include "arch/clock.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * How long a waiting thread spins before it sleeps, where each has a CPU of its own: longer than
 * most pauses that a hypervisor makes. A virtual CPU that sleeps is given away, and to get it back
 * takes as long as many a layer.
 */
#define SPIN_NS 20000000

/* Looks at the word between two looks at the clock. */
#define SPINS 64

/* The units that a thread has still to do: first in the low half, end in the high half. */
struct share {
    _Alignas(64) _Atomic uint64_t range;
};

struct member {
    struct team *team;
    pthread_t thread;
    int index;
    bool pinned; /* of member 0, too, which has no thread of its own */
};

struct team {
    int threads;
    int started; /* members that have a thread to join */
    const struct topology *topology;
    void (*job)(void *context, int thread);
    void *context;
    struct member *members;
    struct share *shares;
    _Alignas(64) _Atomic uint32_t generation; /* of the current job */
    _Alignas(64) _Atomic uint32_t pending;    /* threads that have not finished it */
    _Atomic uint32_t sleepers;                /* threads that sleep, or are about to */
    atomic_bool stop;
    atomic_bool resting;
};

static void cpu_relax(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#else
    __asm__ volatile("yield");
#endif
}

/* Sleeps unless the word has changed: the system looks after the sleeper is counted. */
static void sleep_while(struct team *team, _Atomic uint32_t *word, uint32_t value)
{
    atomic_fetch_add(&team->sleepers, 1);
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
    atomic_fetch_sub(&team->sleepers, 1);
}

/* Wakes who sleeps on a word that has changed. Most often nobody does: no call of the system. */
static void wake_all(struct team *team, _Atomic uint32_t *word)
{
    if (atomic_load(&team->sleepers) > 0)
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Spins until the word no longer holds the value: false if that takes too long, or the team rests.
 */
static bool spin_while(struct team *team, _Atomic uint32_t *word, uint32_t value)
{
    uint64_t ns = team->threads > team->topology->allowed_pus ? 0 : SPIN_NS, begin = 0;
    do {
        for (int i = 0; i < SPINS; i++) {
            if (atomic_load_explicit(word, memory_order_acquire) != value)
                return true;
            cpu_relax();
        }
        begin = begin ? begin : clock_ns();
    } while (!atomic_load_explicit(&team->resting, memory_order_relaxed) &&
             clock_ns() - begin < ns);
    return false;
}

/* Waits until the word no longer holds the value: spins, then sleeps. */
static void wait_while(struct team *team, _Atomic uint32_t *word, uint32_t value)
{
    if (spin_while(team, word, value))
        return;
    while (atomic_load_explicit(word, memory_order_acquire) == value)
        sleep_while(team, word, value);
}

static void *member_main(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    member->pinned = topology_pin_thread(team->topology, member->index);
    for (uint32_t seen = 0;; seen++) {
        wait_while(team, &team->generation, seen);
        if (atomic_load(&team->stop))
            return NULL;
        team->job(team->context, member->index);
        if (atomic_fetch_sub(&team->pending, 1) == 1)
            wake_all(team, &team->pending);
    }
}

static bool start_members(struct team *team, struct error *e)
{
    for (int i = 1; i < team->threads; i++) {
        struct member *member = &team->members[i];
        *member = (struct member){.team = team, .index = i};
        int status = pthread_create(&member->thread, NULL, member_main, member);
        if (status != 0)
            return error_set(e, "cannot start thread %d of %d: %s; ask for fewer with --threads",
                             i + 1, team->threads, strerror(status));
        team->started++;
    }
    return true;
}

struct team *team_create(int threads, const struct topology *topology, struct error *e)
{
    assert(threads >= 1 && threads <= TEAM_MAX_THREADS);
    struct team *team = aligned_alloc(64, sizeof *team);
    if (!team) {
        error_set(e, "no memory for a team of %d threads", threads);
        return NULL;
    }
    memset(team, 0, sizeof *team);
    team->threads = threads;
    team->topology = topology;
    team->members = calloc((size_t)threads, sizeof *team->members);
    team->shares = aligned_alloc(64, (size_t)threads * sizeof *team->shares);
    bool memory = team->members && team->shares;
    if (!memory)
        error_set(e, "no memory for a team of %d threads", threads);
    if (!memory || !start_members(team, e)) {
        team_free(team);
        return NULL;
    }
    team->members[0].pinned = topology_pin_thread(topology, 0);
    return team;
}

void team_free(struct team *team)
{
    if (!team)
        return;
    atomic_store(&team->stop, true);
    atomic_fetch_add(&team->generation, 1);
    wake_all(team, &team->generation);
    for (int i = 1; i <= team->started; i++)
        pthread_join(team->members[i].thread, NULL);
    free(team->members);
    free(team->shares);
    free(team);
}

int team_threads(const struct team *team)
{
    return team->threads;
}

int team_cpu(const struct team *team, int thread)
{
    const struct topology *t = team->topology;
    return team->members[thread].pinned ? t->pin_order[thread % t->allowed_pus] : -1;
}

void team_run_each(struct team *team, void (*job)(void *context, int thread), void *context)
{
    team->job = job;
    team->context = context;
    atomic_store(&team->resting, false);
    atomic_store(&team->pending, (uint32_t)team->threads - 1);
    atomic_fetch_add(&team->generation, 1);
    wake_all(team, &team->generation);
    job(context, 0);
    for (uint32_t left; (left = atomic_load(&team->pending)) != 0;)
        wait_while(team, &team->pending, left);
}

void team_rest(struct team *team)
{
    atomic_store(&team->resting, true);
}

static uint64_t pack_range(uint32_t first, uint32_t end)
{
    return (uint64_t)end << 32 | first;
}

/* Takes a unit from the front of a share, or from its back; -1 when it is empty. */
static int take(struct share *share, bool front)
{
    uint64_t range = atomic_load_explicit(&share->range, memory_order_relaxed);
    for (;;) {
        uint32_t first = (uint32_t)range, end = (uint32_t)(range >> 32);
        if (first >= end)
            return -1;
        uint64_t rest = front ? pack_range(first + 1, end) : pack_range(first, end - 1);
        if (atomic_compare_exchange_weak(&share->range, &range, rest))
            return (int)(front ? first : end - 1);
    }
}

struct shared_job {
    struct team *team;
    void (*job)(void *context, int unit, int thread);
    void (*help)(void *context);
    void *context;
    _Alignas(64) _Atomic int left; /* units that are not done; counted where there is help */
};

static void run_shared_unit(struct shared_job *shared, int unit, int thread)
{
    shared->job(shared->context, unit, thread);
    if (shared->help)
        atomic_fetch_sub_explicit(&shared->left, 1, memory_order_relaxed);
}

static void run_shares(void *argument, int thread)
{
    struct shared_job *shared = argument;
    struct team *team = shared->team;
    int unit;
    while ((unit = take(&team->shares[thread], true)) >= 0)
        run_shared_unit(shared, unit, thread);
    for (int i = 1; i < team->threads; i++) {
        struct share *other = &team->shares[(thread + i) % team->threads];
        while ((unit = take(other, false)) >= 0)
            run_shared_unit(shared, unit, thread);
    }
    while (shared->help && atomic_load_explicit(&shared->left, memory_order_relaxed) > 0) {
        shared->help(shared->context);
        cpu_relax();
    }
}

void team_run_helping(struct team *team, int units,
                      void (*job)(void *context, int unit, int thread), void (*help)(void *context),
                      void *context)
{
    bool alone = team->threads == 1 || team->threads > team->topology->allowed_pus;
    struct shared_job shared = {
        .team = team, .job = job, .help = alone ? NULL : help, .context = context, .left = units};
    for (int i = 0; i < team->threads; i++) {
        uint32_t first = (uint32_t)((int64_t)units * i / team->threads);
        uint32_t end = (uint32_t)((int64_t)units * (i + 1) / team->threads);
        atomic_store_explicit(&team->shares[i].range, pack_range(first, end), memory_order_relaxed);
    }
    team_run_each(team, run_shares, &shared);
}

void team_run(struct team *team, int units, void (*job)(void *context, int unit, int thread),
              void *context)
{
    team_run_helping(team, units, job, NULL, context);
}
