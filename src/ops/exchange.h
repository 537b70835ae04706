/* Numbers that an op needs from all ranks before it can go on, while a run is played: sums of a batch of which each rank
 * has a part. The device waits for the ranks, and they for each other. */
#ifndef STRATA_OPS_EXCHANGE_H
#define STRATA_OPS_EXCHANGE_H

#include "ops/view.h"

struct exchange {
    void *context;
    /* Sums over the ranks, the same bits everywhere; called on the thread that plays. */
    bool (*sum)(void *context, double *values, size_t count, strata_error *err);
};

/* stats (2, groups): means and variances of `size` elements a group on this rank become those of the elements of all ranks. */
bool strata_op_exchange_moments(struct run *run, const struct exchange *exchange, const struct view *stats,
                                size_t groups, size_t size, strata_error *err);

/* sums (2, groups) of `size` elements a group on this rank become those of all ranks' elements, times this rank's part of
 * them: divided by `size` they are means over all. */
bool strata_op_exchange_sums(struct run *run, const struct exchange *exchange, const struct view *sums, size_t groups,
                             size_t size, strata_error *err);

/* For a rank that has no part of a batch: takes part in all exchanges of a recording, in its order, with nothing. */
bool strata_op_exchange_nothing(struct run *run, strata_error *err);

#endif
