#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

Test(memory, a_product_that_overflows_is_out_of_memory)
{
    strata_error err = { 0 };
    cr_assert_null(strata_alloc(SIZE_MAX / 2, 3, &err));
    cr_assert_eq(err.code, STRATA_EMEMORY);
}

Test(memory, is_zeroed_and_never_empty)
{
    strata_error err = { 0 };
    int *some = strata_alloc(100, sizeof *some, &err);
    void *none = strata_alloc(0, 0, &err);
    for (int i = 0; i < 100; i++) cr_assert_eq(some[i], 0);
    cr_assert_not_null(none);
    free(some);
    free(none);
}

Test(memory, an_array_grows_and_keeps_what_it_held)
{
    strata_error err = { 0 };
    void *items = NULL;
    size_t room = 0;
    cr_assert(strata_reserve(&items, &room, 3, sizeof(int), &err));
    ((int *)items)[2] = 5;
    cr_assert(strata_reserve(&items, &room, 100, sizeof(int), &err));
    cr_assert_geq(room, 100);
    cr_assert_eq(((int *)items)[2], 5);
    cr_assert_eq(((int *)items)[99], 0);
    cr_assert_not(strata_reserve(&items, &room, SIZE_MAX / 2, sizeof(int), &err));
    cr_assert_eq(((int *)items)[2], 5);
    free(items);
}
