/* Bringing a batch into the form in which the first layer reads it. */
#ifndef STRATA_OPS_INPUT_H
#define STRATA_OPS_INPUT_H

#include <strata/data.h>

#include "ops/view.h"

/* y[i] = x[i] * scale as float, or x[i] truncated to int32 when `integer`, for elements of float32, uint8 or int32. */
bool strata_op_input(struct run *run, const struct buffer *x, strata_type type, float scale, bool integer,
                     const struct view *y, strata_error *err);

#endif
