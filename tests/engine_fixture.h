/** A network on the built-in picture, ready to run on any kernel set; a failure ends the test. */
#ifndef RESMARK_TESTS_ENGINE_FIXTURE_H
#define RESMARK_TESTS_ENGINE_FIXTURE_H

#include "arch/cpu.h"
#include "harness/engine.h"
#include "harness/hash.h"
#include "harness/image.h"
#include "harness/machine.h"
#include "harness/preprocess.h"
#include "harness/synthetic.h"
#include "tests/slow_build.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define SUBJECT_CLASSES 1000

/** What is run. */
struct subject {
    uint64_t seed;
    int size;
    struct model model;
    struct layout layout;
};

static inline struct model_options subject_options(const char *network, int size, int batch,
                                                   enum algo request)
{
    return (struct model_options){.network = network,
                                  .classes = SUBJECT_CLASSES,
                                  .size = size,
                                  .batch = batch,
                                  .request = request};
}

/** Of this machine; read once, because a team pins the thread that makes it. */
static inline const struct topology *subject_topology(void)
{
    static struct topology topology;
    struct error e;
    if (topology.allowed_pus == 0)
        cr_assert(topology_read(&topology, &e), "%s", e.text);
    return &topology;
}

static inline struct team *make_team(int threads)
{
    struct error e = {""};
    struct team *team = team_create(threads, subject_topology(), &e);
    cr_assert(team, "%s", e.text);
    return team;
}

/** The kernel sets that can run here, scalar among them, less what RESMARK_ISA takes away. */
static inline struct isa_list usable_isas(void)
{
    struct cpu cpu;
    struct isa_list list;
    struct error e;
    cpu_detect(&cpu);
    cr_assert(isa_select(&cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), NULL, &list, &e),
              "%s", e.text);
    return list;
}

/** The built-in picture; each variation but 0 is another one with the same spectrum. */
static inline struct image make_picture(int variation)
{
    struct image picture;
    cr_assert(image_builtin(&picture));
    size_t bytes = (size_t)picture.width * (size_t)picture.height * 3;
    size_t shift = (size_t)variation * 10007 * 3;
    uint8_t *rotated = malloc(bytes);
    cr_assert(rotated);
    for (size_t i = 0; i < bytes; i++)
        rotated[i] = picture.pixels[(i + shift) % bytes];
    memcpy(picture.pixels, rotated, bytes);
    free(rotated);
    return picture;
}

/** Writes a picture as a network of that size reads it, [size][size][3], rows row_stride apart. */
static inline void show_picture(int variation, int size, const struct normalisation *pixels,
                                const struct channel_affine *norm, float *out, size_t row_stride)
{
    struct pixel_table table;
    struct error e;
    struct image picture = make_picture(variation);
    pixel_table_init(&table, pixels, norm);
    if (size == IMAGE_BUILTIN_SIDE)
        preprocess_pixels(&picture, &table, out, row_stride);
    else
        cr_assert(preprocess(&picture, size, &table, out, row_stride, &e), "%s", e.text);
    image_free(&picture);
}

/** Makes an image of the batch a variation of the picture. */
static inline void subject_show(struct subject *s, int image, int variation)
{
    const struct tensor *t = model_image(&s->model, &s->layout);
    struct channel_affine norm;
    memcpy(norm.scale, s->model.weights.image_scale, sizeof norm.scale);
    memcpy(norm.shift, s->model.weights.image_shift, sizeof norm.shift);
    show_picture(variation, s->size, s->model.net.pixels, &norm,
                 t->data + (size_t)image * t->image_stride, t->row_stride);
}

/** Image i of the batch becomes variation i. subject_free() releases. */
static inline void subject_make(struct subject *s, const struct model_options *options,
                                uint64_t seed)
{
    struct error e;
    *s = (struct subject){.seed = seed, .size = options->size};
    struct team *team = make_team(2);
    struct param_source source = synthetic_source(&s->seed);
    cr_assert(model_make(&s->model, options, &source, team, &e), "%s", e.text);
    cr_assert(layout_make(&s->layout, &s->model.net, &s->model.steps, options->batch, &e), "%s",
              e.text);
    for (int i = 0; i < options->batch; i++)
        subject_show(s, i, i);
    team_free(team);
}

static inline void subject_free(struct subject *s)
{
    layout_free(&s->layout);
    model_free(&s->model);
}

/** Runs once; the hook may be NULL. */
static inline void subject_run(struct subject *s, enum isa isa, int threads, engine_hook *hook,
                               void *context)
{
    struct plan plan;
    struct engine engine;
    struct error e;
    struct team *team = make_team(threads);
    cr_assert(plan_make(&plan, &s->model, kernel_set_get(isa), &s->layout, subject_topology(),
                        threads, &e),
              "%s", e.text);
    cr_assert(engine_make(&engine, &plan, team, &e), "%s", e.text);
    engine_run(&engine, NULL, hook, context);
    engine_free(&engine);
    plan_free(&plan);
    team_free(team);
}

/** The node's name. */
static inline const char *step_name(const struct subject *s, int step)
{
    return s->model.net.nodes[s->model.steps.step[step].node].name;
}

/** A tensor that begins with an image of the batch. */
static inline struct tensor from_image(const struct tensor *t, int image)
{
    struct tensor from = *t;
    if (t->data)
        from.data += (size_t)image * t->image_stride;
    return from;
}

/** Receives the hashes of all steps' outputs: [image][step]. */
static inline void hash_step(void *context, const struct plan *plan, int step)
{
    uint64_t *hashes = context;
    const struct plan_step *s = &plan->steps[step];
    for (int image = 0; image < plan->batch; image++) {
        struct tensor sum = from_image(&s->sum, image), act = from_image(&s->act, image);
        hashes[image * plan->step_count + step] = hash_outputs(&sum, &act, 1);
    }
}

/** Runs once and returns the hash of each step for each image, [image][step]; to be freed. */
static inline uint64_t *subject_hashes(struct subject *s, enum isa isa, int threads)
{
    size_t count = (size_t)(s->model.steps.count * s->layout.batch);
    uint64_t *hashes = calloc(count, sizeof *hashes);
    cr_assert(hashes);
    subject_run(s, isa, threads, hash_step, hashes);
    return hashes;
}

#endif
