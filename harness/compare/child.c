#include "harness/compare/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINE ((size_t)1 << 20)
#define SILENCE_MS 120000
#define END_MS 10000

extern char **environ;

/* Pipes to stdin and from stdout and stderr of the child: [stream][0 reads, 1 writes]. */
static bool make_pipes(int pipes[3][2])
{
    for (int i = 0; i < 3; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) != 0)
            return false;
    }
    return true;
}

static int spawn(struct child *child, int pipes[3][2], char *const *arguments)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&actions, pipes[i][i == 0 ? 0 : 1], i);
    int status =
        posix_spawnp(&child->pid, child->program, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return status;
}

bool child_start(struct child *child, const char *program, char *const *arguments, struct error *e)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    *child = (struct child){.program = program, .to = -1, .from = -1, .complaints = -1};
    int status = make_pipes(pipes) ? spawn(child, pipes, arguments) : errno;
    child->pid = status == 0 ? child->pid : 0;
    child->to = pipes[0][1];
    child->from = pipes[1][0];
    child->complaints = pipes[2][0];
    int theirs[] = {pipes[0][0], pipes[1][1], pipes[2][1]};
    for (int i = 0; i < 3; i++) {
        if (theirs[i] >= 0)
            close(theirs[i]);
    }
    return status == 0 || error_set(e, "cannot start %.200s: %s", program, strerror(status));
}

/* It has ended: what it said last on stderr, or how it ended. */
static bool explain_end(struct child *child, struct error *e)
{
    char text[400];
    size_t used = 0;
    ssize_t got = 1;
    while (got > 0 && used < sizeof text - 1) {
        struct pollfd wait = {.fd = child->complaints, .events = POLLIN};
        got = poll(&wait, 1, 1000) == 1
                  ? read(child->complaints, text + used, sizeof text - 1 - used)
                  : 0;
        used += got > 0 ? (size_t)got : 0;
    }
    while (used > 0 && text[used - 1] == '\n')
        used--;
    text[used] = '\0';
    return error_set(e, "%.100s sample has ended: %s", child->program,
                     used > 0 ? text : "it said nothing; is it resmark?");
}

bool child_tell(struct child *child, const char *text, struct error *e)
{
    size_t length = strlen(text);
    ssize_t written = write(child->to, text, length);
    if (written == (ssize_t)length)
        return true;
    return written < 0 && errno == EPIPE
               ? explain_end(child, e)
               : error_set(e, "cannot write to %.200s: %s", child->program, strerror(errno));
}

/* Reads some more behind what is there. */
static bool read_more(struct child *child, struct error *e)
{
    memmove(child->line, child->line + child->begin, child->end - child->begin);
    child->end -= child->begin;
    child->begin = 0;
    if (child->end == child->capacity)
        return error_set(e, "%.200s: a line is longer than %zu KiB; is it resmark?", child->program,
                         MAX_LINE >> 10);
    struct pollfd wait = {.fd = child->from, .events = POLLIN};
    int ready = poll(&wait, 1, SILENCE_MS);
    if (ready == 0)
        return error_set(e, "%.200s says nothing for %d seconds", child->program,
                         SILENCE_MS / 1000);
    ssize_t got =
        ready < 0 ? -1 : read(child->from, child->line + child->end, child->capacity - child->end);
    if (got < 0)
        return error_set(e, "cannot read from %.200s: %s", child->program, strerror(errno));
    child->end += (size_t)got;
    return got > 0 || explain_end(child, e);
}

char *child_line(struct child *child, struct error *e)
{
    if (!child->line) {
        child->line = malloc(MAX_LINE);
        child->capacity = child->line ? MAX_LINE : 0;
        if (!child->line) {
            error_set(e, "no memory for the answers of %.200s", child->program);
            return NULL;
        }
    }
    for (;;) {
        char *from = child->line + child->begin;
        char *newline = memchr(from, '\n', child->end - child->begin);
        if (newline) {
            *newline = '\0';
            child->begin = (size_t)(newline - child->line) + 1;
            return from;
        }
        if (!read_more(child, e))
            return NULL;
    }
}

static bool has_ended(pid_t pid)
{
    pid_t ended = waitpid(pid, NULL, WNOHANG);
    return ended == pid || (ended < 0 && errno == ECHILD);
}

void child_end(struct child *child)
{
    int ends[] = {child->to, child->from, child->complaints};
    for (int i = 0; i < 3 && child->program; i++) {
        if (ends[i] >= 0)
            close(ends[i]);
    }
    bool ended = child->pid == 0;
    for (int waited = 0; !ended && waited < END_MS; waited += 2) {
        ended = has_ended(child->pid);
        if (!ended)
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    if (!ended) {
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
    }
    free(child->line);
    *child = (struct child){0};
}
