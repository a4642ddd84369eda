#include "harness/machine_json.h"

json_t *machine_cpu_json(const struct cpu *cpu)
{
    json_t *features = json_array();
    for (int i = 0; i < CPU_FEATURE_COUNT; i++) {
        if (cpu->features[i])
            json_array_append_new(features, json_string(cpu_feature_name((enum cpu_feature)i)));
    }
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:o}", "architecture",
                     architecture_name(cpu->architecture), "vendor", cpu->vendor, "brand",
                     cpu->brand, "family", cpu->family, "model", cpu->model, "stepping",
                     cpu->stepping, "features", features);
}

static json_t *caches_json(const struct topology *t)
{
    json_t *caches = json_array();
    for (int i = 0; i < CACHE_LEVELS; i++) {
        const struct cache *cache = &t->caches[i];
        if (cache->bytes)
            json_array_append_new(caches, json_pack("{s:i, s:I, s:I, s:i}", "level", i + 1, "bytes",
                                                    (json_int_t)cache->bytes, "line_bytes",
                                                    (json_int_t)cache->line_bytes, "sharing_pus",
                                                    cache->sharing_pus));
    }
    return caches;
}

json_t *machine_topology_json(const struct topology *t)
{
    json_t *order = json_array();
    for (int i = 0; i < t->allowed_pus; i++)
        json_array_append_new(order, json_integer(t->pin_order[i]));
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "packages", t->packages,
                     "numa_nodes", t->numa_nodes, "cores", t->cores, "pus", t->pus, "core_kinds",
                     t->core_kinds, "allowed_cores", t->allowed_cores, "allowed_pus",
                     t->allowed_pus, "pin_order", order, "caches", caches_json(t));
}
