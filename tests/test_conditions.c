/* What the system's counters say, from made-up /proc and /sys trees. */
#include "harness/measure/clock_policy.h"
#include "harness/measure/conditions.h"
#include "harness/measure/energy.h"
#include "tests/fake_root.h"

#include <math.h>

#define CPU "/sys/devices/system/cpu"
#define RAPL "/sys/class/powercap/intel-rapl:"

/* CPUs 0 and 2 are one core, 1 and 3 the other; ticks are hundredths of a second. */
static const char stat_before[] = "cpu  9 9 9 9 9 9 9 9 0 0\n"
                                  "cpu0 1000 0 100 5000 10 1 2 50 0 0\n"
                                  "cpu1 2000 5 100 5000 10 1 2 60 0 0\n"
                                  "cpu2 3000 0 100 5000 10 1 2 70 0 0\n"
                                  "cpu3 4000 0 100 5000 10 1 2 80 0 0\n"
                                  "intr 5 0 0\n";
static const char stat_after[] = "cpu  9 9 9 9 9 9 9 9 0 0\n"
                                 "cpu0 1070 10 105 5000 10 2 3 58 0 0\n"
                                 "cpu1 2030 5 100 5000 10 1 2 60 0 0\n"
                                 "cpu2 3020 0 100 5000 10 1 2 70 0 0\n"
                                 "cpu3 4010 0 100 5000 99 1 2 99 0 0\n"
                                 "intr 6 0 0\n";

static void watch_cpu_0(struct conditions_reader *reader, const char *root)
{
    fake_root_write(root, CPU "/cpu0/topology/thread_siblings_list", "0,2\n");
    conditions_watch(reader, root, (int[]){0, -1, 0}, 3);
}

Test(conditions, times_go_to_the_cpus_they_belong_to)
{
    static struct conditions_reader reader;
    struct counters before, after;
    struct conditions sum = {0};
    char root[PATH_MAX];
    fake_root_make(root);
    watch_cpu_0(&reader, root);
    fake_root_write(root, "/proc/stat", stat_before);
    conditions_read(&reader, &before);
    fake_root_write(root, "/proc/stat", stat_after);
    conditions_read(&reader, &after);
    fake_root_remove(root);
    before.ns = 0;
    after.ns = 1000000000;
    after.own_s = before.own_s + 0.5;
    conditions_add(&sum, &reader, &before, &after);
    cr_expect_eq(sum.cpus, 1);
    cr_expect_float_eq(conditions_steal_share(&sum), 0.08, 1e-9, "%g", sum.steal_s);
    cr_expect_float_eq(conditions_others_share(&sum), 0.37, 1e-9, "%g", sum.others_s);
    cr_expect_float_eq(conditions_sibling_share(&sum), 0.2, 1e-9, "%g", sum.sibling_s);
    cr_expect_float_eq(conditions_elsewhere_cores(&sum), 0.4, 1e-9, "%g", sum.elsewhere_s);
}

Test(conditions, throttling_and_quota_are_differences)
{
    static struct conditions_reader reader;
    struct counters before, after;
    struct conditions sum = {0};
    char root[PATH_MAX];
    fake_root_make(root);
    watch_cpu_0(&reader, root);
    fake_root_write(root, CPU "/cpu0/thermal_throttle/core_throttle_count", "5\n");
    fake_root_write(root, CPU "/cpu0/thermal_throttle/package_throttle_count", "7\n");
    fake_root_write(root, CPU "/cpu1/thermal_throttle/core_throttle_count", "100\n");
    fake_root_write(root, "/proc/self/mountinfo", "30 24 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
    fake_root_write(root, "/proc/self/cgroup", "0::/job\n");
    fake_root_write(root, "/cg/job/cpu.stat", "nr_throttled 10\n");
    conditions_read(&reader, &before);
    fake_root_write(root, CPU "/cpu0/thermal_throttle/core_throttle_count", "8\n");
    fake_root_write(root, CPU "/cpu1/thermal_throttle/core_throttle_count", "900\n");
    fake_root_write(root, "/cg/job/cpu.stat", "nr_throttled 12\n");
    conditions_read(&reader, &after);
    fake_root_remove(root);
    conditions_add(&sum, &reader, &before, &after);
    cr_expect_eq(sum.throttles, 3, "%g", sum.throttles);
    cr_expect_eq(sum.quota_throttled, 2, "%g", sum.quota_throttled);
}

Test(conditions, nothing_to_read_is_unknown_and_no_failure)
{
    static struct conditions_reader reader;
    struct counters before, after;
    struct conditions sum = {0};
    conditions_watch(&reader, "/nonexistent", (int[]){0, 100000, -1}, 3);
    conditions_read(&reader, &before);
    conditions_read(&reader, &after);
    conditions_add(&sum, &reader, &before, &after);
    cr_expect(isnan(conditions_steal_share(&sum)) && isnan(conditions_others_share(&sum)));
    cr_expect(isnan(conditions_sibling_share(&sum)) && isnan(conditions_elsewhere_cores(&sum)));
    cr_expect(isnan(sum.throttles) && isnan(sum.quota_throttled));
    cr_expect(sum.involuntary >= 0 && sum.measured_s > 0);
}

Test(conditions, broken_files_are_survived)
{
    static const char *const broken[] = {"", "cpu", "cpu0\n", "cpu0 1 2 x\ncpu-1 1 1 1 1 1 1 1 1\n",
                                         "cpu99999999 1 1 1 1 1 1 1 1\n"};
    static struct conditions_reader reader;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct counters counters;
        char root[PATH_MAX];
        fake_root_make(root);
        fake_root_write(root, CPU "/cpu0/topology/thread_siblings_list", "0-99999999999,x\n");
        fake_root_write(root, "/proc/stat", broken[i]);
        conditions_watch(&reader, root, (int[]){0}, 1);
        conditions_read(&reader, &counters);
        cr_expect(isnan(counters.used_s) || counters.used_s == 0, "%zu: %g", i, counters.used_s);
        fake_root_remove(root);
    }
}

