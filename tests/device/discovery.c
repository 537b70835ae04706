#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <strata/device.h>

Test(discovery, lists_every_device_with_what_is_known_of_it)
{
    strata_error err = { 0 };
    strata_device_info *list = NULL;
    size_t count = 0;
    cr_assert(strata_devices(&list, &count, &err), "%s", err.message);
    cr_assert_gt(count, 0, "the tests need an OpenCL device");
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(list[i].index, (int)i);
        cr_assert_gt(strlen(list[i].platform), 0);
        cr_assert_gt(strlen(list[i].name), 0);
        cr_assert_gt(list[i].compute_units, 0);
        cr_assert_gt(list[i].memory, 0);
        cr_assert_leq(list[i].max_allocation, list[i].memory);
        cr_assert_eq(list[i].class_default, list[i].is_cpu ? STRATA_CPU_CLASS : STRATA_GPU_CLASS);
    }
    free(list);
}

Test(discovery, orders_platforms_by_name_and_is_the_same_each_time)
{
    strata_error err = { 0 };
    strata_device_info *a = NULL, *b = NULL;
    size_t na = 0, nb = 0;
    cr_assert(strata_devices(&a, &na, &err) && strata_devices(&b, &nb, &err), "%s", err.message);
    cr_assert_eq(na, nb);
    for (size_t i = 0; i < na; i++) {
        cr_assert_str_eq(a[i].name, b[i].name);
        cr_assert(i == 0 || strcmp(a[i - 1].platform, a[i].platform) <= 0);
    }
    free(a);
    free(b);
}
