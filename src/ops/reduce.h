/* Sums in a fixed order that depends on shapes alone, without atomics. */
#ifndef STRATA_OPS_REDUCE_H
#define STRATA_OPS_REDUCE_H

#include "ops/view.h"

/* y (columns) = sum over the rows of x (rows, columns). The gradient of a bias. */
bool strata_op_sum_rows(struct run *run, const struct view *x, size_t rows, size_t columns, const struct view *y,
                        strata_error *err);

/* The same where `each` rows, unless that is 0, are a grain, the last one maybe of fewer: their sums are added in the order of one tree
 * (cl/grains.h), so that those of aligned parts add up to the same bits. At most STRATA_GRAINS grains. */
enum { STRATA_GRAINS = 1024 };
bool strata_op_sum_grains(struct run *run, const struct view *x, size_t rows, size_t columns, size_t each, const struct view *y,
                          strata_error *err);

/* y[at] = or += sum of the n elements of x. */
bool strata_op_sum(struct run *run, const struct view *x, size_t n, const struct view *y, bool accumulate,
                   strata_error *err);

/* The same of one * v + absolute * |v| + square * v * v over the elements v of x. */
struct sum_terms {
    double one, absolute, square;
};
bool strata_op_sum_terms(struct run *run, const struct sum_terms *terms, const struct view *x, size_t n,
                         const struct view *y, bool accumulate, strata_error *err);

/* How many rows a slice of a two-stage sum over `rows` has: at least 32, and at most 256 slices. */
size_t strata_op_slice(size_t rows);

/* The two stages of strata_op_sum_grains, for a kernel that has other work with the rows too and does the first one: each grain of `each`
 * rows has `slices` slices of `slice` rows, the last ones fewer or none. */
struct slices {
    size_t each, slice, slices, grains;
};
/* each 0: all are one grain. Of at least 128 rows on CPUs, where the second stage costs as much as the first one of few rows. */
struct slices strata_op_slices(struct run *run, size_t rows, size_t each);
/* y (columns) from the sums of all slices, (grains * slices, columns). Takes no scratch memory. */
bool strata_op_sum_parts(struct run *run, const struct view *parts, const struct slices *slices, size_t columns, const struct view *y,
                         strata_error *err);

#endif
