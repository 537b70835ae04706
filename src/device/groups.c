/* Measured with PoCL 3.1 (2 units, elementwise kernels): from 64 items a group on, the size makes no difference; 16
 * cost a tenth to a third. A large range takes 256; a small one takes 16, and a tiny one 1, because there each item
 * may be a whole row of work that the units have to share. PoCL compiles a kernel anew for each size (50 ms), so
 * there are few sizes. */
#include "device/groups.h"

enum { LARGE_RANGE = 65536, TINY_RANGE = 64 };

static size_t items_of_group(strata_device_class class, size_t total)
{
    if (total >= LARGE_RANGE)
        return 256;
    if (class == STRATA_GPU_CLASS)
        return 64;
    return total >= TINY_RANGE ? 16 : 1;
}

size_t strata_groups_round(size_t n, size_t group)
{
    const size_t over = n % group;
    return over ? n + (group - over) : n;
}

/* The largest power of four up to `most` that adds at most a quarter of idle items. */
static size_t fit(size_t n, size_t most)
{
    size_t group = most;
    while (group > 1 && strata_groups_round(n, group) - n > n / 4)
        group /= 4;
    return group;
}

void strata_groups_choose(strata_device_class class, int dims, const size_t *global, size_t most,
                          const size_t *most_items, size_t *local)
{
    size_t total = 1;
    for (int d = 0; d < dims; d++) total *= global[d];
    size_t left = items_of_group(class, total);
    while (left > 1 && left > most) left /= 4;
    for (int d = 0; d < dims; d++) {
        size_t group = left;
        while (group > 1 && group > most_items[d]) group /= 4;
        local[d] = dims == 1 ? group : fit(global[d], group);
        left /= local[d];
    }
}
