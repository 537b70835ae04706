/* Concatenate: the inputs one after the other along an axis. */
#include "layers/merging.h"

#include <stddef.h>

#include "ops/strided.h"

struct concatenate {
    long axis;
};

static const struct field fields[] = {
    { "axis", FIELD_INT, offsetof(struct concatenate, axis), .otherwise = -1, .min = -STRATA_MAX_RANK,
      .max = STRATA_MAX_RANK, .help = "the axis, the batch counted as 0" },
    { 0 },
};

/* The axis of shapes of `rank` axes with the batch. */
static int axis_of(const struct concatenate *c, int rank)
{
    return (int)(c->axis < 0 ? c->axis + rank : c->axis);
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    char a[STRATA_SHAPE_TEXT], b[STRATA_SHAPE_TEXT];
    const int axis = axis_of(config, in[0].rank + 1) - 1, inputs = strata_merge_inputs(in);
    if (axis < 0 || axis >= in[0].rank)
        return strata_fail(err, STRATA_ESHAPE, "axis is not one of the axes of the input %s behind the batch",
                           strata_layer_shape_text(&in[0], a));
    *out = in[0];
    for (int k = 1; k < inputs; k++) {
        struct shape rest = in[k];
        if (rest.rank == in[0].rank) rest.dim[axis] = in[0].dim[axis];
        if (!strata_shape_equal(&rest, &in[0]))
            return strata_fail(err, STRATA_ESHAPE,
                               "inputs have shapes %s and %s, which differ beyond the axis to be joined",
                               strata_layer_shape_text(&in[0], a), strata_layer_shape_text(&in[k], b));
        out->dim[axis] += in[k].dim[axis];
    }
    return true;
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    size_t at[STRATA_MAX_RANK] = { 0 };
    const int axis = axis_of(config, s->y.shape.rank);
    for (int k = 0; k < s->inputs; k++) {
        if (!strata_op_place(s->run, &s->xs[k], at, &s->y, err)) return false;
        at[axis] += s->xs[k].shape.dim[axis];
    }
    return true;
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    size_t at[STRATA_MAX_RANK] = { 0 };
    const int axis = axis_of(config, s->dy.shape.rank);
    for (int k = 0; k < s->inputs; k++) {
        if (s->dxs[k].buffer && !strata_op_crop(s->run, &s->dy, at, &s->dxs[k], err)) return false;
        at[axis] += s->xs[k].shape.dim[axis];
    }
    return true;
}

const struct layer_class strata_layer_concatenate = {
    .class = { .name = "Concatenate",
               .config_size = sizeof(struct concatenate),
               .fields = fields,
               .help = "the inputs one after the other" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .merges = true,
};
