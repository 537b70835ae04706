/* Batch normalization along the last axis whose output is pooled as it is computed; normalize.c knows when. */
#ifndef STRATA_OPS_NORMALIZE_POOLED_H
#define STRATA_OPS_NORMALIZE_POOLED_H

#include "ops/normalize.h"

bool strata_op_normalize_pooled(struct run *run, const struct normalize *normalize, const struct view *x, const struct view *mean,
                                const struct view *variance, const struct view *y, strata_error *err);

/* Slices of the sums over dy, each of (2, channels) in `part`. */
size_t strata_op_normalize_pooled_slices(const struct normalize *normalize);
bool strata_op_normalize_pooled_sums(struct run *run, const struct normalize *normalize, const struct normalize_gradient *gradient,
                                     const struct view *part, strata_error *err);
/* sums (2, channels): those of all slices; not read where the statistics are constant. */
bool strata_op_normalize_pooled_input_gradient(struct run *run, const struct normalize *normalize,
                                               const struct normalize_gradient *gradient, const struct view *sums, strata_error *err);

#endif
