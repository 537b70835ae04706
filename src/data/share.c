#include <assert.h>
#include <math.h>

#include "data/batches.h"

/* Where the slice of `rank` begins; ranks up to size tile 0..n. In proportion to speeds each border is rounded by
 * itself, so neighbours agree on it and nothing is lost or given twice. */
static size_t border(const struct share *share, int rank, size_t n)
{
    const size_t size = (size_t)share->size, r = (size_t)rank;
    const size_t grain = share->grain ? share->grain : 1, grains = n / grain + (n % grain > 0);
    if (!share->speeds) {
        const size_t even = (grains / size * r + grains % size * r / size) * grain; /* floor(grains * r / size) grains */
        return even > n ? n : even;
    }
    double before = 0, total = 0;
    for (int i = 0; i < share->size; i++) {
        total += share->speeds[i];
        if (i < rank)
            before += share->speeds[i];
    }
    const size_t at = (size_t)llround((double)grains * before / total) * grain;
    return rank == share->size || at > n ? n : at;
}

void strata_share(const struct share *share, size_t n, size_t *first, size_t *count)
{
    assert(share->size > 0 && share->rank >= 0 && share->rank < share->size);
    *first = border(share, share->rank, n);
    *count = border(share, share->rank + 1, n) - *first;
}
