#include "harness/measure/instances.h"

#include "harness/measure/placement.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* An instance with what runs it. */
struct leader {
    struct instance instance;
    struct instances *all;
    pthread_t thread;
    struct topology place; /* its CPUs alone */
    int *cpus;             /* the place's pin order and nodes, [2][threads] */
    bool made;
    struct error error;
};

struct instances {
    struct instances_request request;
    bool own_team; /* of instance 0 */
    int started;   /* leaders that have a thread to join, from 1 on */
    struct leader *leaders;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_barrier_t start; /* of a job: all begin together */
    unsigned generation;     /* of the current job */
    int pending;             /* leaders that have not finished it */
    bool stop;
    void (*job)(void *context, struct instance *one);
    void *context;
};

/* The activations of another instance: the same images, in memory of its own. */
static bool copy_layout(struct instance *one, const struct instances_request *r, struct error *e)
{
    if (!layout_make(&one->layout, &r->model->net, &r->model->steps, r->layout->batch, e))
        return false;
    const struct tensor *from = model_image(r->model, r->layout);
    const struct tensor *to = model_image(r->model, &one->layout);
    for (int i = 0; i < r->layout->batch; i++)
        memcpy(to->data + (size_t)i * to->image_stride, from->data + (size_t)i * from->image_stride,
               (size_t)from->height * from->row_stride * sizeof(float));
    return true;
}

static bool make_engine(struct leader *leader, struct error *e)
{
    struct instance *one = &leader->instance;
    const struct instances_request *r = &leader->all->request;
    if (one->index > 0 && !copy_layout(one, r, e))
        return false;
    if (leader->all->own_team) {
        one->team = team_create(r->threads, &leader->place, e);
        if (!one->team)
            return false;
    }
    return plan_make(&one->plan, r->model, r->set, one->index ? &one->layout : r->layout,
                     r->topology, r->threads, e) &&
           (!r->blockings || plan_cut(&one->plan, r->blockings, e)) &&
           engine_make(&one->engine, &one->plan, one->team, e);
}

static void free_engine(struct leader *leader)
{
    engine_free(&leader->instance.engine);
    plan_free(&leader->instance.plan);
    layout_free(&leader->instance.layout);
    if (leader->all->own_team)
        team_free(leader->instance.team);
}

/* Waits for the next job; false when there is none any more. */
static bool await_job(struct instances *all, unsigned *seen)
{
    pthread_mutex_lock(&all->mutex);
    while (all->generation == *seen && !all->stop)
        pthread_cond_wait(&all->changed, &all->mutex);
    *seen = all->generation;
    bool stop = all->stop;
    pthread_mutex_unlock(&all->mutex);
    return !stop;
}

static void finish_job(struct instances *all)
{
    pthread_mutex_lock(&all->mutex);
    all->pending--;
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->mutex);
}

static void *leader_main(void *argument)
{
    struct leader *leader = argument;
    struct instances *all = leader->all;
    unsigned seen = 0;
    leader->made = make_engine(leader, &leader->error);
    finish_job(all);
    while (await_job(all, &seen)) {
        pthread_barrier_wait(&all->start);
        all->job(all->context, &leader->instance);
        finish_job(all);
    }
    free_engine(leader);
    return NULL;
}

static void await_all(struct instances *all)
{
    pthread_mutex_lock(&all->mutex);
    while (all->pending > 0)
        pthread_cond_wait(&all->changed, &all->mutex);
    pthread_mutex_unlock(&all->mutex);
}

/* Gives each leader its CPUs. */
static bool place_leaders(struct instances *all, struct error *e)
{
    const struct instances_request *r = &all->request;
    size_t threads = (size_t)r->threads, count = (size_t)r->count;
    int *positions = malloc(count * threads * sizeof *positions);
    bool ok = positions && placement_make(r->topology, r->count, r->threads, positions) >= 0;
    for (int i = 0; ok && i < r->count; i++) {
        struct leader *leader = &all->leaders[i];
        leader->cpus = malloc(2 * threads * sizeof *leader->cpus);
        ok = leader->cpus != NULL;
        leader->place = *r->topology;
        leader->place.allowed_pus = r->threads;
        leader->place.pin_order = leader->cpus;
        leader->place.pin_nodes = leader->cpus + threads;
        for (size_t t = 0; ok && t < threads; t++) {
            int position = positions[(size_t)i * threads + t];
            leader->cpus[t] = r->topology->pin_order[position];
            leader->cpus[threads + t] = r->topology->pin_nodes[position];
        }
    }
    free(positions);
    return ok || error_set(e, "no place for %d instances of %d threads on %d CPUs", r->count,
                           r->threads, r->topology->allowed_pus);
}

/* One after the other, so that the first error is the one that is told. */
static bool start_leaders(struct instances *all, struct error *e)
{
    if (!make_engine(&all->leaders[0], e))
        return false;
    for (int i = 1; i < all->request.count; i++) {
        struct leader *leader = &all->leaders[i];
        all->pending = 1;
        int status = pthread_create(&leader->thread, NULL, leader_main, leader);
        if (status != 0)
            return error_set(e, "cannot start instance %d of %d: %s", i + 1, all->request.count,
                             strerror(status));
        all->started = i;
        await_all(all);
        if (!leader->made) {
            *e = leader->error;
            return false;
        }
    }
    return true;
}

struct instances *instances_make(const struct instances_request *request, struct error *e)
{
    struct instances *all = calloc(1, sizeof *all);
    struct leader *leaders = calloc((size_t)request->count, sizeof *leaders);
    if (!all || !leaders) {
        free(all);
        free(leaders);
        error_set(e, "no memory for %d instances", request->count);
        return NULL;
    }
    all->request = *request;
    all->own_team = request->count > 1;
    all->leaders = leaders;
    pthread_mutex_init(&all->mutex, NULL);
    pthread_cond_init(&all->changed, NULL);
    pthread_barrier_init(&all->start, NULL, (unsigned)request->count);
    for (int i = 0; i < request->count; i++) {
        leaders[i].all = all;
        leaders[i].instance.index = i;
    }
    leaders[0].instance.team = request->team;
    if ((!all->own_team || place_leaders(all, e)) && start_leaders(all, e))
        return all;
    instances_free(all);
    return NULL;
}

void instances_free(struct instances *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->mutex);
    all->stop = true;
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->mutex);
    for (int i = 1; i <= all->started; i++)
        pthread_join(all->leaders[i].thread, NULL);
    free_engine(&all->leaders[0]);
    for (int i = 0; i < all->request.count; i++)
        free(all->leaders[i].cpus);
    pthread_barrier_destroy(&all->start);
    pthread_cond_destroy(&all->changed);
    pthread_mutex_destroy(&all->mutex);
    free(all->leaders);
    free(all);
}

int instances_count(const struct instances *all)
{
    return all->request.count;
}

struct instance *instances_get(struct instances *all, int index)
{
    return &all->leaders[index].instance;
}

void instances_each(struct instances *all, void (*job)(void *context, struct instance *one),
                    void *context)
{
    pthread_mutex_lock(&all->mutex);
    all->job = job;
    all->context = context;
    all->pending = all->request.count - 1;
    all->generation++;
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->mutex);
    pthread_barrier_wait(&all->start);
    job(context, &all->leaders[0].instance);
    await_all(all);
}
