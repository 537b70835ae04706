/* RMSNormalization: y = x / sqrt(mean(x^2) + epsilon) * scale over the last axes of each sample.
 * Source: Keras 3's RMSNormalization. */
#include "layers/axis.h"
#include "layers/layer.h"

#include <stddef.h>

#include "layers/initializers_priv.h"
#include "ops/axes.h"
#include "ops/map.h"

struct rms_normalization {
    struct ints axis;
    double epsilon;
};

/* What scale begins with; Keras has no argument for it. */
static const struct object ones = { .class = &strata_initializer_ones.class };

static const struct field fields[] = {
    { "axis", FIELD_INTS, offsetof(struct rms_normalization, axis), .otherwise = -1, .min = -STRATA_MAX_RANK,
      .max = STRATA_MAX_RANK, .help = "the axes over which the mean is taken: the last one, or several up to it" },
    { "epsilon", FIELD_FLOAT, offsetof(struct rms_normalization, epsilon), .otherwise = 1e-6, .min = 0, .max = 1e30,
      .help = "added to the mean of the squares" },
    { 0 },
};

/* Bits of the axes of a shape that has the batch first; false unless they are its last ones. */
static bool last_axes(const struct rms_normalization *c, int rank, unsigned *mask)
{
    unsigned last = 0;
    if (!strata_axis_mask(&c->axis, rank, mask) || !*mask || *mask & 1) return false;
    for (int axis = rank - 1; axis > 0 && *mask >> axis & 1; axis--) last |= 1u << axis;
    return last == *mask;
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    unsigned mask;
    char text[STRATA_SHAPE_TEXT];
    *out = *in;
    return last_axes(config, in->rank + 1, &mask)
           || strata_fail(err, STRATA_ESHAPE, "axis must name the last axes of the input %s, without the batch",
                          strata_layer_shape_text(in, text));
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    unsigned mask = 0;
    struct shape own = { 0 };
    (void)err;
    last_axes(config, in->rank + 1, &mask);
    for (int axis = 0; axis < in->rank; axis++)
        if (mask >> (axis + 1) & 1) own.dim[own.rank++] = in->dim[axis];
    ask->spec[ask->count++] = (struct weight_spec){ .name = "scale", .shape = own, .initializer = &ones };
    return true;
}

static void groups_of(const struct rms_normalization *c, const struct shape *x, struct axes *axes)
{
    unsigned mask = 0;
    last_axes(c, x->rank, &mask);
    strata_op_axes(x, ~mask, axes);
}

static size_t keep(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    const struct shape x = strata_shape_batch(n, in);
    struct axes axes;
    (void)out;
    groups_of(config, &x, &axes);
    return axes.groups;
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct rms_normalization *c = config;
    struct axes axes;
    groups_of(c, &s->x.shape, &axes);
    const struct arg args[] = { arg_view(&s->x),    arg_view(&s->w[0]),       arg_view(&s->y),
                                arg_view(&s->keep), arg_float(c->epsilon), arg_uint((uint32_t)axes.size), { 0 } };
    return strata_op_map(s->run, "rms_normalization:forward", axes.options, args, axes.groups, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    struct axes axes;
    groups_of(config, &s->x.shape, &axes);
    const struct arg scale[] = { arg_view(&s->x),     arg_view(&s->keep),                arg_view(&s->dy),
                                 arg_view(&s->dw[0]), arg_uint((uint32_t)axes.groups), { 0 } };
    const struct arg x[] = { arg_view(&s->x),  arg_view(&s->w[0]), arg_view(&s->keep),
                             arg_view(&s->dy), arg_view(&s->dx),   arg_uint((uint32_t)axes.size), { 0 } };
    return (!s->dw[0].buffer
            || strata_op_map(s->run, "rms_normalization:scale_gradient", axes.options, scale, axes.size, err))
           && (!s->dx.buffer
               || strata_op_map(s->run, "rms_normalization:gradient", axes.options, x, axes.groups, err));
}

const struct layer_class strata_layer_rms_normalization = {
    .class = { .name = "RMSNormalization",
               .config_size = sizeof(struct rms_normalization),
               .fields = fields,
               .help = "brings the root of the mean square to 1",
               .only_keras3 = true },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .keep = keep,
    .needs_x = true,
};
