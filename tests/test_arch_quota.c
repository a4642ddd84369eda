/** CPU quotas, read from made-up /proc and /sys trees. */
#include "arch/quota.h"
#include "tests/fake_root.h"

#include <math.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

#define MOUNT_V2 "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define MOUNT_V1 "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
#define MOUNT_V1_SET "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
#define V2 "/sys/fs/cgroup"
#define V1 "/sys/fs/cgroup/cpu,cpuacct"

struct file {
    const char *path, *content;
};

struct tree {
    const char *what;
    double cores; /**< expected; 0 for none */
    const char *mountinfo, *cgroup;
    struct file files[8];
};

static const struct tree trees[] = {
    {"v2, a limit of one and a half cores",
     1.5,
     MOUNT_V2,
     "0::/job\n",
     {{V2 "/job/cpu.max", "150000 100000\n"}}},
    {"v2, no limit", 0, MOUNT_V2, "0::/job\n", {{V2 "/job/cpu.max", "max 100000\n"}}},
    {"v2, the parent is tighter",
     2,
     MOUNT_V2,
     "0::/slice/job\n",
     {{V2 "/slice/job/cpu.max", "400000 100000\n"}, {V2 "/slice/cpu.max", "100000 50000\n"}}},
    {"v2, the child is tighter",
     0.5,
     MOUNT_V2,
     "0::/slice/job\n",
     {{V2 "/slice/job/cpu.max", "50000 100000\n"}, {V2 "/slice/cpu.max", "300000 100000\n"}}},
    {"v2, only the grandparent has a limit",
     3,
     MOUNT_V2,
     "0::/a/b/c\n",
     {{V2 "/a/b/c/cpu.max", "max 100000\n"}, {V2 "/a/cpu.max", "300000 100000\n"}}},
    {"v2, a neighbour's limit is not ours",
     0,
     MOUNT_V2,
     "0::/a\n",
     {{V2 "/ab/cpu.max", "100000 100000\n"}, {V2 "/b/cpu.max", "100000 100000\n"}}},
    {"v2, a container whose own group is the root",
     4,
     MOUNT_V2,
     "0::/\n",
     {{V2 "/cpu.max", "400000 100000\n"}}},
    {"v2, the group lies outside of what is mounted",
     2,
     MOUNT_V2,
     "0::/../other\n",
     {{V2 "/cpu.max", "200000 100000\n"}, {V2 "/../other/cpu.max", "100000 100000\n"}}},
    {"v2, the group is gone",
     2,
     MOUNT_V2,
     "0::/slice/gone\n",
     {{V2 "/slice/cpu.max", "200000 100000\n"}}},
    {"v1, two cores",
     2,
     MOUNT_V1_SET MOUNT_V1,
     "5:cpuset:/set\n4:cpu,cpuacct:/job\n0::/\n",
     {{V1 "/job/cpu.cfs_quota_us", "200000\n"}, {V1 "/job/cpu.cfs_period_us", "100000\n"}}},
    {"v1, no limit",
     0,
     MOUNT_V1,
     "4:cpu,cpuacct:/job\n",
     {{V1 "/job/cpu.cfs_quota_us", "-1\n"}, {V1 "/job/cpu.cfs_period_us", "100000\n"}}},
    {"v1, the parent is tighter",
     0.25,
     MOUNT_V1,
     "4:cpuacct,cpu:/slice/job\n",
     {{V1 "/slice/job/cpu.cfs_quota_us", "100000\n"},
      {V1 "/slice/job/cpu.cfs_period_us", "100000\n"},
      {V1 "/slice/cpu.cfs_quota_us", "25000\n"},
      {V1 "/slice/cpu.cfs_period_us", "100000\n"}}},
    {"v1, cpuset and cpuacct are not cpu",
     0,
     MOUNT_V1_SET "33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n",
     "5:cpuset:/\n4:cpuacct:/\n3:cpu:/\n",
     {{V2 "/cpuset/cpu.cfs_quota_us", "100000\n"},
      {V2 "/cpuset/cpu.cfs_period_us", "100000\n"},
      {V2 "/cpuacct/cpu.cfs_quota_us", "100000\n"},
      {V2 "/cpuacct/cpu.cfs_period_us", "100000\n"}}},
    {"v1, a container that sees the host's group names",
     1,
     "40 39 0:29 /docker/1f /sys/fs/cgroup/cpu ro master:9 - cgroup cgroup rw,cpu\n",
     "4:cpu:/docker/1f/init\n",
     {{V2 "/cpu/cpu.cfs_quota_us", "100000\n"},
      {V2 "/cpu/cpu.cfs_period_us", "100000\n"},
      {V2 "/cpu/init/cpu.cfs_quota_us", "-1\n"}}},
    {"v1, a mount of a group whose name only begins like ours",
     1,
     "40 39 0:29 /docker/1 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n",
     "4:cpu:/docker/1fe\n",
     {{V2 "/cpu/cpu.cfs_quota_us", "100000\n"},
      {V2 "/cpu/cpu.cfs_period_us", "100000\n"},
      {V2 "/cpufe/cpu.cfs_quota_us", "50000\n"},
      {V2 "/cpufe/cpu.cfs_period_us", "100000\n"}}},
    {"v1, a mount of another group",
     1,
     "40 39 0:29 /docker/aa /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n",
     "4:cpu:/docker/bb/init\n",
     {{V2 "/cpu/cpu.cfs_quota_us", "100000\n"},
      {V2 "/cpu/cpu.cfs_period_us", "100000\n"},
      {V2 "/cpu/init/cpu.cfs_quota_us", "50000\n"},
      {V2 "/cpu/init/cpu.cfs_period_us", "100000\n"}}},
    {"both versions, each with a group of its own",
     2,
     MOUNT_V1 "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
     "4:cpu,cpuacct:/job\n1:name=systemd:/\n0::/user\n",
     {{V1 "/job/cpu.cfs_quota_us", "200000\n"},
      {V1 "/job/cpu.cfs_period_us", "100000\n"},
      {V2 "/unified/job/cpu.max", "100000 100000\n"},
      {V2 "/unified/user/cpu.max", "300000 100000\n"}}},
    {"what is above the mount point is no group",
     3,
     MOUNT_V2,
     "0::/job\n",
     {{V2 "/cpu.max", "300000 100000\n"}, {"/sys/fs/cpu.max", "100000 100000\n"}}},
    {"escapes in a mounted group and its mount point",
     1,
     "30 24 0:26 /a\\040b /c\\134d rw - cgroup2 none rw\n",
     "0::/a b/e\n",
     {{"/c\\d/e/cpu.max", "100000 100000\n"}}},
    {"a backslash that escapes nothing",
     1,
     "30 24 0:26 / /a\\x41 rw - cgroup2 none rw\n",
     "0::/\n",
     {{"/a\\x41/cpu.max", "100000 100000\n"}}},
    {"a mount point with a space",
     1,
     "30 24 0:26 / /a\\040b rw - cgroup2 none rw\n",
     "0::/x y\n",
     {{"/a b/x y/cpu.max", "100000 100000\n"}}},
    {"a group with colons",
     1,
     MOUNT_V2,
     "0::/a:b::c\n",
     {{V2 "/a:b::c/cpu.max", "100000 100000\n"}}},
    {"no mountinfo", 0, NULL, "0::/job\n", {{V2 "/job/cpu.max", "150000 100000\n"}}},
    {"no cgroup file", 0, MOUNT_V2, NULL, {{V2 "/cpu.max", "150000 100000\n"}}},
    {"nothing at all", 0, NULL, NULL, {{NULL, NULL}}},
    {"empty files", 0, "", "", {{V2 "/cpu.max", ""}}},
    {"broken: cpu.max is empty", 0, MOUNT_V2, "0::/\n", {{V2 "/cpu.max", ""}}},
    {"broken: cpu.max has no period", 0, MOUNT_V2, "0::/\n", {{V2 "/cpu.max", "100000\n"}}},
    {"broken: cpu.max is text", 0, MOUNT_V2, "0::/\n", {{V2 "/cpu.max", "lots of it\n"}}},
    {"broken: not a finite number", 0, MOUNT_V2, "0::/\n", {{V2 "/cpu.max", "inf nan\n"}}},
    {"broken: a period of 0", 0, MOUNT_V2, "0::/\n", {{V2 "/cpu.max", "100000 0\n"}}},
    {"broken: a negative quota", 0, MOUNT_V2, "0::/\n", {{V2 "/cpu.max", "-5 100000\n"}}},
    {"broken: v1 without its period",
     0,
     MOUNT_V1,
     "4:cpu:/\n",
     {{V1 "/cpu.cfs_quota_us", "100000\n"}}},
    {"broken, but the parent is not",
     2,
     MOUNT_V2,
     "0::/slice/job\n",
     {{V2 "/slice/job/cpu.max", "??\n"}, {V2 "/slice/cpu.max", "200000 100000\n"}}},
    {"broken lines among good ones",
     1,
     "\n30\n30 24 0:26 /\n- cgroup2\n30 24 0:26 / " V2 " rw - \n" MOUNT_V2,
     ":\nx\n7\n0::/job\n",
     {{V2 "/job/cpu.max", "100000 100000\n"}}},
    {"broken: an escape that ends too early",
     0,
     "30 24 0:26 / /a\\04 rw - cgroup2 none rw\n",
     "0::/\n",
     {{NULL, NULL}}},
};

