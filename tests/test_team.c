/** The team: every unit once, on every number of threads, job after job. */
#include "tests/engine_fixture.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#define MOST_UNITS 1000

TestSuite(team, .timeout = 60);

struct tally {
    int threads, units;
    atomic_int done[MOST_UNITS]; /* how often each unit was run */
    atomic_int wrong;            /* units or threads that do not exist */
};

static void count_unit(void *context, int unit, int thread)
{
    struct tally *t = context;
    if (unit < 0 || unit >= t->units || thread < 0 || thread >= t->threads)
        atomic_fetch_add(&t->wrong, 1);
    else
        atomic_fetch_add(&t->done[unit], 1);
}

static void check_tally(struct tally *t, int times)
{
    cr_expect_eq(atomic_load(&t->wrong), 0, "%d threads, %d units", t->threads, t->units);
    for (int i = 0; i < MOST_UNITS; i++)
        cr_expect_eq(atomic_load(&t->done[i]), i < t->units ? times : 0,
                     "%d threads, %d units: unit %d ran %d times", t->threads, t->units, i,
                     atomic_load(&t->done[i]));
}

Test(team, every_unit_once)
{
    static const int units[] = {0, 1, 2, 3, 7, 8, 9, 64, MOST_UNITS};
    for (int threads = 1; threads <= 8; threads++) {
        struct team *team = make_team(threads);
        cr_assert_eq(team_threads(team), threads);
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            static struct tally tally;
            memset(&tally, 0, sizeof tally);
            tally.threads = threads;
            tally.units = units[i];
            team_run(team, units[i], count_unit, &tally);
            check_tally(&tally, 1);
        }
        team_free(team);
    }
}

static void count_thread(void *context, int thread)
{
    count_unit(context, thread, thread);
}

Test(team, each_thread_once)
{
    for (int threads = 1; threads <= 8; threads++) {
        static struct tally tally;
        struct team *team = make_team(threads);
        memset(&tally, 0, sizeof tally);
        tally.threads = tally.units = threads;
        for (int i = 0; i < 10; i++)
            team_run_each(team, count_thread, &tally);
        check_tally(&tally, 10);
        team_free(team);
    }
}

/** Jobs one behind the other, with pauses in which the threads fall asleep. */
Test(team, many_generations)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    for (int threads = 1; threads <= 8; threads += threads < 2 ? 1 : 2) {
        int jobs = threads <= 2 ? 20000 : 500;
        static struct tally tally;
        struct team *team = make_team(threads);
        memset(&tally, 0, sizeof tally);
        tally.threads = threads;
        tally.units = 2 * threads;
        for (int i = 0; i < jobs; i++) {
            team_run(team, tally.units, count_unit, &tally);
            if (i % (jobs / 20) == 0)
                nanosleep(&nap, NULL);
        }
        check_tally(&tally, jobs);
        team_free(team);
    }
}

/** A team that never works can be ended, too. */
Test(team, idle)
{
    for (int threads = 1; threads <= 8; threads++)
        team_free(make_team(threads));
    team_free(NULL);
}

struct sequence {
    int threads, units;
    int next[8]; /* the unit that a thread takes next if it goes through its share in order */
    bool stolen[8];
    atomic_int order_broken;
};

/* A thread's own share comes first, in ascending order; what it then takes is another's. */
static void follow_order(void *context, int unit, int thread)
{
    struct sequence *s = context;
    int first = s->units * thread / s->threads, end = s->units * (thread + 1) / s->threads;
    bool own = unit >= first && unit < end;
    if (own && (s->stolen[thread] || unit < s->next[thread]))
        atomic_fetch_add(&s->order_broken, 1);
    if (own)
        s->next[thread] = unit + 1;
    else
        s->stolen[thread] = true;
}

Test(team, own_share_in_order)
{
    for (int threads = 1; threads <= 8; threads++) {
        struct sequence s = {.threads = threads, .units = 997};
        struct team *team = make_team(threads);
        team_run(team, s.units, follow_order, &s);
        cr_expect_eq(atomic_load(&s.order_broken), 0, "%d threads", threads);
        if (threads == 1)
            cr_expect_eq(s.next[0], s.units);
        team_free(team);
    }
}

struct hold {
    int units;
    atomic_int done;
    atomic_int by_others; /* units of the first thread's share that others did */
};

/* The first unit waits for all others, among them those of its own thread's share. */
static void hold_first(void *context, int unit, int thread)
{
    struct hold *h = context;
    while (unit == 0 && atomic_load(&h->done) < h->units - 1)
        sched_yield();
    if (unit < h->units / 4 && thread != 0)
        atomic_fetch_add(&h->by_others, 1);
    atomic_fetch_add(&h->done, 1);
}

/** Without stealing, this would wait for ever. */
Test(team, idle_threads_steal)
{
    struct team *team = make_team(4);
    for (int i = 0; i < 20; i++) {
        struct hold h = {.units = 40};
        team_run(team, h.units, hold_first, &h);
        cr_expect_eq(atomic_load(&h.done), 40);
        cr_expect_geq(atomic_load(&h.by_others), 9);
    }
    team_free(team);
}

struct help {
    bool expected;
    atomic_int done, calls;
};

/* The last unit waits for help, where some is to come. */
static void want_help(void *context, int unit, int thread)
{
    struct help *h = context;
    (void)thread;
    while (unit == 3 && h->expected && atomic_load(&h->calls) < 100)
        sched_yield();
    atomic_fetch_add(&h->done, 1);
}

static void give_help(void *context)
{
    atomic_fetch_add(&((struct help *)context)->calls, 1);
}

/** Threads without a unit help, but where they would take the CPU from those that have one. */
Test(team, idle_threads_help)
{
    for (int threads = 1; threads <= 8; threads++) {
        struct team *team = make_team(threads);
        bool expected = threads > 1 && threads <= subject_topology()->allowed_pus;
        for (int i = 0; i < 20; i++) {
            struct help h = {.expected = expected};
            team_run_helping(team, 4, want_help, give_help, &h);
            cr_expect_eq(atomic_load(&h.done), 4);
            cr_expect_eq(atomic_load(&h.calls) > 0, expected, "%d threads", threads);
        }
        team_free(team);
    }
}

static void add_thread(void *context, int unit, int thread)
{
    (void)unit;
    ((double *)context)[thread]++;
}

/** What the threads have written without atomics is there when team_run() returns. */
Test(team, results_are_visible)
{
    struct team *team = make_team(4);
    double sums[4] = {0};
    for (int i = 0; i < 1000; i++) {
        team_run(team, 16, add_thread, sums);
        cr_assert_float_eq(sums[0] + sums[1] + sums[2] + sums[3], 16.0 * (i + 1), 0);
    }
    team_free(team);
}

static double cpu_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/** A thread of a team at rest takes no time from those who are measured next. */
Test(team, rests)
{
    static struct tally tally = {.threads = 2, .units = 2};
    struct team *team = make_team(2);
    double spent = 0;
    for (int i = 0; i < 5; i++) {
        team_run_each(team, count_thread, &tally);
        team_rest(team);
        double before = cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_ms(CLOCK_THREAD_CPUTIME_ID);
        nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
        spent += cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_ms(CLOCK_THREAD_CPUTIME_ID) - before;
    }
    cr_expect(spent < 40, "%g ms of CPU time in 300 ms of rest", spent);
    check_tally(&tally, 5);
    team_free(team);
}
