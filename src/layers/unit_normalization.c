/* UnitNormalization: y = x / |x|, the Euclidean norm taken over some axes of each sample.
 * Source: Keras 3's UnitNormalization. */
#include "layers/axis.h"
#include "layers/layer.h"

#include <stddef.h>

#include "ops/axes.h"
#include "ops/map.h"

struct unit_normalization {
    struct ints axis;
};

static const struct field fields[] = {
    STRATA_FIELD_AXIS(struct unit_normalization, axis, -1, "the axes over which the norm is taken"),
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct unit_normalization *c = config;
    unsigned mask;
    char text[STRATA_SHAPE_TEXT];
    *out = *in;
    if (strata_axis_mask(&c->axis, in->rank + 1, &mask) && !(mask & 1)) return true;
    return strata_fail(err, STRATA_ESHAPE, "axis is not one of the axes of the input %s behind the batch",
                       strata_layer_shape_text(in, text));
}

/* The other axes number the groups. */
static void groups_of(const struct unit_normalization *c, const struct shape *x, struct axes *axes)
{
    unsigned mask = 0;
    strata_axis_mask(&c->axis, x->rank, &mask);
    strata_op_axes(x, ~mask, axes);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    struct axes axes;
    groups_of(config, &s->x.shape, &axes);
    const struct arg args[] = { arg_view(&s->x), arg_view(&s->y), arg_uint((uint32_t)axes.size), { 0 } };
    return strata_op_map(s->run, "unit_normalization:forward", axes.options, args, axes.groups, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    struct axes axes;
    groups_of(config, &s->x.shape, &axes);
    const struct arg args[] = {
        arg_view(&s->x), arg_view(&s->dy), arg_view(&s->dx), arg_uint((uint32_t)axes.size), { 0 }
    };
    return !s->dx.buffer
           || strata_op_map(s->run, "unit_normalization:gradient", axes.options, args, axes.groups, err);
}

const struct layer_class strata_layer_unit_normalization = {
    .class = { .name = "UnitNormalization",
               .config_size = sizeof(struct unit_normalization),
               .fields = fields,
               .help = "brings vectors to length 1" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
};
