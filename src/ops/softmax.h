/* softmax and log_softmax over one axis. */
#ifndef STRATA_OPS_SOFTMAX_H
#define STRATA_OPS_SOFTMAX_H

#include "ops/view.h"

/* Over the middle axis of (count / extent / inner, extent, inner); inner is 1 for the last axis. y may be x. */
struct softmax {
    bool log; /* log_softmax */
    size_t extent, inner;
};

bool strata_op_softmax(struct run *run, const struct softmax *softmax, const struct view *x, const struct view *y,
                       strata_error *err);

/* From y and dy; dx may be dy. */
bool strata_op_softmax_gradient(struct run *run, const struct softmax *softmax, const struct view *y,
                                const struct view *dy, const struct view *dx, strata_error *err);

#endif
