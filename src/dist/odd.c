/* Whose gradients made a sum that is not finite. An owner looks at the sums while it has them in its first cache, and at the parts
 * only once one of them is odd. */
#include "base/finite.h"
#include "dist/reducer_priv.h"

static void find(struct reducer *r, const struct lane *lane, struct span mine, size_t at)
{
    struct oddity *odd = &r->odd;
    size_t parts = 0;
    for (size_t s = 0; s < r->step_count; s++) parts += r->steps[s];
    *odd = (struct oddity){ .found = true, .element = mine.begin + at, .rank = -1 };
    for (size_t p = 0; p < parts && odd->rank < 0; p++)
        if (strata_is_odd(strata_wire_part(r, lane, mine, p)[at])) odd->rank = strata_wire_rank(r, p, &odd->others);
}

void strata_odd_look(struct reducer *r, const struct lane *lane, struct span mine, size_t from, const float *sums, size_t count)
{
    if (r->odd.found || !strata_has_odd(sums, count)) return;
    size_t i = 0;
    while (!strata_is_odd(sums[i])) i++;
    find(r, lane, mine, from + i);
}

struct oddity strata_reducer_odd(const struct reducer *r)
{
    return r->odd;
}

bool strata_reducer_heard_odd(const struct reducer *r)
{
    return r->heard_odd;
}
