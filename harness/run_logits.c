#include "harness/run_logits.h"

#include "harness/input.h"
#include "harness/oracle.h"
#include "harness/whole_file.h"

#include <jansson.h>
#include <stdlib.h>

bool run_logits_check(const char *path, struct error *e)
{
    return whole_file_check(path, "logits file", e);
}

static float *make_image(const struct run *run, const struct network *net, struct error *e)
{
    struct image picture = {0};
    const char *path = run->options.image;
    size_t size = (size_t)net->nodes[0].shape.width;
    float *image = malloc(size * size * 3 * sizeof *image);
    bool ok = (image || error_set(e, "no memory for the image")) && input_read(&picture, path, e) &&
              input_plain(net, &picture, !path, image, e);
    image_free(&picture);
    if (ok)
        return image;
    free(image);
    return NULL;
}

/* By the algorithms that the contender's convolutions have. */
static bool run_oracle(const struct run *run, const struct contender *c, const float *image,
                       struct oracle_result *result, struct error *e)
{
    const struct model *model = c->model;
    struct param_source source = run_source(run);
    enum algo *algos = calloc((size_t)model->net.node_count, sizeof *algos);
    if (!algos)
        return error_set(e, "no memory for the oracle");
    for (int i = 0; i < model->steps.count; i++)
        algos[model->steps.step[i].node] = model->steps.step[i].algo;
    struct oracle_options options = {.threads = c->threads, .algos = algos};
    bool ok = oracle_run(&model->net, &source, image, &options, result, e);
    free(algos);
    return ok;
}

static json_t *doubles_json(const double *numbers, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_real(numbers[i]));
    return list;
}

static json_t *floats_json(const float *numbers, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_real((double)numbers[i]));
    return list;
}

static char *logits_text(const struct run *run, const float *image,
                         const struct oracle_result *exact)
{
    const struct contender *c = run_shown(run);
    const struct network *net = &c->model->net;
    size_t size = (size_t)net->nodes[0].shape.width;
    json_t *root = json_pack(
        "{s:s, s:s, s:i, s:i, s:s, s:s, s:o, s:o, s:o, s:o}", "network", net->name, "variant",
        net->variant, "classes", net->classes, "size", (int)size, "isa", c->set->name, "algo",
        model_algo_name(c->model), "logits",
        floats_json(plan_logits(c->plan)->data, (size_t)net->classes), "exact",
        doubles_json(exact->logits, exact->classes), "bounds",
        doubles_json(exact->bounds, exact->classes), "image", floats_json(image, size * size * 3));
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    return text;
}

bool run_logits_write(const struct run *run, const char *path, struct error *e)
{
    struct oracle_result exact;
    float *image = make_image(run, &run->models[0].net, e);
    if (!image || !run_oracle(run, run_shown(run), image, &exact, e)) {
        free(image);
        return false;
    }
    char *text = logits_text(run, image, &exact);
    bool ok = text ? whole_file_write(path, "logits file", text, e)
                   : error_set(e, "no memory for the logits file");
    free(text);
    free(image);
    oracle_free(&exact);
    return ok;
}
