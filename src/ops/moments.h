/* The moments of a tensor (.., channels) by slices of its elements, as whoever makes it computes them along the way. */
#ifndef STRATA_OPS_MOMENTS_H
#define STRATA_OPS_MOMENTS_H

#include "ops/view.h"

/* part: of each slice the means of the channels and the sums of squared distances from them, (slices, 2, channels); then of how many
 * elements of a channel, (slices). */
struct moments {
    struct view part;
    size_t slices; /* 0: not wanted, or not there */
};

/* Elements of `part`. */
static inline size_t strata_moments_elements(size_t slices, size_t channels)
{
    return slices * (2 * channels + 1);
}

#endif
