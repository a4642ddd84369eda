#include "harness/machine_json.h"
#include "harness/measure/system_file.h"
#include "harness/run_json.h"

#include "arch/clock.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The distribution's own name for itself (os-release(5)); null when it has none. */
static json_t *os_json(void)
{
    static const char key[] = "PRETTY_NAME=";
    FILE *f = system_file_open("", "/etc/os-release");
    char line[256] = "";
    json_t *name = NULL;
    while (f && !name && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, sizeof key - 1) != 0)
            continue;
        char *value = line + sizeof key - 1;
        value += *value == '"';
        value[strcspn(value, "\"\n")] = '\0';
        name = run_json_text(value);
    }
    if (f)
        fclose(f);
    return name ? name : json_null();
}

static json_t *memory_json(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? json_integer((json_int_t)pages * size) : json_null();
}

static json_t *kernel_json(void)
{
    struct utsname names;
    char text[sizeof names.sysname + sizeof names.release + 2];
    if (uname(&names) != 0)
        return json_null();
    snprintf(text, sizeof text, "%s %s", names.sysname, names.release);
    return run_json_text(text);
}

static json_t *switch_json(int value)
{
    return value < 0 ? json_null() : json_boolean(value);
}

json_t *run_json_machine(const struct run *run)
{
    const struct machine *m = &run->machine;
    const struct clock_policy *policy = &run->bench.policy;
    json_t *card = machine_cpu_json(&m->cpu);
    json_t *rest = json_pack(
        "{s:o, s:o, s:i, s:i, s:f, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:f}", "cpu",
        run_json_text(m->cpu.brand), "topology", machine_topology_json(&m->topology), "cores",
        m->topology.cores, "allowed_cores", m->topology.allowed_cores, "quota_cores", m->quota,
        "huge_pages", m->huge_pages, "memory_bytes", memory_json(), "kernel", kernel_json(), "os",
        os_json(), "hypervisor", m->cpu.features[CPU_HYPERVISOR], "governor",
        *policy->governor ? run_json_text(policy->governor) : json_null(), "turbo",
        switch_json(policy->turbo), "smt", switch_json(policy->smt), "tick_hz", clock_tick_hz());
    json_object_del(card, "brand");
    json_object_update(card, rest);
    json_decref(rest);
    return card;
}
