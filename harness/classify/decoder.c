#include "harness/classify/decoder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* An image on its way. */
struct slot {
    float *pixels;
    bool ready, ok;
    struct error e;
};

struct decoder {
    const struct image_list *list;
    const struct pixel_table *table; /* NULL: not begun */
    int size, slot_count, thread_count;
    struct slot *slots; /* image i is in slot i % slot_count */
    pthread_t *threads;
    pthread_mutex_t mutex; /* of everything below, `table`, and what `ready` says of a slot */
    pthread_cond_t work, ready;
    int next;   /* image that no thread has taken yet */
    int served; /* images that decoder_next() has given out */
    bool stop;
};

static bool decode(const struct decoder *d, const char *path, struct slot *slot)
{
    struct image picture;
    if (!image_read(&picture, path, &slot->e))
        return false;
    bool ok = preprocess(&picture, d->size, d->table, slot->pixels, (size_t)d->size * 3, &slot->e);
    image_free(&picture);
    return ok;
}

/* Waits until the image has a slot; the one that was served last is still in use. */
static bool wait_for_slot(struct decoder *d, int image)
{
    while (!d->stop && (!d->table || image > d->served - 1 + d->slot_count - 1))
        pthread_cond_wait(&d->work, &d->mutex);
    return !d->stop;
}

static void *run(void *context)
{
    struct decoder *d = context;
    pthread_mutex_lock(&d->mutex);
    while (d->next < d->list->count) {
        int image = d->next++;
        if (!wait_for_slot(d, image))
            break;
        struct slot *slot = &d->slots[image % d->slot_count];
        slot->ready = false;
        pthread_mutex_unlock(&d->mutex);
        bool ok = decode(d, d->list->paths[image], slot);
        pthread_mutex_lock(&d->mutex);
        slot->ok = ok;
        slot->ready = true;
        pthread_cond_broadcast(&d->ready);
    }
    pthread_mutex_unlock(&d->mutex);
    return NULL;
}

static bool make_slots(struct decoder *d)
{
    d->slots = calloc((size_t)d->slot_count, sizeof *d->slots);
    for (int i = 0; d->slots && i < d->slot_count; i++) {
        d->slots[i].pixels = calloc((size_t)d->size * (size_t)d->size * 3, sizeof(float));
        if (!d->slots[i].pixels)
            return false;
    }
    return d->slots != NULL;
}

struct decoder *decoder_make(const struct image_list *list, int size, int threads, int ahead,
                             struct error *e)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d) {
        error_set(e, "no memory to decode images");
        return NULL;
    }
    /* One more than asked for: that which is in use. */
    *d = (struct decoder){.list = list, .size = size, .slot_count = ahead + 1};
    pthread_mutex_init(&d->mutex, NULL);
    pthread_cond_init(&d->work, NULL);
    pthread_cond_init(&d->ready, NULL);
    d->threads = calloc((size_t)threads, sizeof *d->threads);
    bool ok =
        (d->threads && make_slots(d)) || error_set(e, "no memory to decode %d images ahead", ahead);
    while (ok && d->thread_count < threads) {
        int why = pthread_create(&d->threads[d->thread_count], NULL, run, d);
        ok = why == 0 || error_set(e, "cannot start a thread to decode images: %s", strerror(why));
        d->thread_count += ok;
    }
    if (ok)
        return d;
    decoder_free(d);
    return NULL;
}

void decoder_begin(struct decoder *d, const struct pixel_table *table)
{
    pthread_mutex_lock(&d->mutex);
    d->table = table;
    pthread_cond_broadcast(&d->work);
    pthread_mutex_unlock(&d->mutex);
}

const float *decoder_next(struct decoder *d, struct error *e)
{
    pthread_mutex_lock(&d->mutex);
    struct slot *slot = &d->slots[d->served % d->slot_count];
    if (d->served > 0)
        d->slots[(d->served - 1) % d->slot_count].ready = false;
    d->served++;
    pthread_cond_broadcast(&d->work);
    while (!slot->ready)
        pthread_cond_wait(&d->ready, &d->mutex);
    pthread_mutex_unlock(&d->mutex);
    if (slot->ok)
        return slot->pixels;
    *e = slot->e;
    return NULL;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->mutex);
    d->stop = true;
    pthread_cond_broadcast(&d->work);
    pthread_mutex_unlock(&d->mutex);
    for (int i = 0; i < d->thread_count; i++)
        pthread_join(d->threads[i], NULL);
    for (int i = 0; d->slots && i < d->slot_count; i++)
        free(d->slots[i].pixels);
    free(d->slots);
    free(d->threads);
    pthread_cond_destroy(&d->work);
    pthread_cond_destroy(&d->ready);
    pthread_mutex_destroy(&d->mutex);
    free(d);
}
