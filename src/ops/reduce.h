/* Sums in a fixed order that depends on shapes alone, without atomics. */
#ifndef STRATA_OPS_REDUCE_H
#define STRATA_OPS_REDUCE_H

#include "ops/view.h"

/* y (columns) = sum over the rows of x (rows, columns). The gradient of a bias. */
bool strata_op_sum_rows(struct run *run, const struct view *x, size_t rows, size_t columns, const struct view *y,
                        strata_error *err);

/* y[at] = or += sum of the n elements of x. */
bool strata_op_sum(struct run *run, const struct view *x, size_t n, const struct view *y, bool accumulate,
                   strata_error *err);

#endif