Test(energy, packages_are_summed_and_parts_are_not)
{
    struct energy_meter meter;
    struct energy_reading before, after;
    char root[PATH_MAX];
    fake_root_make(root);
    fake_root_write(root, RAPL "0/name", "package-0\n");
    fake_root_write(root, RAPL "0/energy_uj", "5000000\n");
    fake_root_write(root, RAPL "0/max_energy_range_uj", "10000000\n");
    fake_root_write(root, RAPL "1/name", "package-1\n");
    fake_root_write(root, RAPL "1/energy_uj", "1000000\n");
    fake_root_write(root, RAPL "1/max_energy_range_uj", "10000000\n");
    fake_root_write(root, RAPL "2/name", "psys\n");
    fake_root_write(root, RAPL "2/energy_uj", "77\n");
    energy_open(&meter, root);
    cr_assert_eq(meter.count, 2);
    cr_expect(energy_read(&meter, &before));
    fake_root_write(root, RAPL "0/energy_uj", "2000000\n"); /* went past its range */
    fake_root_write(root, RAPL "1/energy_uj", "1500000\n");
    cr_expect(energy_read(&meter, &after));
    cr_expect_float_eq(energy_between(&meter, &before, &after), 7.5, 1e-9);
    fake_root_remove(root);
    cr_expect_not(energy_read(&meter, &after), "counters that are gone were read");
}

Test(energy, none_has_a_reason)
{
    struct energy_meter meter;
    struct energy_reading reading;
    char root[PATH_MAX];
    energy_open(&meter, "/nonexistent");
    cr_expect(meter.count == 0 && strstr(meter.reason, "no RAPL"), "%s", meter.reason);
    cr_expect_not(energy_read(&meter, &reading));
    fake_root_make(root);
    fake_root_write(root, RAPL "0/name", "package-0\n");
    energy_open(&meter, root);
    fake_root_remove(root);
    cr_expect(meter.count == 0 && strstr(meter.reason, "energy_uj: No such file"), "%s",
              meter.reason);
}

Test(clock_policy, is_read_where_it_is_shown)
{
    struct clock_policy policy = {0};
    char root[PATH_MAX];
    clock_policy_read(&policy, "/nonexistent", 3);
    cr_expect(!*policy.governor && policy.turbo == -1 && policy.smt == -1);
    fake_root_make(root);
    fake_root_write(root, CPU "/cpu3/cpufreq/scaling_governor", "powersave\n");
    fake_root_write(root, CPU "/smt/active", "1\n");
    fake_root_write(root, CPU "/cpufreq/boost", "1\n");
    clock_policy_read(&policy, root, 3);
    cr_expect_str_eq(policy.governor, "powersave");
    cr_expect(policy.turbo == 1 && policy.smt == 1);
    fake_root_write(root, CPU "/intel_pstate/no_turbo", "1\n");
    clock_policy_read(&policy, root, 3);
    cr_expect_eq(policy.turbo, 0);
    fake_root_remove(root);
}
