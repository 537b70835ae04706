#include "ops/merge.h"

#include <stdio.h>

#include "ops/axes.h"
#include "ops/map.h"
#include "ops/strided.h"

bool strata_op_merge(struct run *run, enum merge_op op, const struct view *x, const struct view *y,
                     const struct view *r, strata_error *err)
{
    char options[400];
    size_t strides[STRATA_MAX_RANK];
    const struct shape *shape = &r->shape;
    strata_op_strides(&x->shape, strides);
    int used = snprintf(options, sizeof options, "-DOP=%d -DRANK=%d", (int)op, shape->rank);
    for (int i = 0; i < shape->rank; i++)
        used +=
            snprintf(options + used, sizeof options - (size_t)used, " -DD%d=%zuu -DS%d=%zuul", i,
                     i ? shape->dim[i] : 0, i, x->shape.dim[i] == 1 && shape->dim[i] != 1 ? 0 : strides[i]);
    const struct arg args[] = { arg_view(x), arg_view(y), arg_view(r), { 0 } };
    return strata_op_map(run, "merge:combine", options, args, strata_view_count(r), err);
}

bool strata_op_merge_gradient(struct run *run, const struct view *dy, const struct view *weight,
                              double factor, const struct view *dx, strata_error *err)
{
    struct axes axes;
    unsigned kept = 0;
    for (int i = 0; i < dy->shape.rank; i++) kept |= dx->shape.dim[i] == dy->shape.dim[i] ? 1u << i : 0;
    strata_op_axes(&dy->shape, kept, &axes);
    const struct arg args[] = {
        arg_view(dy), arg_view(weight), arg_view(dx), arg_float(factor), arg_uint((uint32_t)axes.size), { 0 }
    };
    return strata_op_map(run, "merge:gather", axes.options, args, axes.groups, err);
}
