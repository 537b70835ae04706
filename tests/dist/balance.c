#include "dist/balance.h"

#include <criterion/criterion.h>

static struct balance opened(int ranks, size_t grains)
{
    strata_error err = { 0 };
    struct balance b;
    cr_assert(strata_balance_open(&b, ranks, grains, &err), "%s", err.message);
    return b;
}

static void takes(struct balance *b)
{
    size_t sum = 0;
    for (int r = 0; r < b->ranks; r++) sum += b->share[r] = b->wanted[r];
    cr_assert_eq(sum, b->grains);
}

/* Seconds of a step when a grain takes rank r 1 / speed[r]. */
static bool look(struct balance *b, const double *speed, double *gain)
{
    double seconds[8];
    for (int r = 0; r < b->ranks; r++) seconds[r] = (double)b->share[r] / speed[r];
    return strata_balance_look(b, seconds, gain);
}

Test(balance, starts_with_equal_shares)
{
    struct balance b = opened(3, 128);
    cr_assert(b.share[0] == 43 && b.share[1] == 43 && b.share[2] == 42);
    strata_balance_close(&b);
}

Test(balance, gives_work_by_speed_within_two_looks)
{
    const double speed[] = { 1, 2, 3, 4 };
    struct balance b = opened(4, 128);
    double gain;
    cr_assert(look(&b, speed, &gain));
    cr_assert_gt(gain, 2.4);
    takes(&b);
    double longest = 0;
    for (int r = 0; r < 4; r++)
        if ((double)b.share[r] / speed[r] > longest) longest = (double)b.share[r] / speed[r];
    cr_assert_leq(12.8 / longest, 1.0);
    cr_assert_geq(12.8 / longest, 0.95);
    cr_assert_not(look(&b, speed, &gain));
    strata_balance_close(&b);
}

Test(balance, keeps_the_shares_when_speeds_waver)
{
    struct balance b = opened(2, 64);
    double gain;
    for (int i = 0; i < 50; i++) {
        const double speed[] = { i % 3 ? 1 : 1.04, i % 2 ? 1 : 0.97 };
        cr_assert_not(look(&b, speed, &gain), "look %d: %g", i, gain);
    }
    strata_balance_close(&b);
}

Test(balance, a_small_gain_has_to_be_seen_twice)
{
    const double speed[] = { 1, 1.2 };
    struct balance b = opened(2, 100);
    double gain;
    cr_assert_not(look(&b, speed, &gain));
    cr_assert(look(&b, speed, &gain));
    takes(&b);
    cr_assert(b.share[0] >= 45 && b.share[0] <= 46);
    strata_balance_close(&b);
}

Test(balance, a_device_that_slows_gives_work_away_and_takes_it_back)
{
    const double well[] = { 1, 1 }, ill[] = { 0.25, 1 };
    struct balance b = opened(2, 100);
    double gain;
    cr_assert(look(&b, ill, &gain));
    takes(&b);
    cr_assert_eq(b.share[0], 20);
    cr_assert(look(&b, well, &gain));
    takes(&b);
    cr_assert_eq(b.share[0], 50);
    strata_balance_close(&b);
}

Test(balance, honours_what_memory_can_hold)
{
    const double speed[] = { 9, 1, 1 };
    struct balance b = opened(3, 110);
    double gain;
    b.most[0] = 50;
    cr_assert_not(look(&b, speed, &gain));
    cr_assert(look(&b, speed, &gain));
    takes(&b);
    cr_assert(b.share[0] == 50 && b.share[1] == 30 && b.share[2] == 30);
    strata_balance_close(&b);
}

Test(balance, fewer_grains_than_ranks_go_to_the_fastest)
{
    struct balance b = opened(4, 2);
    size_t share[4];
    b.speed[0] = b.speed[1] = b.speed[2] = 1;
    b.speed[3] = 9;
    strata_balance_deal(&b, share);
    cr_assert_eq(share[3], 2);
    strata_balance_close(&b);
}

Test(balance, nothing_changes_while_a_speed_is_unknown)
{
    const double seconds[] = { 1, 0 };
    struct balance b = opened(2, 8);
    double gain;
    cr_assert_not(strata_balance_look(&b, seconds, &gain));
    strata_balance_close(&b);
}
