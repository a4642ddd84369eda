#include "harness/machine.h"

#include "arch/quota.h"

#include <stdio.h>
#include <string.h>

/* Reads the word that the kernel puts in brackets: "always [madvise] never". */
static void read_huge_pages(char *word, size_t size)
{
    char line[128] = "";
    FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
    if (f && !fgets(line, sizeof line, f))
        line[0] = '\0';
    if (f)
        fclose(f);
    const char *start = strchr(line, '[');
    size_t length = start ? strcspn(++start, "]") : 0;
    snprintf(word, size, "%.*s", (int)length, start ? start : "");
}

bool machine_read(struct machine *machine, struct error *e)
{
    *machine = (struct machine){0};
    cpu_detect(&machine->cpu);
    if (!topology_read(&machine->topology, e))
        return false;
    quota_read("", &machine->quota);
    machine->default_threads =
        quota_default_threads(machine->topology.allowed_cores, machine->quota);
    read_huge_pages(machine->huge_pages, sizeof machine->huge_pages);
    return true;
}

void machine_free(struct machine *machine)
{
    topology_free(&machine->topology);
}

unsigned machine_built_isas(void)
{
    unsigned built = 0;
    for (int i = 0; i < ISA_COUNT; i++)
        built |= kernel_set_get((enum isa)i) ? 1U << i : 0;
    return built;
}
