/* Launching a one-dimensional elementwise kernel. */
#ifndef STRATA_OPS_MAP_H
#define STRATA_OPS_MAP_H

#include "ops/view.h"

/* Runs "file:function" with the given args (ends in { 0 }, at most 15) followed by `ulong n`, one work-item an
 * element of n; those that fill the last group up are told by cl/past.h. options as in struct launch. */
bool strata_op_map(struct run *run, const char *kernel, const char *options, const struct arg *args, size_t n,
                   strata_error *err);

/* y = x; y = a + b; y = 0, kept alike, which these heed. The views have the same count. */
bool strata_op_copy(struct run *run, const struct view *x, const struct view *y, strata_error *err);
bool strata_op_add(struct run *run, const struct view *a, const struct view *b, const struct view *y, strata_error *err);
bool strata_op_zero(struct run *run, const struct view *y, strata_error *err);

/* y = x, each kept as it says, rounded on the way to what `through` holds; y may be x where they are kept alike. */
bool strata_op_convert(struct run *run, const struct view *x, enum storage through, const struct view *y, strata_error *err);

/* y = scale * x + offset; y may be x. */
bool strata_op_affine(struct run *run, const struct view *x, double scale, double offset, const struct view *y,
                      strata_error *err);

/* y = x + bias (the elements of bias repeat along the last axis); y may be x. */
bool strata_op_add_bias(struct run *run, const struct view *x, const struct view *bias, const struct view *y,
                        strata_error *err);

/* y = the n numbers, which travel as kernel arguments, eight a launch: for short constants of a config. */
bool strata_op_store(struct run *run, const float *numbers, size_t n, const struct view *y, strata_error *err);

/* How many neighbouring floats of a row of `columns` one work-item of a vectorised kernel takes (cl/vector.h): on the
 * CPU class the widest of 16, 8, 4 and 2 that divides columns; 1 on the GPU class, where neighbouring work-items
 * take neighbouring floats. */
int strata_op_vector_width(struct run *run, size_t columns);

/* The same for rows that are kept as `storage`, where kernels with cl/kept.h take one number each; and its -D KEPT, to be put behind
 * other options: "" for floats. */
int strata_op_kept_width(struct run *run, enum storage storage, size_t columns);
const char *strata_op_kept(enum storage storage);

/* How many times that width a work-item takes that goes along rows (cl/chunks.h): on the CPU class the most of 8, 4 and 2 that come
 * out even, 1 on the GPU class. */
int strata_op_chunks(struct run *run, size_t columns, int width);

#endif
