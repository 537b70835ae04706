/* A tensor: a place in a buffer and a shape. Row-major, the last axis contiguous, channels last as in Keras. */
#ifndef STRATA_OPS_VIEW_H
#define STRATA_OPS_VIEW_H

#include "base/policy.h"
#include "base/shape.h"
#include "device/launch.h"

/* buffer NULL: no tensor. offset in elements; shape with the batch axis first. Elements are float unless an op says
 * int32, or that it heeds `storage`. */
struct view {
    struct buffer *buffer;
    size_t offset;
    struct shape shape;
    enum storage storage;
    bool constant; /* the same in every play of the recording, until a number changes that it watches (strata_run_watch) */
};

static inline struct arg arg_view(const struct view *view)
{
    struct arg arg = arg_place(view->buffer, view->offset);
    arg.element = strata_storage_size(view->storage);
    return arg;
}

static inline size_t strata_view_count(const struct view *view)
{
    return strata_shape_count(&view->shape);
}

/* The same elements under another shape of the same count. */
static inline struct view strata_view_as(const struct view *view, struct shape shape)
{
    struct view other = *view;
    other.shape = shape;
    return other;
}

/* As a matrix: all axes but the last are rows. */
static inline size_t strata_view_columns(const struct view *view)
{
    return view->shape.rank ? view->shape.dim[view->shape.rank - 1] : 1;
}
static inline size_t strata_view_rows(const struct view *view)
{
    const size_t columns = strata_view_columns(view);
    return columns ? strata_view_count(view) / columns : 0;
}

#endif
