/** A team of pinned threads that runs one job after another. */
#ifndef RESMARK_HARNESS_TEAM_H
#define RESMARK_HARNESS_TEAM_H

#include "arch/error.h"
#include "arch/topology.h"

struct team;

/** Most threads of a team. */
#define TEAM_MAX_THREADS 1024

/**
 * Starts threads - 1 threads; the one that calls is the first of the team, and has to be the one
 * that calls team_run(). All are pinned in the topology's order, as far as the system lets them.
 * Between jobs they spin for some milliseconds, then sleep; at once if they have to share CPUs.
 * NULL with `e` set if a thread cannot be started. team_free() ends them.
 */
struct team *team_create(int threads, const struct topology *topology, struct error *e);
void team_free(struct team *team);

int team_threads(const struct team *team);

/** OS index of the CPU that a thread of the team is pinned to; -1 where the system refused. */
int team_cpu(const struct team *team, int thread);

/**
 * Calls job(context, unit, thread) once for each unit from 0 to units - 1, and returns when all are
 * done. Each thread begins with its own contiguous share, in ascending order, and when that is done
 * takes units from the end of another's.
 */
void team_run(struct team *team, int units, void (*job)(void *context, int unit, int thread),
              void *context);

/**
 * The same, and a thread that finds no unit left calls help(context), which does a part of
 * another's unit or finds that there is nothing to do, until all units are done. Not where threads
 * share CPUs.
 */
void team_run_helping(struct team *team, int units,
                      void (*job)(void *context, int unit, int thread), void (*help)(void *context),
                      void *context);

/** Calls job(context, thread) once on every thread, and returns when all are done. */
void team_run_each(struct team *team, void (*job)(void *context, int thread), void *context);

/** Lets the threads sleep until the next job: for who goes on without them, or measures others. */
void team_rest(struct team *team);

#endif
