#include "device/cores.h"

#include <hwloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "device/device.h"

/* The machine as far as this process may see it, and the part of it that the process is bound to. */
static bool look(hwloc_topology_t *topology, hwloc_bitmap_t bound)
{
    if (hwloc_topology_init(topology) != 0)
        return false;
    hwloc_topology_set_cache_types_filter(*topology, HWLOC_TYPE_FILTER_KEEP_NONE);
    if (hwloc_topology_load(*topology) != 0) {
        hwloc_topology_destroy(*topology);
        return false;
    }
    const hwloc_const_bitmap_t allowed = hwloc_topology_get_allowed_cpuset(*topology);
    if (hwloc_get_cpubind(*topology, bound, HWLOC_CPUBIND_PROCESS) != 0)
        hwloc_bitmap_copy(bound, allowed);
    hwloc_bitmap_and(bound, bound, allowed);
    if (hwloc_bitmap_iszero(bound))
        hwloc_bitmap_copy(bound, allowed);
    return true;
}

static int share(int total, int part, int parts)
{
    return (int)((int64_t)total * part / parts);
}

/* Leaves cores [first, first + count) of `set`, in the order of the topology. */
static void keep(hwloc_topology_t topology, hwloc_bitmap_t set, int first, int count)
{
    hwloc_bitmap_t kept = hwloc_bitmap_alloc();
    hwloc_obj_t unit = NULL;
    int at = 0;
    if (!kept)
        return;
    while ((unit = hwloc_get_next_obj_inside_cpuset_by_type(topology, set, HWLOC_OBJ_PU, unit)) != NULL) {
        if (at >= first && at < first + count)
            hwloc_bitmap_or(kept, kept, unit->cpuset);
        at++;
    }
    if (!hwloc_bitmap_iszero(kept))
        hwloc_bitmap_copy(set, kept);
    hwloc_bitmap_free(kept);
}

/* A process that is bound to some cores has them to itself, unless others are bound alike. */
static struct cores part_of(hwloc_topology_t topology, hwloc_const_bitmap_t bound, int part, int parts, bool alike)
{
    const hwloc_const_bitmap_t allowed = hwloc_topology_get_allowed_cpuset(topology);
    const bool whole = hwloc_bitmap_isequal(bound, allowed);
    const int total = hwloc_bitmap_weight(bound);
    if (!whole && !alike) {
        part = 0;
        parts = 1;
    }
    const int first = share(total, part, parts), end = share(total, part + 1, parts);
    return (struct cores){ .first = first, .count = end > first ? end - first : 1, .machine = hwloc_bitmap_weight(allowed),
                           .pinned = !whole };
}

static void take(hwloc_topology_t topology, hwloc_bitmap_t bound, int part, int parts, bool alike, struct cores *cores)
{
    *cores = part_of(topology, bound, part, parts, alike);
    const int first = cores->first;
    if (cores->pinned)
        cores->first = -1;
    if (cores->count < hwloc_bitmap_weight(bound)) {
        keep(topology, bound, first, cores->count);
        cores->pinned = hwloc_set_cpubind(topology, bound, HWLOC_CPUBIND_PROCESS) == 0;
    }
}

void strata_cores_take(int part, int parts, bool alike, struct cores *cores)
{
    hwloc_topology_t topology;
    hwloc_bitmap_t bound = hwloc_bitmap_alloc();
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    cores->machine = online > 0 ? (int)online : 1;
    cores->first = share(cores->machine, part, parts);
    cores->count = share(cores->machine, part + 1, parts) - cores->first;
    cores->count = cores->count > 0 ? cores->count : 1;
    cores->pinned = false;
    if (bound && look(&topology, bound)) {
        take(topology, bound, part, parts, alike, cores);
        hwloc_topology_destroy(topology);
    }
    hwloc_bitmap_free(bound);
}

void strata_cores_tell_pocl(int part, int parts, bool alike)
{
    static const char *const names[] = { "POCL_MAX_PTHREAD_COUNT", "POCL_CPU_MAX_CU_COUNT" }; /* to PoCL 4; from 5 on */
    hwloc_topology_t topology;
    hwloc_bitmap_t bound = hwloc_bitmap_alloc();
    char count[16] = "";
    if (bound && look(&topology, bound)) {
        const struct cores cores = part_of(topology, bound, part, parts, alike);
        if (cores.count < cores.machine)
            snprintf(count, sizeof count, "%d", cores.count);
        hwloc_topology_destroy(topology);
    }
    hwloc_bitmap_free(bound);
    for (size_t i = 0; count[0] && i < sizeof names / sizeof *names; i++) setenv(names[i], count, 0);
}

uint64_t strata_process_binding(void)
{
    hwloc_topology_t topology;
    hwloc_bitmap_t bound = hwloc_bitmap_alloc();
    uint64_t hash = 0;
    if (bound && look(&topology, bound)) {
        for (int i = hwloc_bitmap_first(bound); i >= 0; i = hwloc_bitmap_next(bound, i))
            hash = XXH3_64bits_withSeed(&i, sizeof i, hash);
        hwloc_topology_destroy(topology);
    }
    hwloc_bitmap_free(bound);
    return hash;
}
