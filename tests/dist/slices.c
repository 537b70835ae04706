#include "dist/slices.h"

#include <criterion/criterion.h>

Test(slices, tile_a_bucket_at_cache_lines)
{
    for (int ranks = 1; ranks <= 9; ranks++)
        for (size_t n = 0; n < 400; n += 3) {
            struct span slices[9];
            const struct span bucket = { 1000, 1000 + n };
            size_t at = bucket.begin;
            strata_slices_cut(bucket, NULL, 0, ranks, slices);
            for (int i = 0; i < ranks; i++) {
                cr_assert_eq(slices[i].begin, at);
                cr_assert(slices[i].end == bucket.end || (slices[i].end - bucket.begin) % 16 == 0);
                cr_assert_leq(slices[i].end - at, n / (size_t)ranks + 17);
                at = slices[i].end;
            }
            cr_assert_eq(at, bucket.end);
        }
}

Test(slices, never_cut_a_span_that_must_stay_whole)
{
    static const struct span whole[] = { { 100, 103 }, { 110, 190 }, { 190, 200 }, { 201, 300 }, { 450, 500 } };
    for (int ranks = 1; ranks <= 9; ranks++) {
        struct span slices[9];
        const struct span bucket = { 100, 500 };
        size_t at = bucket.begin;
        strata_slices_cut(bucket, whole, 5, ranks, slices);
        for (int i = 0; i < ranks; i++) {
            cr_assert_eq(slices[i].begin, at);
            at = slices[i].end;
            for (int w = 0; w < 5; w++)
                cr_assert_not(whole[w].begin < at && at < whole[w].end, "%zu with %d ranks", at, ranks);
        }
        cr_assert_eq(at, bucket.end);
    }
}
