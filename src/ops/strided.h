/* Copying boxes: transposing, padding, cropping, repeating, putting together and taking apart. */
#ifndef STRATA_OPS_STRIDED_H
#define STRATA_OPS_STRIDED_H

#include "ops/view.h"

/* Element (i0, i1, ..) of the box lies at the sum of i_k from[k] from the source's place, and of i_k to[k] from the
 * target's. A stride of 0 repeats. */
struct strided {
    int rank; /* 1 to STRATA_MAX_RANK */
    size_t dim[STRATA_MAX_RANK], from[STRATA_MAX_RANK], to[STRATA_MAX_RANK];
};

/* The views give places only. The target's other elements stay. */
bool strata_op_strided(struct run *run, const struct strided *box, const struct view *x, const struct view *y,
                       strata_error *err);

/* The strides of a shape without gaps. */
void strata_op_strides(const struct shape *shape, size_t strides[STRATA_MAX_RANK]);

/* A box of `small` that begins at `at` in `large`, of the same rank: crops (from large to small) or puts in place. */
bool strata_op_crop(struct run *run, const struct view *large, const size_t at[STRATA_MAX_RANK], const struct view *small,
                    strata_error *err);
bool strata_op_place(struct run *run, const struct view *small, const size_t at[STRATA_MAX_RANK],
                     const struct view *large, strata_error *err);

#endif
