/* Elementwise merging of tensors, with broadcasting: an axis of extent 1 is repeated. */
#ifndef STRATA_OPS_MERGE_H
#define STRATA_OPS_MERGE_H

#include "ops/view.h"

enum merge_op {
    MERGE_COPY, MERGE_ADD, MERGE_SUBTRACT, MERGE_MULTIPLY, MERGE_MAXIMUM, MERGE_MINIMUM,
    MERGE_KEEP_EQUAL,   /* r stays where x equals y, else it becomes 0 */
    MERGE_KEEP_UNEQUAL, /* r stays where x differs from y, else it becomes 0 */
};

/* r = op(r, x). x has the rank of r, each of its extents equal or 1; y has r's shape and may be without buffer unless
 * the op compares. */
bool strata_op_merge(struct run *run, enum merge_op op, const struct view *x, const struct view *y, const struct view *r,
                     strata_error *err);

/* dx = factor * the sum of dy * weight over the places to which each element of dx is repeated; weight may be without
 * buffer. */
bool strata_op_merge_gradient(struct run *run, const struct view *dy, const struct view *weight, double factor,
                              const struct view *dx, strata_error *err);

#endif
