/**
 * The operator cases that ONNX publishes (Debian's libonnx-testdata), on the kernels of every
 * usable ISA. Usage: onnx_operators [DIRECTORY...]. Prints a line for each case that was run, then
 * the others by operator and reason with their names. Exit status 77 without a directory that is
 * there.
 *
 * The tolerance is that of ONNX's own runner (onnx/backend/test/runner: rtol 1e-3, atol 1e-7).
 */
#include "tests/operator_runs.h"

#include "arch/cpu.h"
#include "harness/machine.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RELATIVE 1e-3
#define ABSOLUTE 1e-7

/** A case that was not run. */
struct rest {
    char reason[96]; /**< the operator, and what of it is missing */
    char name[96];
};

struct survey {
    struct isa_list isas;
    int passed, failed, rest_count;
    struct rest rest[4096];
};

static uint8_t *read_file(const char *path, size_t *size)
{
    uint8_t *bytes = malloc(1 << 22);
    FILE *f = fopen(path, "rb");
    *size = f && bytes ? fread(bytes, 1, 1 << 22, f) : 0;
    if (f)
        fclose(f);
    return bytes;
}

/* A copy of a float tensor; without data for anything else. A file that holds a sequence can look
 * like a tensor, but its dimensions are not those of its data. */
static struct array make_array(const Onnx__TensorProto *t)
{
    struct array a = {.rank = (int)t->n_dims, .count = 1};
    for (size_t i = 0; i < t->n_dims && i < 8; i++) {
        a.dims[i] = t->dims[i];
        a.count *= (size_t)t->dims[i];
    }
    const void *data = t->has_raw_data ? (const void *)t->raw_data.data : t->float_data;
    size_t held = t->has_raw_data ? t->raw_data.len / sizeof *a.data : t->n_float_data;
    if (t->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || held != a.count)
        return a;
    a.data = calloc(a.count + 1, sizeof *a.data);
    if (a.data && a.count > 0)
        memcpy(a.data, data, a.count * sizeof *a.data);
    return a;
}

static struct array read_array(const char *folder, const char *kind, size_t index)
{
    char path[PATH_MAX];
    size_t size;
    struct array a = {0};
    snprintf(path, sizeof path, "%s/test_data_set_0/%s_%zu.pb", folder, kind, index);
    uint8_t *bytes = read_file(path, &size);
    Onnx__TensorProto *t = size > 0 ? onnx__tensor_proto__unpack(NULL, size, bytes) : NULL;
    if (t) {
        a = make_array(t);
        onnx__tensor_proto__free_unpacked(t, NULL);
    }
    free(bytes);
    return a;
}

/* A node's input: an initializer, or what the files hold for an input of the graph. */
static struct array find_input(const Onnx__GraphProto *g, const char *folder, const char *name)
{
    size_t file = 0;
    for (size_t i = 0; i < g->n_initializer; i++) {
        if (strcmp(g->initializer[i]->name, name) == 0)
            return make_array(g->initializer[i]);
    }
    for (; file < g->n_input; file++) {
        if (strcmp(g->input[file]->name, name) == 0)
            return read_array(folder, "input", file);
    }
    return (struct array){0};
}

static bool is_close(const float *got, const struct array *expected)
{
    for (size_t i = 0; i < expected->count; i++) {
        double error = fabs((double)got[i] - (double)expected->data[i]);
        if (!(error <= ABSOLUTE + RELATIVE * fabs((double)expected->data[i])))
            return false;
    }
    return true;
}

static void leave_out(struct survey *s, const char *name, const char *op, const char *why)
{
    struct rest *r = &s->rest[s->rest_count];
    if (s->rest_count < (int)(sizeof s->rest / sizeof *s->rest))
        s->rest_count++;
    snprintf(r->reason, sizeof r->reason, "%s: %s", op, why);
    snprintf(r->name, sizeof r->name, "%s", name);
}

