/** A small network with its reference, and kernel sets with a fault to compare with it. */
#ifndef RESMARK_TESTS_VERIFY_FIXTURE_H
#define RESMARK_TESTS_VERIFY_FIXTURE_H

#include "harness/verify/bits.h"
#include "harness/verify/specials.h"
#include "tests/engine_fixture.h"

struct scene {
    struct subject subject;
    struct team *single;
    struct bits bits;
};

static inline void scene_start(struct scene *s, engine_hook *feed)
{
    struct error e;
    const struct bits_way reference = {kernel_set_get(ISA_SCALAR), s->single, NULL};
    s->bits = (struct bits){.model = &s->subject.model,
                            .layout = &s->subject.layout,
                            .topology = subject_topology(),
                            .only = -1,
                            .feed = feed};
    cr_assert(bits_make(&s->bits, &reference, &e), "%s", e.text);
}

/** ResNet-18 at 32 pixels on the built-in picture, computed by the reference. */
static inline void scene_make(struct scene *s, enum algo request, int batch)
{
    const struct model_options options = subject_options("resnet18_v2", 32, batch, request);
    s->single = make_team(1);
    subject_make(&s->subject, &options, 1);
    scene_start(s, NULL);
}

/** The same at 64 pixels with special numbers in weights and inputs. */
static inline void scene_make_special(struct scene *s, enum algo request)
{
    static const uint64_t seed = 1;
    static struct specials_source specials;
    struct error e;
    const struct model_options options = subject_options("resnet18_v2", 64, 1, request);
    specials.from = synthetic_source(&seed);
    struct param_source source = specials_source(&specials);
    s->single = make_team(1);
    s->subject = (struct subject){.seed = seed, .size = 64};
    cr_assert(model_make(&s->subject.model, &options, &source, s->single, &e), "%s", e.text);
    cr_assert(
        layout_make(&s->subject.layout, &s->subject.model.net, &s->subject.model.steps, 1, &e),
        "%s", e.text);
    scene_start(s, specials_feed);
}

static inline void scene_free(struct scene *s)
{
    bits_free(&s->bits);
    subject_free(&s->subject);
    team_free(s->single);
}

/** Runs a kernel set on a number of threads; the result is to be released. */
static inline struct bits_result scene_run(const struct scene *s, const struct kernel_set *set,
                                           int threads)
{
    struct error e;
    struct bits_result result;
    struct team *team = threads > 1 ? make_team(threads) : s->single;
    const struct bits_way way = {set, team, NULL};
    cr_assert(bits_run(&s->bits, &way, &result, &e), "%s", e.text);
    if (threads > 1)
        team_free(team);
    return result;
}

/** The step of a name. */
static inline int scene_step(const struct scene *s, const char *name)
{
    char own[48];
    for (int i = 0; i < s->subject.model.steps.count; i++) {
        if (strcmp(model_step_name(&s->subject.model, i, own), name) == 0)
            return i;
    }
    cr_assert_fail("there is no step %s", name);
    return -1;
}

#endif
