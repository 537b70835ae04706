#include <criterion/criterion.h>
#include <string.h>

#include "data/dataset.h"

static const float values[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
static const int32_t labels[] = { 1, 0, 2, 1, 0, 2 };
static const strata_array x = { STRATA_FLOAT32, 2, { 6, 2 }, values };
static const strata_array y = { STRATA_INT32, 1, { 6 }, labels };

static strata_data *made(const strata_array *a, const strata_array *b, const strata_array *c)
{
    strata_error err = { 0 };
    strata_data *data = strata_data_from_arrays(a, b, c, &err);
    cr_assert_not_null(data, "%s", err.message);
    return data;
}

Test(dataset, copies_the_arrays_it_is_made_of)
{
    strata_data *data = made(&x, &y, NULL);
    const strata_array held = strata_data_x(data);
    cr_assert(held.values != values && held.rank == 2 && held.dim[0] == 6 && held.dim[1] == 2);
    cr_assert_arr_eq(held.values, values, sizeof values);
    cr_assert_arr_eq(strata_data_y(data).values, labels, sizeof labels);
    cr_assert_null(strata_data_sample_weight(data).values);
    strata_data_free(data);
    strata_data_free(NULL);
}

Test(dataset, refuses_arrays_of_unequal_counts)
{
    const strata_array fewer = { STRATA_INT32, 1, { 5 }, labels };
    const strata_array deep = { STRATA_FLOAT32, 7, { 1, 1, 1, 1, 1, 1 }, values };
    strata_error err = { 0 };
    cr_assert_null(strata_data_from_arrays(&x, &fewer, NULL, &err));
    cr_assert_eq(err.code, STRATA_ESHAPE);
    cr_assert_str_eq(err.message, "arrays: x has 6 samples and y has 5; they must be as many");
    cr_assert_null(strata_data_from_arrays(&x, &y, &fewer, &err));
    cr_assert_not_null(strstr(err.message, "sample_weight has 5"));
    cr_assert_null(strata_data_from_arrays(&deep, NULL, NULL, &err));
    cr_assert_eq(err.code, STRATA_ESHAPE);
    cr_assert_null(strata_data_from_arrays(NULL, &y, NULL, &err));
}

Test(dataset, wide_integers_of_x_become_narrow_ones)
{
    const int64_t wide[] = { -1, 2147483647, 7 };
    const strata_array array = { STRATA_INT64, 2, { 3, 1 }, wide };
    strata_data *data = made(&array, NULL, NULL);
    const strata_array held = strata_data_x(data);
    static const int32_t expected[] = { -1, 2147483647, 7 };
    cr_assert_eq(held.type, STRATA_INT32);
    cr_assert_arr_eq(held.values, expected, sizeof expected);
    strata_data_free(data);
}

/* Keras: train = the first floor(n (1 - fraction)). */
Test(dataset, the_last_samples_are_split_off)
{
    strata_error err = { 0 };
    strata_data *data = made(&x, &y, NULL), *head, *tail;
    cr_assert(strata_data_split(data, 0.4, &head, &tail, &err), "%s", err.message);
    cr_assert_eq(strata_data_count(head), 3);
    cr_assert_eq(strata_data_count(tail), 3);
    cr_assert_arr_eq(strata_data_x(tail).values, values + 6, 6 * sizeof(float));
    cr_assert_arr_eq(strata_data_y(tail).values, labels + 3, 3 * sizeof(int32_t));
    strata_data_free(head);
    strata_data_free(tail);
    cr_assert_not(strata_data_split(data, 0.9, &head, &tail, &err));
    cr_assert_eq(err.code, STRATA_EVALUE);
    cr_assert_not(strata_data_split(data, 1, &head, &tail, &err));
    strata_data_free(data);
}

Test(dataset, every_bit_counts_in_the_fingerprint)
{
    float changed[12];
    strata_data *data = made(&x, &y, NULL), *same = made(&x, &y, NULL);
    cr_assert_eq(strata_data_fingerprint(data), strata_data_fingerprint(same));
    for (int i = 0; i < 12 * 32; i++) {
        uint32_t bits;
        memcpy(changed, values, sizeof values);
        memcpy(&bits, &changed[i / 32], 4);
        bits ^= 1u << i % 32;
        memcpy(&changed[i / 32], &bits, 4);
        const strata_array other = { STRATA_FLOAT32, 2, { 6, 2 }, changed };
        strata_data *odd = made(&other, &y, NULL);
        cr_assert_neq(strata_data_fingerprint(data), strata_data_fingerprint(odd), "bit %d", i);
        strata_data_free(odd);
    }
    const strata_array reshaped = { STRATA_FLOAT32, 3, { 6, 1, 2 }, values };
    strata_data *other = made(&reshaped, &y, NULL);
    cr_assert_neq(strata_data_fingerprint(data), strata_data_fingerprint(other));
    strata_data_free(other);
    strata_data_free(data);
    strata_data_free(same);
}
