#include "dist/comm.h"

#include <criterion/criterion.h>
#include <math.h>
#include <time.h>

/* The same with more ranks: tests/dist/ranks. */

Test(comm, without_a_launcher_there_is_one_rank_and_it_is_there_at_once)
{
    strata_error err = { 0 };
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    struct comm *comm = strata_comm_create(&err);
    clock_gettime(CLOCK_MONOTONIC, &to);
    cr_assert_not_null(comm, "%s", err.message);
    cr_assert(strata_comm_rank(comm) == 0 && strata_comm_size(comm) == 1);
    cr_assert(strata_comm_local_rank(comm) == 0 && strata_comm_local_size(comm) == 1);
    cr_assert_gt(strlen(strata_comm_host(comm)), 0);
    cr_assert_lt((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9, 0.05);
    strata_comm_free(comm);
    strata_comm_free(NULL);
}

Test(comm, one_rank_agrees_with_itself)
{
    strata_error err = { .code = STRATA_EFILE, .message = "as it was" };
    double values[2] = { 3, NAN };
    int all = 0;
    struct comm *comm = strata_comm_create(&err);
    cr_assert_not(strata_comm_agree(comm, false, &err));
    cr_assert_str_eq(err.message, "as it was");
    cr_assert(strata_comm_agree(comm, true, &err));
    cr_assert(strata_comm_same(comm, "job", "abc", 3, &err));
    cr_assert(strata_comm_sum(comm, values, 2, &err) && strata_comm_max(comm, values, 2, &err));
    cr_assert(values[0] == 3 && isnan(values[1]));
    cr_assert(strata_comm_gather(comm, &(int){ 7 }, sizeof(int), &all, &err) && all == 7);
    cr_assert(strata_comm_broadcast(comm, &all, sizeof all, 0, &err) && all == 7);
    strata_comm_free(comm);
}
