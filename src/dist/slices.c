#include "dist/slices.h"

#include <assert.h>

enum { LINE = 16 };

static size_t border(struct span bucket, size_t rank, size_t ranks, const struct span *whole, size_t whole_count)
{
    const size_t n = bucket.end - bucket.begin;
    const size_t even = n / ranks * rank + n % ranks * rank / ranks, lines = (even + LINE / 2) / LINE * LINE;
    const size_t at = rank == ranks || lines > n ? bucket.end : bucket.begin + lines;
    for (size_t i = 0; i < whole_count; i++)
        if (whole[i].begin < at && at < whole[i].end)
            return at - whole[i].begin <= whole[i].end - at ? whole[i].begin : whole[i].end;
    return at;
}

void strata_slices_cut(struct span bucket, const struct span *whole, size_t whole_count, int ranks,
                       struct span *slices)
{
    size_t begin = bucket.begin;
    for (int rank = 0; rank < ranks; rank++) {
        const size_t end = border(bucket, (size_t)rank + 1, (size_t)ranks, whole, whole_count);
        assert(begin <= end && end <= bucket.end);
        slices[rank] = (struct span){ begin, end };
        begin = end;
    }
    assert(begin == bucket.end);
}
