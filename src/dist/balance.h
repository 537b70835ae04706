/* Shares of a global batch by measured speed, in grains: equal, consecutive slices of it. Nothing here is sent: all ranks
 * hold the same numbers and so come to the same shares. */
#ifndef STRATA_DIST_BALANCE_H
#define STRATA_DIST_BALANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct balance {
    int ranks;
    size_t grains;   /* of a whole global batch */
    size_t *share;   /* owned, as are the others: by rank, grains that it has; they add up to `grains` */
    size_t *most;    /* grains that its memory can hold */
    size_t *wanted;  /* what the latest look found */
    double *speed;   /* grains a second; 0: not known */
    int looks;       /* in a row that promised a gain */
};

/* Equal shares, no limits. */
bool strata_balance_open(struct balance *balance, int ranks, size_t grains, strata_error *err);
void strata_balance_close(struct balance *balance); /* takes one that is all zero */

/* The shares for which the slowest rank is done first, none above `most`, none empty unless there are fewer grains than
 * ranks. A rank whose speed is not known counts as the mean of the others. */
void strata_balance_deal(const struct balance *balance, size_t *share);

/* Takes in how many seconds each rank computed for a step of its share (0: not known). True when it pays to change to
 * `wanted`: at once for a gain above a quarter, when two looks in a row promise more than a twentieth else. *gain: the step's
 * time now over that then. */
bool strata_balance_look(struct balance *balance, const double *seconds, double *gain);

#endif
