#include "harness/measure/conditions.h"

#include "arch/clock.h"
#include "arch/quota.h"
#include "harness/measure/system_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void mark(struct conditions_reader *reader, int cpu, enum cpu_role role)
{
    if (cpu >= 0 && cpu < CONDITIONS_MAX_CPUS && reader->role[cpu] < role)
        reader->role[cpu] = (uint8_t)role;
}

/* "0-1,8": the hardware threads of a core. */
static void mark_siblings(struct conditions_reader *reader, int cpu)
{
    char path[96], list[256];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    if (!system_file_read(reader->root, path, list, sizeof list))
        return;
    char *at = list;
    while (*at >= '0' && *at <= '9') {
        long first = strtol(at, &at, 10), last = *at == '-' ? strtol(at + 1, &at, 10) : first;
        for (long i = first; i <= last && i < CONDITIONS_MAX_CPUS; i++)
            mark(reader, (int)i, CPU_ROLE_SIBLING);
        at += *at == ',';
    }
}

void conditions_watch(struct conditions_reader *reader, const char *root, const int *used,
                      int count)
{
    *reader = (struct conditions_reader){.root = root};
    for (int i = 0; i < count; i++) {
        if (used[i] < 0 || used[i] >= CONDITIONS_MAX_CPUS)
            continue;
        reader->cpus += reader->role[used[i]] != CPU_ROLE_USED;
        mark(reader, used[i], CPU_ROLE_USED);
        mark_siblings(reader, used[i]);
    }
}

/* A line "cpu3 user nice system idle iowait irq softirq steal …" of /proc/stat, in ticks (proc(5));
 * guests' time is part of user. */
static void add_cpu(const struct conditions_reader *reader, const char *line, double tick,
                    struct counters *c)
{
    int cpu;
    double user, nice, system, idle, iowait, irq, softirq, steal;
    if (sscanf(line, "cpu%d %lf %lf %lf %lf %lf %lf %lf %lf", &cpu, &user, &nice, &system, &idle,
               &iowait, &irq, &softirq, &steal) != 9 ||
        cpu < 0 || cpu >= CONDITIONS_MAX_CPUS)
        return;
    double busy = (user + nice + system + irq + softirq) * tick;
    switch ((enum cpu_role)reader->role[cpu]) {
    case CPU_ROLE_USED:
        c->used_s += busy;
        c->steal_s += steal * tick;
        break;
    case CPU_ROLE_SIBLING:
        c->sibling_s += busy;
        break;
    case CPU_ROLE_ELSEWHERE:
        c->elsewhere_s += busy;
    }
}

static void read_cpus(const struct conditions_reader *reader, struct counters *c)
{
    FILE *f = system_file_open(reader->root, "/proc/stat");
    char line[512];
    long hertz = sysconf(_SC_CLK_TCK);
    bool any = false;
    while (f && fgets(line, sizeof line, f) && strncmp(line, "cpu", 3) == 0) {
        add_cpu(reader, line, 1.0 / (double)(hertz > 0 ? hertz : 100), c);
        any = true;
    }
    if (f)
        fclose(f);
    if (!any)
        c->used_s = c->steal_s = c->sibling_s = c->elsewhere_s = NAN;
}

static double read_throttles(const struct conditions_reader *reader)
{
    static const char *const names[] = {"core_throttle_count", "package_throttle_count"};
    double sum = NAN, value;
    char path[96];
    for (int cpu = 0; cpu < CONDITIONS_MAX_CPUS; cpu++) {
        for (int i = 0; reader->role[cpu] == CPU_ROLE_USED && i < 2; i++) {
            snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/thermal_throttle/%s", cpu,
                     names[i]);
            if (system_file_number(reader->root, path, &value))
                sum = isnan(sum) ? value : sum + value;
        }
    }
    return sum;
}

void conditions_read(const struct conditions_reader *reader, struct counters *counters)
{
    struct rusage usage;
    struct timespec own;
    *counters = (struct counters){.ns = clock_ns()};
    read_cpus(reader, counters);
    counters->throttles = read_throttles(reader);
    if (!quota_throttled(reader->root, &counters->quota_throttled))
        counters->quota_throttled = NAN;
    counters->involuntary =
        getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_nivcsw : (double)NAN;
    counters->own_s = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own) == 0
                          ? (double)own.tv_sec + (double)own.tv_nsec * 1e-9
                          : (double)NAN;
}

void conditions_add(struct conditions *sum, const struct conditions_reader *reader,
                    const struct counters *before, const struct counters *after)
{
    double own = after->own_s - before->own_s;
    sum->cpus = reader->cpus;
    sum->measured_s += (double)(after->ns - before->ns) * 1e-9;
    sum->steal_s += after->steal_s - before->steal_s;
    sum->others_s += after->used_s - before->used_s - own;
    sum->own_s += own;
    sum->sibling_s += after->sibling_s - before->sibling_s;
    sum->elsewhere_s += after->elsewhere_s - before->elsewhere_s;
    sum->involuntary += after->involuntary - before->involuntary;
    sum->throttles += after->throttles - before->throttles;
    sum->quota_throttled += after->quota_throttled - before->quota_throttled;
}

/* What a clock of ten-millisecond ticks makes negative is nothing. */
static double share_of(const struct conditions *c, double seconds)
{
    double all = c->measured_s * c->cpus;
    return !(all > 0) ? (double)NAN : seconds < 0 ? 0 : seconds / all;
}

double conditions_steal_share(const struct conditions *c)
{
    return share_of(c, c->steal_s);
}

double conditions_others_share(const struct conditions *c)
{
    return share_of(c, c->others_s);
}

double conditions_sibling_share(const struct conditions *c)
{
    return share_of(c, c->sibling_s);
}

double conditions_elsewhere_cores(const struct conditions *c)
{
    return c->measured_s > 0 ? c->elsewhere_s / c->measured_s : (double)NAN;
}
