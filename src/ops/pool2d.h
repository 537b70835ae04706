/* Pooling over windows of (n, height, width, channels). Padding is given by what lies above and left. */
#ifndef STRATA_OPS_POOL2D_H
#define STRATA_OPS_POOL2D_H

#include "ops/view.h"

struct pool2d {
    size_t n, height, width, channels, out_height, out_width;
    int pool_height, pool_width, stride_h, stride_w, pad_top, pad_left;
};

/* index (n, out_height, out_width, channels): where in its window (p * pool_width + q) each maximum was, the first in row-major order on
 * ties, in bytes where a window has at most 256 cells and else in int32; buffer NULL: not wanted. Cells outside the input take no part.
 * Each element of dx is written once. */
size_t strata_op_max_pool2d_index(size_t outputs, size_t cells); /* elements (4 bytes each) of index, for windows of so many cells */
bool strata_op_max_pool2d(struct run *run, const struct pool2d *pool, const struct view *x, const struct view *y,
                          const struct view *index, strata_error *err);
bool strata_op_max_pool2d_gradient(struct run *run, const struct pool2d *pool, const struct view *dy,
                                   const struct view *index, const struct view *dx, strata_error *err);

/* A maximum over windows that lie beside each other, taken by whoever computes what it is of: that is never stored. An element of the
 * result then stands for height * width cells from (i * height, j * width) on; cells behind the last whole window take no part. Where
 * gradients are of such a result, the one of a cell is that of its window, or 0 where index names another cell. */
struct pooled {
    int height, width; /* of a window, of at most 256 cells; height 0: nothing is pooled */
    struct view index; /* in bytes, as that of strata_op_max_pool2d; buffer NULL: not wanted */
};

/* Whether this is such a maximum; *pooled gets the window. */
bool strata_op_max_pool2d_beside(const struct pool2d *pool, struct pooled *pooled);

/* For kernels: where index lies. */
struct arg strata_op_pooled_index(const struct pooled *pooled);

/* The mean over the cells of the window that lie inside the input. */
bool strata_op_average_pool2d(struct run *run, const struct pool2d *pool, const struct view *x, const struct view *y,
                              strata_error *err);
bool strata_op_average_pool2d_gradient(struct run *run, const struct pool2d *pool, const struct view *dy,
                                       const struct view *dx, strata_error *err);

/* Over all positions: x (n, positions, channels), y (n, channels). Ties of the maximum share the gradient evenly. */
bool strata_op_global_max_pool(struct run *run, size_t n, size_t positions, size_t channels, const struct view *x,
                               const struct view *y, strata_error *err);
bool strata_op_global_max_pool_gradient(struct run *run, size_t n, size_t positions, size_t channels,
                                        const struct view *x, const struct view *y, const struct view *dy,
                                        const struct view *dx, strata_error *err);
bool strata_op_global_average_pool(struct run *run, size_t n, size_t positions, size_t channels, const struct view *x,
                                   const struct view *y, strata_error *err);
bool strata_op_global_average_pool_gradient(struct run *run, size_t n, size_t positions, size_t channels,
                                            const struct view *dy, const struct view *dx, strata_error *err);

#endif
