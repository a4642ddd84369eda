#include "harness/cmd_verify.h"

#include "harness/verify/against.h"
#include "harness/verify/options.h"
#include "harness/verify/record_file.h"
#include "harness/whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WHAT "verify file"

/* What of the request this machine cannot do; all of it is usage. */
static bool check_request(struct verify *v, struct error *e)
{
    struct verify_options *o = &v->options;
    int allowed = v->machine.topology.allowed_pus;
    if (!isa_select(&v->machine.cpu, machine_built_isas(), getenv(ISA_ENVIRONMENT), o->isa,
                    &v->isas, e))
        return false;
    if (o->thread_counts == 0) {
        o->threads[o->thread_counts++] = 1;
        if (v->machine.default_threads > 1)
            o->threads[o->thread_counts++] = v->machine.default_threads;
    }
    for (int i = 0; i < o->thread_counts; i++) {
        if (o->threads[i] > allowed)
            return error_set(e, "--threads %d: this process may use %d CPU%s; ask for 1 to %d",
                             o->threads[i], allowed, allowed == 1 ? "" : "s", allowed);
    }
    return true;
}

/* The request of a file to compare with: its network, size, batch, seed and algorithms. */
static bool follow_file(struct verify *v, struct error *e)
{
    struct verify_options *o = &v->options;
    if (!record_file_read(&v->other, o->against, e))
        return false;
    if (network_default_size(v->other.network) == 0)
        return error_set(e, "cannot use the " WHAT " %.200s: there is no network %s", o->against,
                         v->other.network);
    if (strcmp(v->other.weights, v->weights_file.sha256) != 0)
        return error_set(
            e, "cannot use the " WHAT " %.200s: it is of %s%s; %s", o->against,
            *v->other.weights ? "the weights of SHA-256 " : "synthetic weights", v->other.weights,
            *v->other.weights ? "give that file with --weights" : "leave out --weights");
    o->network = v->other.network;
    o->size = v->other.size;
    o->batch = v->other.batch;
    o->seed = v->other.seed;
    o->algo_count = 0;
    for (int i = 0; i < v->other.model_count; i++) {
        enum algo algo;
        const char *name = v->other.models[i].name;
        if (!algo_parse(name, &algo) || o->algo_count == ALGO_COUNT)
            return error_set(e, "cannot use the " WHAT " %.200s: this resmark cannot compute %s",
                             o->against, name);
        o->algos[o->algo_count++] = algo;
    }
    return true;
}

/* What the weights file holds, or the synthetic network. */
static bool open_weights(struct verify *v, struct error *e)
{
    struct verify_options *o = &v->options;
    v->classes = MODEL_DEFAULT_CLASSES;
    if (!o->weights)
        return true;
    if (!weights_file_open(&v->weights_file, o->weights, e))
        return false;
    o->network = v->weights_file.network.net.name;
    v->classes = v->weights_file.network.net.classes;
    if (o->size == 0)
        o->size = network_default_size(o->network);
    return true;
}

static void describe_record(struct verify *v)
{
    struct record *r = &v->record;
    const struct network *net = &v->models[0].model.net;
    snprintf(r->resmark_version, sizeof r->resmark_version, "%s", RESMARK_VERSION);
    snprintf(r->compiler, sizeof r->compiler, "%s", MACHINE_COMPILER);
    snprintf(r->cpu, sizeof r->cpu, "%s", v->machine.cpu.brand);
    snprintf(r->architecture, sizeof r->architecture, "%s",
             architecture_name(v->machine.cpu.architecture));
    snprintf(r->network, sizeof r->network, "%s", net->name);
    snprintf(r->variant, sizeof r->variant, "%s", net->variant);
    r->classes = net->classes;
    r->size = v->options.size;
    r->batch = v->options.batch;
    r->seed = v->options.seed;
    memcpy(r->weights, v->weights_file.sha256, sizeof r->weights);
}

/* Prints everything; false with `e` set when something is not as it must be. */
static bool report(struct verify *v, struct error *e)
{
    char again[1024];
    struct error problem;
    bool ok = verify_verdict(v, again, sizeof again, &problem);
    if (!v->options.json)
        verify_print(v, stdout);
    if (v->options.against) {
        struct error other;
        bool same = against_report(&v->record, &v->other, v->options.json ? NULL : stdout, &other);
        if (ok && !same)
            problem = other;
        ok = ok && same;
    }
    if (v->options.json && !verify_print_json(v, ok, ok ? "" : problem.text, stdout, e))
        return false;
    if (ok && !v->options.json)
        printf("verdict   everything agrees\n");
    else if (!ok && !v->options.json)
        printf("verdict   %s\n%s%s%s", problem.text, *again ? "again     " : "", again,
               *again ? "\n" : "");
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_set(e, "cannot write to standard output: %s", strerror(errno));
    if (!ok)
        *e = problem;
    return ok;
}

/* Returns the exit status, with `e` set unless it is 0. */
static int run_request(struct verify *v, struct error *e)
{
    const struct verify_options *o = &v->options;
    if (!machine_read(&v->machine, e))
        return 1;
    if (!check_request(v, e))
        return 2;
    if ((o->write && !whole_file_check(o->write, WHAT, e)) || !open_weights(v, e) ||
        (o->against && !follow_file(v, e)) || !verify_measure(v, e))
        return 1;
    describe_record(v);
    bool agrees = report(v, e);
    if (o->write && !record_file_write(&v->record, o->write, e))
        return 1;
    return agrees ? 0 : 1;
}

static bool print_help(struct error *e)
{
    return (fputs(verify_options_help, stdout) >= 0 && fflush(stdout) == 0) ||
           error_set(e, "cannot write to standard output: %s", strerror(errno));
}

int cmd_verify(int argc, char **argv)
{
    static struct verify v;
    struct error e;
    enum verify_parsed parsed = verify_options_parse(argc, argv, &v.options, &e);
    int status = parsed == VERIFY_PARSED_ERROR ? 2 : 0;
    if (parsed == VERIFY_PARSED_HELP)
        status = !print_help(&e);
    if (parsed == VERIFY_PARSED_RUN)
        status = run_request(&v, &e);
    if (status != 0)
        fprintf(stderr, "resmark verify: %s\n", e.text);
    verify_free(&v);
    return status;
}
