#include "dist/half.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static float one_bf16(float value)
{
    uint16_t half;
    float back;
    strata_to_bf16(&value, &half, 1);
    strata_from_bf16(&half, &back, 1);
    return back;
}

static float one_fp16(float value)
{
    uint16_t half;
    float back;
    (void)strata_to_fp16(&value, &half, 1);
    strata_from_fp16(&half, &back, 1);
    return back;
}

/* There and back again for each of the 65536 patterns; NaN is told by its being one. */
Test(half, every_number_comes_back_as_it_was)
{
    for (uint32_t pattern = 0; pattern < 0x10000; pattern++) {
        const uint16_t half = (uint16_t)pattern;
        uint16_t again;
        float value;
        strata_from_bf16(&half, &value, 1);
        strata_to_bf16(&value, &again, 1);
        cr_assert(again == half || isnan(value), "bf16 %04x", pattern);
        strata_from_fp16(&half, &value, 1);
        cr_assert_eq(strata_to_fp16(&value, &again, 1), 0);
        cr_assert(again == half || isnan(value), "fp16 %04x", pattern);
    }
}

/* Neighbours of 16 bits and the floats between them: the nearer one, and of two as near the even one. */
Test(half, rounds_to_the_nearest)
{
    for (uint32_t pattern = 0; pattern < 0x7bff; pattern++) {
        const uint16_t here = (uint16_t)pattern, next = (uint16_t)(pattern + 1);
        float low, high;
        strata_from_fp16(&here, &low, 1);
        strata_from_fp16(&next, &high, 1);
        const float middle = (low + high) / 2; /* exact in a float */
        cr_assert_eq(one_fp16(nextafterf(middle, low)), low, "below the middle after %04x", pattern);
        cr_assert_eq(one_fp16(nextafterf(middle, high)), high, "above the middle after %04x", pattern);
        cr_assert_eq(one_fp16(middle), pattern % 2 ? high : low, "the middle after %04x", pattern);
    }
    for (uint32_t pattern = 0; pattern < 0x7f7f; pattern++) {
        const uint16_t here = (uint16_t)pattern, next = (uint16_t)(pattern + 1);
        float low, high;
        strata_from_bf16(&here, &low, 1);
        strata_from_bf16(&next, &high, 1);
        const float middle = (float)(((double)low + (double)high) / 2);
        cr_assert_eq(one_bf16(nextafterf(middle, low)), low, "below the middle after %04x", pattern);
        cr_assert_eq(one_bf16(nextafterf(middle, high)), high, "above the middle after %04x", pattern);
        cr_assert_eq(one_bf16(middle), pattern % 2 ? high : low, "the middle after %04x", pattern);
    }
}

Test(half, what_is_too_large_saturates_and_is_counted)
{
    const float values[] = { 65504, 65519.996f, 65520, -1e30f, INFINITY, -INFINITY, NAN, 1 };
    const uint16_t wanted[] = { 0x7bff, 0x7bff, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0, 0x3c00 };
    uint16_t halves[8];
    cr_assert_eq(strata_to_fp16(values, halves, 8), 2, "65520 and -1e30");
    for (int i = 0; i < 8; i++)
        if (i != 6) cr_assert_eq(halves[i], wanted[i], "%g became %04x", (double)values[i], halves[i]);
    cr_assert(isnan(one_fp16(NAN)) && isnan(one_bf16(NAN)) && isnan(one_bf16(-NAN)));
    cr_assert_eq(one_bf16(INFINITY), INFINITY);
    cr_assert_eq(one_bf16(3.4e38f), 0x1.fep127f, "not infinity");
    cr_assert_eq(one_fp16(0x1p-24f), 0x1p-24f);
    cr_assert_eq(one_fp16(0x1p-25f), 0, "half the smallest number, a tie");
    cr_assert(signbit(one_fp16(-0.0f)) && signbit(one_bf16(-0.0f)));
}
