/** Runs plans on a team of threads. */
#ifndef RESMARK_HARNESS_ENGINE_H
#define RESMARK_HARNESS_ENGINE_H

#include "harness/plan.h"
#include "harness/team.h"

struct engine {
    const struct plan *plan;
    struct team *team;
    struct memory scratch;
    struct bilinear_work *works; /* of each thread */
    struct prepared *prepared;   /* of each thread */
    uint64_t job;                /* number of the job that runs */
};

/** Binds a plan to a team; both must outlive the engine. False with `e` set; engine_free()
 * releases. */
bool engine_make(struct engine *engine, const struct plan *plan, struct team *team,
                 struct error *e);
void engine_free(struct engine *engine);

/** Called behind a step, while its outputs are still in memory (later steps reuse it). */
typedef void engine_hook(void *context, const struct plan *plan, int step);

/**
 * Runs all steps on the images in model_image(). If `step_ns` is not NULL, step_ns[i] becomes the
 * nanoseconds that step i took, without the hook (which may be NULL). Returns the nanoseconds of
 * the whole, hooks included.
 */
uint64_t engine_run(struct engine *engine, uint64_t *step_ns, engine_hook *hook, void *context);

#endif
