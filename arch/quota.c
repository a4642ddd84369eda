#include "arch/quota.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A mounted cgroup hierarchy that may hold CPU quotas. */
struct hierarchy {
    bool v2;
    char root[PATH_MAX]; /**< the group that is seen at the mount point */
    char point[PATH_MAX];
};

static FILE *open_under(const char *root, const char *directory, const char *file)
{
    char path[3 * PATH_MAX];
    int length = snprintf(path, sizeof path, "%s%s/%s", root, directory, file);
    return length < (int)sizeof path ? fopen(path, "re") : NULL;
}

/** Whether a comma-separated list names `item`. */
static bool lists(const char *list, const char *item)
{
    size_t length = strlen(item);
    while (*list) {
        size_t span = strcspn(list, ",");
        if (span == length && memcmp(list, item, length) == 0)
            return true;
        list += span + (list[span] != '\0');
    }
    return false;
}

/** Keeps the smaller limit, in cores; 0 is none. Quota and period are microseconds. */
static void tighten(double *limit, long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return;
    double cores = (double)quota / (double)period;
    if (*limit == 0 || cores < *limit)
        *limit = cores;
}

/** Reads up to two integers from a file; those that are not there become 0. */
static void read_numbers(const char *root, const char *directory, const char *file,
                         long long numbers[2])
{
    numbers[0] = numbers[1] = 0;
    FILE *f = open_under(root, directory, file);
    if (!f)
        return;
    if (fscanf(f, "%18lld %18lld", &numbers[0], &numbers[1]) < 1)
        numbers[0] = 0; /* "max 100000" */
    fclose(f);
}

/** Something to be read of every group on the way. */
typedef void group_reader(const char *root, const char *directory, bool v2, double *value);

/** Takes up the limit of one group, from the kernel's cgroup-v2.rst and sched-bwc.rst. */
static void read_limit(const char *root, const char *directory, bool v2, double *limit)
{
    long long quota[2], period[2];
    if (v2) {
        read_numbers(root, directory, "cpu.max", quota);
        tighten(limit, quota[0], quota[1]);
    } else {
        read_numbers(root, directory, "cpu.cfs_quota_us", quota); /* -1 for no limit */
        read_numbers(root, directory, "cpu.cfs_period_us", period);
        tighten(limit, quota[0], period[0]);
    }
}

/** Adds a group's nr_throttled, which v1 and v2 have in a file of the same name. */
static void read_throttled(const char *root, const char *directory, bool v2, double *periods)
{
    FILE *f = open_under(root, directory, "cpu.stat");
    char line[128];
    double count;
    (void)v2;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "nr_throttled %lf", &count) == 1 && count >= 0)
            *periods = (*periods < 0 ? 0 : *periods) + count;
    }
    if (f)
        fclose(f);
}

/**
 * The path of `group` below the mount point, with a leading slash, or "". A group outside what is
 * mounted (another namespace's view) cannot be reached; the mount point is then all there is.
 */
static const char *below_mount(const struct hierarchy *h, const char *group)
{
    size_t length = strcmp(h->root, "/") == 0 ? 0 : strlen(h->root);
    if (strncmp(group, h->root, length) != 0)
        return "";
    const char *below = group + length;
    return *below != '/' || below[1] == '\0' || strstr(below, "/..") ? "" : below;
}

static void walk_up(const char *root, const struct hierarchy *h, const char *group,
                    group_reader *read, double *value)
{
    char directory[2 * PATH_MAX];
    snprintf(directory, sizeof directory, "%s%s", h->point, below_mount(h, group));
    for (;;) {
        read(root, directory, h->v2, value);
        char *slash = strrchr(directory, '/');
        if (strlen(directory) <= strlen(h->point) || !slash)
            return;
        *slash = '\0';
    }
}

/** Finds the group of this process in the v2 hierarchy, or in that of v1's cpu controller. */
static bool find_group(const char *root, bool v2, char group[PATH_MAX])
{
    FILE *f = open_under(root, "/proc/self", "cgroup");
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    while (f && !found && getline(&line, &size, f) >= 0) { /* "4:cpu,cpuacct:/group" */
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(++controllers, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        found = v2 ? *controllers == '\0' : lists(controllers, "cpu");
        snprintf(group, PATH_MAX, "%s", path);
    }
    free(line);
    if (f)
        fclose(f);
    return found;
}

/** Undoes the octal escapes (\040 for a space) of mountinfo. */
static void unescape(char *text)
{
    char *out = text;
    while (*text) {
        if (*text == '\\' && strspn(text + 1, "01234567") >= 3) {
            *out++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
            text += 4;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

/**
 * Understands a line of mountinfo (proc(5)) if it mounts such a hierarchy:
 * "31 23 0:29 /root /mount/point rw,relatime shared:9 - cgroup cgroup rw,cpu".
 */
static bool parse_mount(const char *line, struct hierarchy *h)
{
    _Static_assert(PATH_MAX == 4096, "the field widths below are PATH_MAX - 1");
    const char *tail = strstr(line, " - ");
    char type[16], options[256];
    if (!tail || sscanf(tail, " - %15s %*s %255s", type, options) != 2 ||
        sscanf(line, "%*s %*s %*s %4095s %4095s", h->root, h->point) != 2)
        return false;
    unescape(h->root);
    unescape(h->point);
    h->v2 = strcmp(type, "cgroup2") == 0;
    return h->v2 || (strcmp(type, "cgroup") == 0 && lists(options, "cpu"));
}

/** Reads all groups of this process up to their roots. */
static void read_groups(const char *root, group_reader *read, double *value)
{
    FILE *f = open_under(root, "/proc/self", "mountinfo");
    if (!f)
        return;
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, f) >= 0) {
        struct hierarchy h;
        char group[PATH_MAX];
        if (parse_mount(line, &h) && find_group(root, h.v2, group))
            walk_up(root, &h, group, read, value);
    }
    free(line);
    fclose(f);
}

bool quota_read(const char *root, double *cores)
{
    *cores = 0;
    read_groups(root, read_limit, cores);
    return *cores > 0;
}

bool quota_throttled(const char *root, double *periods)
{
    *periods = -1;
    read_groups(root, read_throttled, periods);
    return *periods >= 0;
}

int quota_default_threads(int allowed_cores, double quota)
{
    int threads = allowed_cores;
    if (quota > 0 && quota < threads) {
        threads = (int)quota;
        threads += threads < quota;
    }
    return threads > 1 ? threads : 1;
}
