/**
 * One or more independent engines that run the same plan at the same time on cores of their own.
 * They share the weights, which nobody writes; memory for activations each has for itself.
 */
#ifndef RESMARK_HARNESS_MEASURE_INSTANCES_H
#define RESMARK_HARNESS_MEASURE_INSTANCES_H

#include "harness/engine.h"

/** Most engines. */
#define INSTANCES_MAX 1024

/** What the engines are to run, and where. */
struct instances_request {
    const struct model *model;
    const struct kernel_set *set;
    const struct topology *topology;
    const struct layout *layout; /**< with the images in it; the first engine uses it itself */
    struct team *team; /**< of the first engine when it is the only one; else each makes its own */
    const struct step_blocking *blockings; /**< for plan_cut(), or NULL */
    int count, threads;                    /**< engines, threads of each */
};

/** One engine. Its team may only be run by the thread that instances_each() runs the job on. */
struct instance {
    int index;
    struct team *team;
    struct layout layout; /**< unused in the first */
    struct plan plan;
    struct engine engine;
};

struct instances;

/**
 * Makes the engines; instance 0 belongs to the calling thread, each other one has a thread of its
 * own. NULL with `e` set, as when there are fewer CPUs than threads. instances_free() releases.
 */
struct instances *instances_make(const struct instances_request *request, struct error *e);
void instances_free(struct instances *instances);

int instances_count(const struct instances *instances);
struct instance *instances_get(struct instances *instances, int index);

/** Calls the job for each instance on its own thread, all beginning together; returns when all are
 * done. */
void instances_each(struct instances *instances, void (*job)(void *context, struct instance *one),
                    void *context);

#endif
