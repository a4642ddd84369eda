#include "harness/formats/keras_names.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MODEL_FOLDER "model_weights/"
#define VARIABLES "/vars/"

/** The variables of a layer's class, in their order. */
struct layer_class {
    const char *name;
    const char *variables[4];
};

static const struct layer_class classes[] = {
    {"conv2d", {"kernel", "bias"}},
    {"dense", {"kernel", "bias"}},
    {"batch_normalization", {"gamma", "beta", "moving_mean", "moving_variance"}},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool keras_in_model(const char *path)
{
    return begins(path, MODEL_FOLDER);
}

/* The class in the `length` bytes of a folder: "conv2d", or "conv2d_7". */
static const struct layer_class *find_class(const char *folder, size_t length)
{
    size_t stem = length;
    while (stem > 0 && isdigit((unsigned char)folder[stem - 1]))
        stem--;
    stem = stem > 0 && stem < length && folder[stem - 1] == '_' ? stem - 1 : length;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strlen(classes[i].name) == stem && memcmp(classes[i].name, folder, stem) == 0)
            return &classes[i];
    }
    return NULL;
}

/* Of "layers/conv2d_7/vars/0" the variable "kernel"; NULL for what no known layer has. */
static const char *find_variable(const char *path, const char *vars)
{
    const char *folder = memrchr(path, '/', (size_t)(vars - path));
    folder = folder ? folder + 1 : path;
    const struct layer_class *class = find_class(folder, (size_t)(vars - folder));
    const char *index = vars + strlen(VARIABLES);
    bool known = class && index[0] >= '0' && index[0] <= '3' && index[1] == '\0';
    return known ? class->variables[index[0] - '0'] : NULL;
}

static bool name_of_variable(const char *path, const char *vars, const char *layer,
                             char name[KERAS_NAME_SIZE], struct error *e)
{
    const char *variable = find_variable(path, vars);
    if (!variable)
        snprintf(name, KERAS_NAME_SIZE, "%s", path);
    else if (*layer)
        snprintf(name, KERAS_NAME_SIZE, "%s/%s/%s:0", layer, layer, variable);
    else
        return error_set(e,
                         "tensor %.80s: its layer has no name, which Keras writes since 3.6; load "
                         "the file into the model and save that with model.save(\"model.h5\")",
                         path);
    return true;
}

bool keras_weight_name(const char *path, const char *layer, bool in_model,
                       char name[KERAS_NAME_SIZE], struct error *e)
{
    static const char old_head[] = "probs/probs/", head[] = "predictions/predictions/";
    const char *vars = strstr(path, VARIABLES);
    *name = '\0';
    if (keras_in_model(path) != in_model || begins(path, "optimizer_weights/") ||
        begins(path, "optimizer" VARIABLES))
        return true;
    if (vars)
        return name_of_variable(path, vars, layer, name, e);
    path += in_model ? strlen(MODEL_FOLDER) : 0;
    bool old = begins(path, old_head);
    size_t length = strlen(path);
    bool numbered = length > 2 && strcmp(path + length - 2, ":0") == 0;
    snprintf(name, KERAS_NAME_SIZE, "%s%s%s", old ? head : "", path + (old ? strlen(old_head) : 0),
             numbered ? "" : ":0");
    return true;
}
