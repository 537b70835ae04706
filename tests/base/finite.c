/* Numbers that are none are found among others, whatever they are and wherever they stand. */
#include "base/finite.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

enum { MOST = 100 };

Test(finite, what_is_finite_is_not_odd)
{
    const float values[] = { 0, -0.0f, 1, -1, FLT_MAX, -FLT_MAX, FLT_MIN, FLT_TRUE_MIN, -FLT_TRUE_MIN };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) cr_assert_not(strata_is_odd(values[i]), "%g", values[i]);
    cr_assert_not(strata_has_odd(values, sizeof values / sizeof *values));
    cr_assert_not(strata_has_odd(NULL, 0));
}

Test(finite, one_that_is_none_is_found_at_every_place_of_every_count)
{
    const uint32_t signalling = 0xff800001;
    float odd[] = { NAN, -NAN, INFINITY, -INFINITY, 0 }, values[MOST];
    memcpy(&odd[4], &signalling, sizeof signalling);
    for (size_t i = 0; i < MOST; i++) values[i] = (float)i - 50;
    for (size_t count = 1; count <= MOST; count++)
        for (size_t at = 0; at < count; at++) {
            const float before = values[at];
            memcpy(&values[at], &odd[(count + at) % 5], sizeof(float));
            cr_assert(strata_has_odd(values, count), "%zu of %zu", at, count);
            values[at] = before;
            cr_assert_not(strata_has_odd(values, count));
        }
}
