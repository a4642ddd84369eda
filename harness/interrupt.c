#include "harness/interrupt.h"

#include <stddef.h>

static const int kinds[] = {SIGINT, SIGTERM, SIGHUP};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static void handle_all(const struct sigaction *action)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct sigaction old;
        if (sigaction(kinds[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(kinds[i], action, NULL);
    }
}

const volatile sig_atomic_t *interrupt_watch(void)
{
    handle_all(&(struct sigaction){.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND});
    return &interrupted;
}

void interrupt_ignore(void)
{
    handle_all(&(struct sigaction){.sa_handler = SIG_IGN});
}
