#include "harness/measure/energy.h"

#include "harness/measure/system_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* intel-rapl:0 is a package; intel-rapl:0:1 would be a part of it. AMD's carry the same name. */
#define DOMAIN_PATH "/sys/class/powercap/intel-rapl:%d/%s"

static bool add_domain(struct energy_meter *meter, int index)
{
    int n = meter->count;
    char path[64];
    double value;
    snprintf(path, sizeof path, DOMAIN_PATH, index, "name");
    if (!system_file_read(meter->root, path, meter->names[n], sizeof meter->names[n]))
        return false;
    /* "psys" is the whole board, of which the packages are a part. */
    if (strncmp(meter->names[n], "package", 7) != 0)
        return true;
    snprintf(path, sizeof path, DOMAIN_PATH, index, "max_energy_range_uj");
    if (!system_file_number(meter->root, path, &value))
        value = 0;
    meter->range_j[n] = value * 1e-6;
    snprintf(meter->paths[n], sizeof meter->paths[n], DOMAIN_PATH, index, "energy_uj");
    errno = 0;
    if (!system_file_number(meter->root, meter->paths[n], &value))
        snprintf(meter->reason, sizeof meter->reason, "%s: %s", meter->paths[n],
                 errno ? strerror(errno) : "no number");
    else
        meter->count++;
    return true;
}

void energy_open(struct energy_meter *meter, const char *root)
{
    *meter = (struct energy_meter){.root = root};
    snprintf(meter->reason, sizeof meter->reason, "no RAPL counters in /sys/class/powercap");
    for (int i = 0; i < ENERGY_MAX_DOMAINS && add_domain(meter, i); i++)
        ;
    if (meter->count > 0)
        meter->reason[0] = '\0';
}

bool energy_read(const struct energy_meter *meter, struct energy_reading *reading)
{
    for (int i = 0; i < meter->count; i++) {
        if (!system_file_number(meter->root, meter->paths[i], &reading->joules[i]))
            return false;
        reading->joules[i] *= 1e-6;
    }
    return meter->count > 0;
}

double energy_between(const struct energy_meter *meter, const struct energy_reading *before,
                      const struct energy_reading *after)
{
    double sum = 0;
    for (int i = 0; i < meter->count; i++) {
        double joules = after->joules[i] - before->joules[i];
        sum += joules < 0 ? joules + meter->range_j[i] : joules;
    }
    return sum;
}
