#include "harness/classify/classifier.h"

#include <stdlib.h>
#include <string.h>

/* What this machine cannot do. */
static bool choose(struct classifier *c, const struct classifier_options *o, struct error *e)
{
    struct isa_list isas;
    if (!isa_select(&c->machine.cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), o->isa, &isas,
                    e))
        return false;
    c->set = kernel_set_get(isas.isas[isas.count - 1]);
    c->threads = o->threads ? o->threads : c->machine.default_threads;
    int most = c->machine.topology.allowed_pus;
    return c->threads <= most || error_set(e, "--threads %d: this process may use %d CPU%s",
                                           c->threads, most, most == 1 ? "" : "s");
}

int classifier_open(struct classifier *c, const struct classifier_options *o, struct error *e)
{
    *c = (struct classifier){.batch = o->batch, .size = o->size, .algo = o->algo};
    if (!machine_read(&c->machine, e))
        return 1;
    if (!choose(c, o, e))
        return 2;
    if (!weights_file_open(&c->file, o->weights, e))
        return 1;
    const char *network = c->file.network.net.name;
    if (c->size == 0)
        c->size = network_default_size(network);
    if (c->size >= network_least_size(network))
        return 0;
    error_set(e, "--size %d: %s needs %d pixels", c->size, network, network_least_size(network));
    return 2;
}

bool classifier_start(struct classifier *c, struct error *e)
{
    const struct network *net = &c->file.network.net;
    const struct model_options options = {.network = net->name,
                                          .classes = net->classes,
                                          .size = c->size,
                                          .batch = c->batch,
                                          .request = c->algo};
    struct param_source source = weights_file_source(&c->file);
    c->team = team_create(c->threads, &c->machine.topology, e);
    return c->team && model_make(&c->model, &options, &source, c->team, e) &&
           layout_make(&c->layout, &c->model.net, &c->model.steps, c->batch, e) &&
           plan_make(&c->plan, &c->model, c->set, &c->layout, &c->machine.topology, c->threads,
                     e) &&
           engine_make(&c->engine, &c->plan, c->team, e);
}

void classifier_set(struct classifier *c, int i, const float *pixels)
{
    const struct tensor *t = model_image(&c->model, &c->layout);
    size_t row = (size_t)c->size * 3;
    float *out = t->data + (size_t)i * t->image_stride;
    for (int y = 0; y < c->size; y++)
        memcpy(out + (size_t)y * t->row_stride, pixels + (size_t)y * row, row * sizeof *out);
}

void classifier_run(struct classifier *c)
{
    engine_run(&c->engine, NULL, NULL, NULL);
    team_rest(c->team);
}

const float *classifier_output(const struct classifier *c, int i)
{
    const struct tensor *t = plan_output(&c->plan);
    return t->data + (size_t)i * t->image_stride;
}

void classifier_free(struct classifier *c)
{
    engine_free(&c->engine);
    plan_free(&c->plan);
    layout_free(&c->layout);
    model_free(&c->model);
    team_free(c->team);
    weights_file_close(&c->file);
    machine_free(&c->machine);
}
