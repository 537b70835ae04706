#include "base/life.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"

static void rest(double seconds)
{
    nanosleep(&(struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds)) }, NULL);
}

Test(life, who_sleeps_is_not_alive)
{
    struct life life = { 0 };
    (void)strata_is_alive(&life);
    for (int i = 0; i < 3; i++) {
        rest(0.3);
        cr_assert_not(strata_is_alive(&life));
    }
}

Test(life, who_computed_is_alive)
{
    struct life life = { 0 };
    (void)strata_is_alive(&life);
    for (const double end = strata_clock() + 0.2; strata_clock() < end;) {}
    cr_assert(strata_is_alive(&life));
    rest(0.3);
    cr_assert_not(strata_is_alive(&life));
}

static void *compute(void *end)
{
    while (strata_clock() < *(double *)end) {}
    return NULL;
}

Test(life, another_thread_counts_and_one_that_waits_does_not)
{
    struct life life = { 0 };
    double end = strata_clock() + 0.4;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, compute, &end), 0);
    (void)strata_is_alive(&life);
    rest(0.2);
    cr_assert(strata_is_alive(&life));
    pthread_join(thread, NULL);
    (void)strata_is_alive(&life);
    rest(0.3);
    cr_assert_not(strata_is_alive(&life));
}
