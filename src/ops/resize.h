/* Enlarging images by whole factors. */
#ifndef STRATA_OPS_RESIZE_H
#define STRATA_OPS_RESIZE_H

#include "ops/view.h"

enum resize_method { RESIZE_NEAREST, RESIZE_BILINEAR, RESIZE_BICUBIC, RESIZE_LANCZOS3, RESIZE_LANCZOS5 };

/* x (n, height, width, channels), y (n, height * factor_h, width * factor_w, channels). */
struct resize {
    enum resize_method method;
    size_t n, height, width, channels;
    int factor_h, factor_w;
};

bool strata_op_resize(struct run *run, const struct resize *resize, const struct view *x, const struct view *y,
                      strata_error *err);
bool strata_op_resize_gradient(struct run *run, const struct resize *resize, const struct view *dy,
                               const struct view *dx, strata_error *err);

#endif
