#include "base/doorbell.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"

static struct doorbell *bell;
static strata_error err;

static void hang(void)
{
    bell = strata_doorbell_create(&err);
    cr_assert_not_null(bell, "%s", err.message);
}

static void drop(void)
{
    strata_doorbell_drop(bell);
}

TestSuite(doorbell, .init = hang, .fini = drop);

static double waited(double most)
{
    const double begun = strata_clock();
    strata_doorbell_wait(bell, most);
    return strata_clock() - begun;
}

Test(doorbell, is_waited_for_as_long_as_was_said)
{
    cr_assert_geq(waited(0.02), 0.02);
}

Test(doorbell, keeps_a_ring_for_the_next_wait_and_no_longer)
{
    strata_doorbell_ring(bell);
    strata_doorbell_ring(bell);
    cr_assert_lt(waited(20), 10);
    cr_assert_geq(waited(0.02), 0.02);
}

Test(doorbell, remembers_when_it_was_rung_last)
{
    cr_assert_eq(strata_doorbell_rung(bell), 0);
    const double before = strata_clock();
    strata_doorbell_ring(bell);
    const double after = strata_clock();
    (void)waited(0.02);
    cr_assert_geq(strata_doorbell_rung(bell), before);
    cr_assert_leq(strata_doorbell_rung(bell), after);
}

static void *ring_later(void *context)
{
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    strata_doorbell_ring(context);
    strata_doorbell_drop(context);
    return NULL;
}

Test(doorbell, wakes_who_waits_and_outlives_the_one_who_made_it)
{
    pthread_t thread;
    strata_doorbell_hold(bell);
    cr_assert_eq(pthread_create(&thread, NULL, ring_later, bell), 0);
    cr_assert_lt(waited(20), 10);
    pthread_join(thread, NULL);
}
