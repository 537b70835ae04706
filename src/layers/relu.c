/* ReLU: x above a threshold, at most max_value; below the threshold a slope.
 * Source: Keras 3's activations.relu on TensorFlow, its gradients at the knots too. */
#include "layers/layer.h"

#include <math.h>
#include <stddef.h>

#include "ops/map.h"

struct relu {
    double max_value, negative_slope, threshold; /* max_value NAN: none */
};

static const struct field fields[] = {
    { "max_value", FIELD_FLOAT, offsetof(struct relu, max_value), .min = 0, .max = INFINITY, .nullable = true,
      .null_default = true, .help = "the largest output; null: none" },
    { "negative_slope", FIELD_FLOAT, offsetof(struct relu, negative_slope), .min = 0, .max = INFINITY,
      .nullable = true, .help = "the slope below the threshold" },
    { "threshold", FIELD_FLOAT, offsetof(struct relu, threshold), .min = 0, .max = INFINITY, .nullable = true,
      .help = "below it the output is 0, or on the slope" },
    { 0 },
};

/* null stands for 0, as in Keras. */
static double or_zero(double value)
{
    return isnan(value) ? 0 : value;
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct relu *c = config;
    const bool capped = !isnan(c->max_value);
    const struct arg args[] = { arg_view(&s->x),
                                arg_view(&s->y),
                                arg_float(or_zero(c->threshold)),
                                arg_float(or_zero(c->negative_slope)),
                                arg_int(capped),
                                arg_float(capped ? c->max_value : 0),
                                { 0 } };
    return strata_op_map(s->run, "relu:forward", NULL, args, strata_view_count(&s->x), err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct relu *c = config;
    const double threshold = or_zero(c->threshold);
    const bool capped = !isnan(c->max_value), open_cap = c->max_value == 6 && threshold == 0;
    const struct arg args[] = { arg_view(&s->x),
                                arg_view(&s->dy),
                                arg_view(&s->dx),
                                arg_float(threshold),
                                arg_float(or_zero(c->negative_slope)),
                                arg_int(capped),
                                arg_float(capped ? c->max_value : 0),
                                arg_int(open_cap),
                                arg_int(!capped && threshold == 0),
                                { 0 } };
    return !s->dx.buffer
           || strata_op_map(s->run, "relu:gradient", NULL, args, strata_view_count(&s->dx), err);
}

/* relu and relu6, which the layer before can apply. */
static enum activation_kind acts_as(const void *config, const struct shape *in)
{
    const struct relu *c = config;
    (void)in;
    if (or_zero(c->threshold) != 0 || or_zero(c->negative_slope) != 0) return ACTIVATION_KINDS;
    return isnan(c->max_value) ? ACTIVATION_RELU : c->max_value == 6 ? ACTIVATION_RELU6 : ACTIVATION_KINDS;
}

const struct layer_class strata_layer_relu = {
    .class = { .name = "ReLU",
               .config_size = sizeof(struct relu),
               .fields = fields,
               .help = "the positive part, with a cap, a slope and a threshold" },
    .shape = strata_shape_keep,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
    .acts_as = acts_as,
};
