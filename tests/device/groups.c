#include "device/groups.h"

#include <criterion/criterion.h>

static const size_t most_items[3] = { 1024, 1024, 64 };

static size_t group_of(strata_device_class class, int dims, size_t x, size_t y, size_t z, size_t local[3])
{
    const size_t global[3] = { x, y, z };
    size_t items = 1;
    strata_groups_choose(class, dims, global, 1024, most_items, local);
    for (int d = 0; d < dims; d++) items *= local[d];
    return items;
}

Test(groups, are_large_for_large_ranges_and_small_for_small_ones)
{
    size_t local[3];
    cr_assert_eq(group_of(STRATA_CPU_CLASS, 1, 1000000, 1, 1, local), 256);
    cr_assert_eq(group_of(STRATA_CPU_CLASS, 1, 1000, 1, 1, local), 16);
    cr_assert_eq(group_of(STRATA_CPU_CLASS, 1, 10, 1, 1, local), 1);
    cr_assert_eq(group_of(STRATA_GPU_CLASS, 1, 1000000, 1, 1, local), 256);
    cr_assert_eq(group_of(STRATA_GPU_CLASS, 1, 10, 1, 1, local), 64);
}

Test(groups, fill_the_axes_from_the_first_without_many_idle_items)
{
    size_t local[3];
    cr_assert_eq(group_of(STRATA_GPU_CLASS, 2, 10, 100000, 1, local), 256);
    cr_assert_eq(local[0], 4);
    cr_assert_eq(local[1], 64);
    cr_assert_eq(group_of(STRATA_GPU_CLASS, 3, 1, 3, 500, local), 64);
    cr_assert_eq(local[2], 64);
    cr_assert_eq(group_of(STRATA_CPU_CLASS, 2, 512, 512, 1, local), 256);
    cr_assert_eq(local[0], 256);
}

Test(groups, keep_to_the_limits_of_kernel_and_device)
{
    const size_t global[2] = { 1, 1000000 }, narrow[2] = { 1024, 16 };
    size_t local[2];
    strata_groups_choose(STRATA_GPU_CLASS, 1, global + 1, 32, most_items, local);
    cr_assert_eq(local[0], 16);
    strata_groups_choose(STRATA_GPU_CLASS, 2, global, 1024, narrow, local);
    cr_assert_eq(local[1], 16);
}

Test(groups, round_ranges_up)
{
    cr_assert_eq(strata_groups_round(1, 16), 16);
    cr_assert_eq(strata_groups_round(16, 16), 16);
    cr_assert_eq(strata_groups_round(17, 16), 32);
}
