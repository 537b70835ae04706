/* Softmax over an axis, or over neighbouring axes together. */
#include "ops/softmax.h"

#include <stddef.h>

#include "layers/axis.h"
#include "layers/layer.h"

struct softmax_config {
    struct ints axis;
};

static const struct field fields[] = {
    STRATA_FIELD_AXIS(struct softmax_config, axis, -1, "the axis, or neighbouring axes, that sum to 1"),
    { 0 },
};

/* The extent of the axes and of what lies behind them in x, which has its batch axis; false unless they are neighbours. */
static bool softmax_of(const struct softmax_config *c, const struct shape *x, struct softmax *softmax)
{
    unsigned mask;
    int first = 0, last = x->rank - 1;
    if (!strata_axis_mask(&c->axis, x->rank, &mask)) return false;
    *softmax = (struct softmax){ .extent = 1, .inner = 1 };
    while (!(mask >> first & 1)) first++;
    for (; !(mask >> last & 1); last--) softmax->inner *= x->dim[last];
    for (int axis = first; axis <= last; axis++) {
        softmax->extent *= x->dim[axis];
        if (!(mask >> axis & 1)) return false;
    }
    return first > 0;
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct shape batched = strata_shape_batch(1, in);
    struct softmax softmax;
    char text[STRATA_SHAPE_TEXT];
    *out = *in;
    if (softmax_of(config, &batched, &softmax)) return true;
    return strata_fail(err, STRATA_ESHAPE,
                       "axis must be an axis, or neighbouring axes, of the input %s behind the batch",
                       strata_layer_shape_text(in, text));
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    struct softmax softmax;
    softmax_of(config, &s->x.shape, &softmax);
    return strata_op_softmax(s->run, &softmax, &s->x, &s->y, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    struct softmax softmax;
    softmax_of(config, &s->x.shape, &softmax);
    return !s->dx.buffer || strata_op_softmax_gradient(s->run, &softmax, &s->y, &s->dy, &s->dx, err);
}

static enum activation_kind acts_as(const void *config, const struct shape *in)
{
    const struct shape x = strata_shape_batch(1, in);
    struct softmax softmax;
    const bool last =
        softmax_of(config, &x, &softmax) && softmax.inner == 1 && softmax.extent == in->dim[in->rank - 1];
    return last ? ACTIVATION_SOFTMAX : ACTIVATION_KINDS;
}

const struct layer_class strata_layer_softmax = {
    .class = { .name = "Softmax",
               .config_size = sizeof(struct softmax_config),
               .fields = fields,
               .help = "positive numbers that sum to 1 along an axis" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .needs_y = true,
    .acts_as = acts_as,
};
