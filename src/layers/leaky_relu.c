/* LeakyReLU: y = x where x > 0, negative_slope * x elsewhere; elementwise, any rank.
 * Source: Keras 3 LeakyReLU on TensorFlow, where the gradient at x = 0 is the slope. */
#include "layers/layer.h"

#include <math.h>
#include <stddef.h>

#include "ops/map.h"

struct leaky_relu {
    double slope;
};

static const struct field fields[] = {
    { "negative_slope", FIELD_FLOAT, offsetof(struct leaky_relu, slope), .keras2 = "alpha", .otherwise = 0.3,
      .min = 0, .max = INFINITY, .help = "the slope below 0" },
    { 0 },
};

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct leaky_relu *c = config;
    const struct arg args[] = { arg_view(&s->x), arg_view(&s->y), arg_float(c->slope), { 0 } };
    return strata_op_map(s->run, "leaky_relu:forward", NULL, args, strata_view_count(&s->x), err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct leaky_relu *c = config;
    const struct arg args[] = {
        arg_view(&s->x), arg_view(&s->dy), arg_view(&s->dx), arg_float(c->slope), { 0 }
    };
    return !s->dx.buffer
           || strata_op_map(s->run, "leaky_relu:gradient", NULL, args, strata_view_count(&s->dx), err);
}

/* The activation of that name has a slope of 0.2. */
static enum activation_kind acts_as(const void *config, const struct shape *in)
{
    const struct leaky_relu *c = config;
    (void)in;
    return (float)c->slope == 0.2f ? ACTIVATION_LEAKY_RELU : ACTIVATION_KINDS;
}

const struct layer_class strata_layer_leaky_relu = {
    .class = { .name = "LeakyReLU",
               .config_size = sizeof(struct leaky_relu),
               .fields = fields,
               .help = "a slope below 0, the identity above" },
    .shape = strata_shape_keep,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
    .acts_as = acts_as,
};
