#include <strata/scale.h>

#include <criterion/criterion.h>
#include <math.h>

static const strata_scale usual = { .compute = 0.1, .weights = 1e8, .buckets = 10, .forward = 1.0 / 3, .compression = 1,
                                    .per_host = 4, .near = { 1e-4, 1e10 }, .far = { 2e-4, 1e9 }, .overhead = 1e-6 };

static double step_of(const strata_scale *scale, size_t ranks)
{
    const strata_scale_step step = strata_scale_model(scale, ranks);
    return step.compute + step.exposed;
}

static void expect(double got, double wanted)
{
    cr_assert_float_eq(got, wanted, 1e-12 + 1e-9 * wanted, "%.12g instead of %.12g", got, wanted);
}

Test(scale, one_rank_waits_for_nothing)
{
    const strata_scale_step step = strata_scale_model(&usual, 1);
    expect(step.compute, 0.1);
    expect(step.exposed, 0);
    expect(step.communication, 0);
}

/* By hand: one bucket is ready when backward ends, so that nothing hides. */
Test(scale, one_bucket_is_exchanged_and_gathered_behind_backward)
{
    strata_scale s = usual;
    s.buckets = 1;
    /* two ranks of one host: 2 (1e-4 / 2 + 1e8 / 2 / 1e10) */
    expect(step_of(&s, 2), 0.1 + 2 * (0.5e-4 + 0.005));
    /* two hosts of four: .. + log2 4 and 3/4 near, + log2 2 and half of it far, and a message */
    expect(step_of(&s, 8), 0.1 + 2 * (1e-4 + 0.0075 + 1e-4 + 1e-6 + 0.05));
    s.compression = 0.5;
    expect(step_of(&s, 8), 0.1 + 2 * (1e-4 + 0.0075 + 1e-4 + 1e-6 + 0.05) - 0.025);
}

/* With little to send, all but the last bucket hides behind backward. */
Test(scale, many_buckets_hide_all_but_the_last)
{
    strata_scale s = usual;
    s.weights = 1e6;
    const strata_scale_step step = strata_scale_model(&s, 16);
    expect(step.exposed, step.communication / 10);
}

/* With much to send, gathering is what takes time: the pipe is full from the first bucket on. */
Test(scale, a_slow_network_is_the_limit)
{
    strata_scale s = usual;
    s.far.bandwidth = 1e7;
    const double each = strata_scale_model(&s, 16).communication / 20;
    expect(step_of(&s, 16), 0.1 * (1.0 / 3 + 2.0 / 30) + 11 * each);
}

Test(scale, ranks_that_share_cores_take_turns)
{
    strata_scale s = usual;
    s.shares_cores = true;
    expect(strata_scale_model(&s, 2).compute, 0.2);
    expect(strata_scale_model(&s, 64).compute, 0.4);
}

Test(scale, more_ranks_never_take_less_time)
{
    double before = 0;
    for (size_t ranks = 1; ranks <= STRATA_SCALE_MOST; ranks *= 2) {
        const double step = step_of(&usual, ranks);
        cr_assert_geq(step, before);
        before = step;
    }
}
