#include "harness/model.h"

static void choose_algorithms(struct model *model, const struct model_options *options,
                              const enum algo *tuned)
{
    int conv = 0;
    for (int i = 0; i < model->steps.count; i++) {
        struct step *step = &model->steps.step[i];
        if (tuned && step->kind == NODE_CONV)
            step->algo = tuned[conv++];
        else
            step->algo = algo_choose(options->request, &model->net, step->node, options->batch);
    }
}

bool model_network(struct network *net, const struct model_options *options, struct error *e)
{
    if (!network_build(net, options->network, options->classes, options->size, e))
        return false;
    if (options->no_softmax)
        network_drop_softmax(net);
    return true;
}

bool model_make_tuned(struct model *model, const struct model_options *options,
                      const enum algo *algos, const struct param_source *source, struct team *team,
                      struct error *e)
{
    *model = (struct model){.request = options->request, .tuned = algos != NULL};
    bool ok = model_network(&model->net, options, e);
    if (ok && source->adapt)
        source->adapt(source->context, &model->net);
    ok = ok && steps_fuse(&model->steps, &model->net, e);
    if (ok)
        choose_algorithms(model, options, algos);
    ok = ok && weights_pack(&model->weights, &model->net, &model->steps, source, team, e);
    if (!ok)
        model_free(model);
    return ok;
}

bool model_make(struct model *model, const struct model_options *options,
                const struct param_source *source, struct team *team, struct error *e)
{
    return model_make_tuned(model, options, NULL, source, team, e);
}

void model_free(struct model *model)
{
    weights_free(&model->weights);
    steps_free(&model->steps);
    network_free(&model->net);
}

const char *model_algo_name(const struct model *model)
{
    return model->tuned ? "tuned" : algo_name(model->request);
}

const struct tensor *model_image(const struct model *model, const struct layout *layout)
{
    return &layout->values[model->steps.image];
}

const char *model_step_name(const struct model *model, int step, char name[48])
{
    return node_short_name(&model->net.nodes[model->steps.step[step].node], name);
}
