#include "harness/option_values.h"

#include "harness/team.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool option_digits(const char *text, uint64_t most, uint64_t *value, const char **end)
{
    if (*text < '0' || *text > '9')
        return false;
    char *stop;
    errno = 0;
    unsigned long long v = strtoull(text, &stop, 10);
    *value = v;
    *end = stop;
    return errno == 0 && v <= most;
}

bool option_integer(const char *name, const char *text, int low, int high, int *value,
                    struct error *e)
{
    uint64_t number;
    const char *end = "";
    if (!option_digits(text, (uint64_t)high, &number, &end) || *end || number < (uint64_t)low)
        return error_set(e, "--%s %s: it must be %d to %d", name, text, low, high);
    *value = (int)number;
    return true;
}

bool option_integers(const char *name, const char *text, int low, int high, int *values, int most,
                     int *count, struct error *e)
{
    const char *at = text;
    for (*count = 0; *count < most;) {
        uint64_t number;
        if (!option_digits(at, (uint64_t)high, &number, &at) || number < (uint64_t)low ||
            (*at && *at != ','))
            return error_set(e, "--%s %s: it must be %d to %d, or several of them between commas",
                             name, text, low, high);
        values[(*count)++] = (int)number;
        if (*at++ == '\0')
            return true;
    }
    return error_set(e, "--%s %s: at most %d values", name, text, most);
}

bool option_seed(const char *text, uint64_t *seed, struct error *e)
{
    const char *end = "";
    return (option_digits(text, UINT64_MAX, seed, &end) && !*end) ||
           error_set(e, "--seed %s: it must be a whole number under 2^64", text);
}

bool option_threads(const char *text, int *threads, int most, int *count, struct error *e)
{
    const char *at = text;
    for (*count = 0;;) {
        uint64_t value;
        if (!option_digits(at, TEAM_MAX_THREADS, &value, &at) || value == 0)
            return error_set(e, "--threads %s: thread counts are 1 to %d, separated by commas",
                             text, TEAM_MAX_THREADS);
        if (*count == most)
            return error_set(e, "--threads %s: at most %d thread counts", text, most);
        threads[(*count)++] = (int)value;
        if (*at == '\0')
            return true;
        if (*at++ != ',')
            return error_set(e, "--threads %s: '%s' is not a thread count", text, at - 1);
    }
}

bool option_algos(const char *text, enum algo *algos, int *count, struct error *e)
{
    char list[128];
    snprintf(list, sizeof list, "%s", text);
    *count = 0;
    for (char *rest = list, *name; (name = strsep(&rest, ",")) != NULL;) {
        enum algo algo;
        if (!algo_parse(name, &algo))
            return error_set(e, "--algo %s: '%s' is none of " ALGO_NAMES ", auto", text, name);
        for (int i = 0; i < *count; i++) {
            if (algos[i] == algo)
                return error_set(e, "--algo %s: %s is named twice", text, name);
        }
        algos[(*count)++] = algo;
    }
    return true;
}