static void make_tree(const struct tree *tree, char *root)
{
    fake_root_make(root);
    if (tree->mountinfo)
        fake_root_write(root, "/proc/self/mountinfo", tree->mountinfo);
    if (tree->cgroup)
        fake_root_write(root, "/proc/self/cgroup", tree->cgroup);
    for (int i = 0; i < COUNT(tree->files) && tree->files[i].path; i++)
        fake_root_write(root, tree->files[i].path, tree->files[i].content);
}

Test(quota, trees)
{
    for (int i = 0; i < COUNT(trees); i++) {
        char root[PATH_MAX];
        make_tree(&trees[i], root);
        double cores = -1;
        bool limited = quota_read(root, &cores);
        fake_root_remove(root);
        cr_expect_eq(limited, trees[i].cores > 0, "%s", trees[i].what);
        cr_expect_eq(cores, trees[i].cores, "%s: %g cores", trees[i].what, cores);
    }
}

Test(quota, throttled_periods_of_all_groups_on_the_way)
{
    static const struct tree v2 = {
        .mountinfo = MOUNT_V2,
        .cgroup = "0::/slice/job\n",
        .files = {{V2 "/slice/job/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 4\n"},
                  {V2 "/slice/cpu.stat", "nr_throttled 3\n"},
                  {V2 "/other/cpu.stat", "nr_throttled 100\n"}}};
    static const struct tree v1 = {
        .mountinfo = MOUNT_V1,
        .cgroup = "4:cpu,cpuacct:/job\n",
        .files = {{V1 "/job/cpu.stat", "nr_periods 9\nnr_throttled 0\nthrottled_time 0\n"}}};
    static const struct tree none = {.mountinfo = MOUNT_V2, .cgroup = "0::/job\n"};
    const struct tree *const all[] = {&v2, &v1, &none};
    const double expected[] = {7, 0, -1};
    for (int i = 0; i < COUNT(all); i++) {
        char root[PATH_MAX];
        double periods;
        make_tree(all[i], root);
        bool known = quota_throttled(root, &periods);
        fake_root_remove(root);
        cr_expect_eq(known, expected[i] >= 0, "tree %d", i);
        cr_expect_eq(periods, expected[i], "tree %d: %g", i, periods);
    }
}

Test(quota, root_that_is_not_there)
{
    double cores = -1;
    cr_expect_not(quota_read("/nonexistent", &cores));
    cr_expect_eq(cores, 0);
}

/** Whatever this machine grants, it is a number that threads can be counted from. */
Test(quota, this_machine)
{
    double cores = -1;
    bool limited = quota_read("", &cores);
    cr_expect_eq(limited, cores > 0);
    cr_expect(isfinite(cores) && cores >= 0);
}

Test(quota, default_threads)
{
    static const struct {
        int cores;
        double quota;
        int threads;
    } rows[] = {
        {8, 0, 8},    {8, 16, 8}, {8, 8, 8},  {8, 7.5, 8}, {8, 2, 2}, {8, 2.01, 3},
        {8, 0.05, 1}, {1, 0, 1},  {1, 64, 1}, {0, 0, 1},   {8, 1, 1}, {8, 1e300, 8},
    };
    for (int i = 0; i < COUNT(rows); i++)
        cr_expect_eq(quota_default_threads(rows[i].cores, rows[i].quota), rows[i].threads,
                     "%d cores, quota %g", rows[i].cores, rows[i].quota);
}
