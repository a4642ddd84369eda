/** Energy that the CPU's packages use, through the kernel's powercap (RAPL) where it is readable.
 */
#ifndef RESMARK_HARNESS_MEASURE_ENERGY_H
#define RESMARK_HARNESS_MEASURE_ENERGY_H

#include <stdbool.h>
#include <stdint.h>

/** Most packages. */
#define ENERGY_MAX_DOMAINS 16

struct energy_meter {
    const char *root; /**< before every path, as for conditions */
    int count;        /**< domains that can be read; 0: none, for this reason */
    char reason[128];
    char paths[ENERGY_MAX_DOMAINS][64]; /**< of the counters */
    char names[ENERGY_MAX_DOMAINS][32]; /**< "package-0" */
    double range_j[ENERGY_MAX_DOMAINS]; /**< at which the counter starts again */
};

/** One reading of all domains. */
struct energy_reading {
    double joules[ENERGY_MAX_DOMAINS];
};

/** Finds the packages' counters (Documentation/power/powercap/powercap.rst); never fails. */
void energy_open(struct energy_meter *meter, const char *root);

/** Reads all domains. False when there are none, or one has become unreadable. */
bool energy_read(const struct energy_meter *meter, struct energy_reading *reading);

/** Joules of all domains between two readings less than one turn of the counters apart. */
double energy_between(const struct energy_meter *meter, const struct energy_reading *before,
                      const struct energy_reading *after);

#endif
