#include "harness/measure/clock_policy.h"

#include "harness/measure/system_file.h"

/* 1 or 0; -1 when the file is not there. */
static int read_switch(const char *root, const char *path)
{
    double value;
    return system_file_number(root, path, &value) ? value != 0 : -1;
}

void clock_policy_read(struct clock_policy *policy, const char *root, int cpu)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);
    system_file_read(root, path, policy->governor, sizeof policy->governor);
    policy->smt = read_switch(root, "/sys/devices/system/cpu/smt/active");
    policy->turbo = read_switch(root, "/sys/devices/system/cpu/cpufreq/boost");
    int off = read_switch(root, "/sys/devices/system/cpu/intel_pstate/no_turbo");
    if (off >= 0)
        policy->turbo = !off;
}
