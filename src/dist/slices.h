/* Who owns what part of a bucket. */
#ifndef STRATA_DIST_SLICES_H
#define STRATA_DIST_SLICES_H

#include <stddef.h>

#include "dist/reducer.h"

/* Cuts a bucket into one slice a rank, in rank order and as equal as can be: borders lie at multiples of 16 floats from
 * the bucket's begin (a cache line), but never inside one of the `whole` spans (ascending, none across the bucket's
 * border). Slices may be empty. */
void strata_slices_cut(struct span bucket, const struct span *whole, size_t whole_count, int ranks,
                       struct span *slices);

#endif
