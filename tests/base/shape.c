#include "base/shape.h"

#include <criterion/criterion.h>

Test(shape, counts_its_elements)
{
    const struct shape scalar = { 0 }, image = { 3, { 28, 28, 3 } }, none = { 2, { 0, 5 } };
    cr_assert_eq(strata_shape_count(&scalar), 1);
    cr_assert_eq(strata_shape_count(&image), 28 * 28 * 3);
    cr_assert_eq(strata_shape_count(&none), 0);
}

Test(shape, is_equal_by_rank_and_extents)
{
    const struct shape a = { 2, { 3, 4 } }, b = { 2, { 4, 3 } }, c = { 1, { 3 } };
    cr_assert(strata_shape_equal(&a, &a));
    cr_assert_not(strata_shape_equal(&a, &b));
    cr_assert_not(strata_shape_equal(&a, &c));
}

Test(shape, gets_a_batch_axis_in_front)
{
    const struct shape image = { 2, { 5, 6 } }, batch = strata_shape_batch(7, &image);
    cr_assert(batch.rank == 3 && batch.dim[0] == 7 && batch.dim[1] == 5 && batch.dim[2] == 6);
}

Test(shape, is_written_as_keras_writes_it)
{
    char text[STRATA_SHAPE_TEXT];
    const struct shape image = { 3, { 28, 28, 1 } }, vector = { 1, { 4 } }, scalar = { 0 };
    cr_assert_str_eq(strata_shape_text(&image, "None", text), "(None, 28, 28, 1)");
    cr_assert_str_eq(strata_shape_text(&image, NULL, text), "(28, 28, 1)");
    cr_assert_str_eq(strata_shape_text(&vector, NULL, text), "(4,)");
    cr_assert_str_eq(strata_shape_text(&vector, "32", text), "(32, 4)");
    cr_assert_str_eq(strata_shape_text(&scalar, "None", text), "(None,)");
    cr_assert_str_eq(strata_shape_text(&scalar, NULL, text), "()");
}
