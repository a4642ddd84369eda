#include "harness/kernel_check.h"

#include "arch/cpu.h"
#include "harness/kernel_check_case.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

const char *kernel_check_name(const struct kernel_set *set, enum kernel_op op)
{
    switch (op) {
#define NAME_OF(op)                                                                                \
    case KERNEL_##op:                                                                              \
        return set->op.name;
        KERNEL_OPS(NAME_OF)
#undef NAME_OF
    default:
        return "?";
    }
}

static void run_check(const struct kernel_set *set, enum kernel_op op,
                      const struct kernel_check_options *options, struct kernel_check_result *r)
{
    static bool (*const checks[KERNEL_OP_COUNT])(struct check *) = {
#define CHECK_OF(op) [KERNEL_##op] = check_##op,
        KERNEL_OPS(CHECK_OF)
#undef CHECK_OF
    };
    struct check c;
    r->ok = check_make(&c, set, options, r) && checks[op](&c);
    check_free(&c);
    r->finished = true;
}

/*
 * The child's part: signals get their default action, whatever the parent or a sanitizer set, so
 * that they are what the parent learns. It ends with the parent.
 */
static void prepare_child(int limit_seconds)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGALRM};
    const struct rlimit none = {0};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        signal(deadly[i], SIG_DFL);
        sigaddset(&set, deadly[i]);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm((unsigned)limit_seconds);
}

static const char *signal_name(int number, char buffer[24])
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},
                 {SIGFPE, "SIGFPE"},   {SIGABRT, "SIGABRT"}, {SIGTRAP, "SIGTRAP"},
                 {SIGKILL, "SIGKILL"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].number == number)
            return names[i].name;
    }
    snprintf(buffer, 24, "signal %d", number);
    return buffer;
}

static void describe_end(int status, int limit_seconds, struct kernel_check_result *r)
{
    char name[24];
    size_t size = sizeof r->problem;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(r->problem, size, "did not end within %d s", limit_seconds);
    else if (WIFSIGNALED(status))
        snprintf(r->problem, size, "crashed with %s", signal_name(WTERMSIG(status), name));
    else
        snprintf(r->problem, size, "ended the process with status %d", WEXITSTATUS(status));
}

/* False when there can be no process of its own. */
static bool run_isolated(const struct kernel_set *set, enum kernel_op op,
                         const struct kernel_check_options *options, struct kernel_check_result *r)
{
    struct kernel_check_result *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return false;
    pid_t child = fork();
    if (child == 0) {
        prepare_child(options->limit_seconds);
        run_check(set, op, options, shared);
        _exit(0);
    }
    int status = 0;
    bool waited = child > 0;
    while (waited && waitpid(child, &status, 0) < 0)
        waited = errno == EINTR;
    if (waited)
        *r = *shared;
    munmap(shared, sizeof *shared);
    if (waited && !r->finished && !*r->problem)
        describe_end(status, options->limit_seconds, r);
    r->isolated = waited;
    return waited;
}

static void explain(const struct kernel_set *set, enum kernel_op op,
                    const struct kernel_check_options *options, struct kernel_check_result *r)
{
    const char *name = kernel_check_name(set, op), *isa = isa_name(set->isa);
    unsigned long long seed = options->seed;
    snprintf(r->text, sizeof r->text,
             "%s: %s\n"
             "in case %ld: %s\n"
             "seed %llu; again: resmark kernels '%s' --isa %s --seed %llu%s\n",
             name, r->problem, r->cases, *r->at ? r->at : "before the first", seed, name, isa, seed,
             options->quick ? " --quick" : "");
}

bool kernel_check(const struct kernel_set *set, enum kernel_op op,
                  const struct kernel_check_options *options, struct kernel_check_result *result)
{
    assert(op < KERNEL_OP_COUNT && options->limit_seconds > 0);
    *result = (struct kernel_check_result){0};
    if (options->in_process || !run_isolated(set, op, options, result))
        run_check(set, op, options, result);
    if (!result->ok)
        explain(set, op, options, result);
    return result->ok;
}
