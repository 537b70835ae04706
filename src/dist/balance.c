#include "dist/balance.h"

#include <stdlib.h>

#include "base/memory.h"

static const double clear_gain = 1.25, least_gain = 1.05;

bool strata_balance_open(struct balance *b, int ranks, size_t grains, strata_error *err)
{
    const size_t count = (size_t)ranks;
    *b = (struct balance){ .ranks = ranks, .grains = grains };
    b->share = strata_alloc(count, sizeof *b->share, err);
    b->most = b->share ? strata_alloc(count, sizeof *b->most, err) : NULL;
    b->wanted = b->most ? strata_alloc(count, sizeof *b->wanted, err) : NULL;
    b->speed = b->wanted ? strata_alloc(count, sizeof *b->speed, err) : NULL;
    if (!b->speed) return false;
    for (int r = 0; r < ranks; r++) b->most[r] = grains;
    strata_balance_deal(b, b->share);
    return true;
}

void strata_balance_close(struct balance *b)
{
    free(b->share);
    free(b->most);
    free(b->wanted);
    free(b->speed);
    *b = (struct balance){ 0 };
}

static double usual_speed(const struct balance *b)
{
    double sum = 0;
    int known = 0;
    for (int r = 0; r < b->ranks; r++) {
        sum += b->speed[r];
        known += b->speed[r] > 0;
    }
    return known > 0 ? sum / known : 1;
}

/* Grain by grain to the rank that would be done first with it: no other shares are done sooner. */
void strata_balance_deal(const struct balance *b, size_t *share)
{
    const double usual = usual_speed(b);
    const size_t first = b->grains >= (size_t)b->ranks;
    size_t left = b->grains - first * (size_t)b->ranks;
    for (int r = 0; r < b->ranks; r++) share[r] = first;
    for (bool limited = true; left > 0; left--) {
        int best = -1;
        double soonest = 0;
        for (int r = 0; r < b->ranks; r++) {
            const double done = (double)(share[r] + 1) / (b->speed[r] > 0 ? b->speed[r] : usual);
            if ((limited && share[r] >= b->most[r]) || (best >= 0 && done >= soonest)) continue;
            best = r;
            soonest = done;
        }
        if (best >= 0)
            share[best]++;
        else
            left++; /* together they cannot hold the batch; who tries will tell */
        limited = limited && best >= 0;
    }
}

/* The mean of what was known and what is seen, so that noise does not move work; a device that is half or twice as fast has
 * changed, and is believed at once. */
static double joined(double known, double seen)
{
    return known <= 0 || seen < known / 2 || seen > 2 * known ? seen : (known + seen) / 2;
}

static double step_time(const struct balance *b, const size_t *share)
{
    double longest = 0;
    for (int r = 0; r < b->ranks; r++)
        if ((double)share[r] / b->speed[r] > longest) longest = (double)share[r] / b->speed[r];
    return longest;
}

bool strata_balance_look(struct balance *b, const double *seconds, double *gain)
{
    bool known = true;
    for (int r = 0; r < b->ranks; r++) {
        if (seconds[r] > 0 && b->share[r] > 0) b->speed[r] = joined(b->speed[r], (double)b->share[r] / seconds[r]);
        known = known && b->speed[r] > 0;
    }
    *gain = 1;
    if (!known) return false;
    strata_balance_deal(b, b->wanted);
    *gain = step_time(b, b->share) / step_time(b, b->wanted);
    b->looks = *gain > least_gain ? b->looks + 1 : 0;
    if (*gain <= clear_gain && b->looks < 2) return false;
    b->looks = 0;
    return true;
}