static void run_case(struct survey *s, const struct operator_case *c, const char *name)
{
    float *out = calloc(c->expected.count + 1, sizeof *out);
    char isas[64] = "";
    bool ok = true;
    for (int i = 0; i < s->isas.count && out; i++) {
        const struct kernel_set *set = kernel_set_get(s->isas.isas[i]);
        memset(out, 0xff, c->expected.count * sizeof *out); /* NaN: what is not written fails */
        const char *why = operator_run(c, set, out);
        if (why) {
            leave_out(s, name, c->node->op_type, why);
            free(out);
            return;
        }
        bool close = is_close(out, &c->expected);
        ok = ok && close;
        snprintf(isas + strlen(isas), sizeof isas - strlen(isas), " %s%s", set->name,
                 close ? "" : " DIFFERS");
    }
    printf("%-7s %-44s %-20s%s\n", ok ? "pass" : "FAIL", name, c->node->op_type, isas);
    s->passed += ok;
    s->failed += !ok;
    free(out);
}

static void run_model(struct survey *s, const Onnx__GraphProto *g, const char *folder,
                      const char *name)
{
    struct operator_case c = {.node = g->n_node == 1 ? g->node[0] : NULL};
    if (!c.node) {
        leave_out(s, name, "graphs", "of several operators");
        return;
    }
    bool floats = c.node->n_input <= OPERATOR_MAX_INPUTS && c.node->n_output >= 1;
    for (size_t i = 0; i < c.node->n_input && floats; i++) {
        c.inputs[i] = find_input(g, folder, c.node->input[i]);
        floats = c.inputs[i].data || !*c.node->input[i];
    }
    c.expected = read_array(folder, "output", 0);
    if (floats && c.expected.data && c.expected.count > 0)
        run_case(s, &c, name);
    else
        leave_out(s, name, c.node->op_type, "not all float32, or sequences");
    for (size_t i = 0; i < OPERATOR_MAX_INPUTS; i++)
        free(c.inputs[i].data);
    free(c.expected.data);
}

static void run_folder(struct survey *s, const char *directory, const char *name)
{
    char folder[PATH_MAX], path[PATH_MAX + 16];
    size_t size;
    snprintf(folder, sizeof folder, "%s/%s", directory, name);
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    uint8_t *bytes = read_file(path, &size);
    Onnx__ModelProto *model = size > 0 ? onnx__model_proto__unpack(NULL, size, bytes) : NULL;
    if (model && model->graph)
        run_model(s, model->graph, folder, name);
    else
        leave_out(s, name, "files", "no model");
    if (model)
        onnx__model_proto__free_unpacked(model, NULL);
    free(bytes);
}

static int is_case(const struct dirent *entry)
{
    return strncmp(entry->d_name, "test_", 5) == 0;
}

static bool run_directory(struct survey *s, const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_case, alphasort);
    for (int i = 0; i < count; i++) {
        run_folder(s, directory, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return count > 0;
}

static int compare_rest(const void *a, const void *b)
{
    const struct rest *x = a, *y = b;
    int order = strcmp(x->reason, y->reason);
    return order ? order : strcmp(x->name, y->name);
}

static void print_rest(struct survey *s)
{
    qsort(s->rest, (size_t)s->rest_count, sizeof *s->rest, compare_rest);
    for (int i = 0; i < s->rest_count; i++) {
        if (i == 0 || strcmp(s->rest[i].reason, s->rest[i - 1].reason) != 0)
            printf("\nnot run, %s:", s->rest[i].reason);
        printf(" %s", s->rest[i].name);
    }
    printf("\n\n%d cases pass, %d fail, %d are not of resmark's kernels\n", s->passed, s->failed,
           s->rest_count);
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"/usr/share/libonnx-testdata/data/node",
                                        "/usr/share/libonnx-testdata/data/pytorch-converted",
                                        "/usr/share/libonnx-testdata/data/pytorch-operator"};
    static struct survey survey;
    struct cpu cpu;
    struct error e;
    bool any = false;
    cpu_detect(&cpu);
    if (!isa_select(&cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), NULL, &survey.isas, &e)) {
        fprintf(stderr, "onnx_operators: %s\n", e.text);
        return 1;
    }
    for (int i = 1; i < argc; i++)
        any = run_directory(&survey, argv[i]) || any;
    for (int i = 0; i < 3 && argc == 1; i++)
        any = run_directory(&survey, usual[i]) || any;
    if (!any) {
        fprintf(stderr, "onnx_operators: no cases; on Debian install libonnx-testdata\n");
        return 77;
    }
    print_rest(&survey);
    return survey.failed > 0 || survey.passed == 0;
}
