/* ELU: y = x where x > 0, alpha (exp(x) - 1) elsewhere. Source: Keras 3's activations.elu on TensorFlow. */
#include "layers/layer.h"

#include <math.h>
#include <stddef.h>

#include "ops/map.h"

struct elu {
    double alpha;
};

static const struct field fields[] = {
    { "alpha", FIELD_FLOAT, offsetof(struct elu, alpha), .otherwise = 1,
      .help = "minus the limit far below 0" },
    { 0 },
};

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct elu *c = config;
    const struct arg args[] = { arg_view(&s->x), arg_view(&s->y), arg_float(c->alpha), { 0 } };
    return strata_op_map(s->run, "elu:forward", NULL, args, strata_view_count(&s->x), err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct elu *c = config;
    const struct arg args[] = {
        arg_view(&s->x), arg_view(&s->dy), arg_view(&s->dx), arg_float(c->alpha), { 0 }
    };
    return !s->dx.buffer || strata_op_map(s->run, "elu:gradient", NULL, args, strata_view_count(&s->dx), err);
}

static enum activation_kind acts_as(const void *config, const struct shape *in)
{
    const struct elu *c = config;
    (void)in;
    return c->alpha == 1 ? ACTIVATION_ELU : ACTIVATION_KINDS;
}

const struct layer_class strata_layer_elu = {
    .class = { .name = "ELU",
               .config_size = sizeof(struct elu),
               .fields = fields,
               .help = "the identity above 0, an exponential below" },
    .shape = strata_shape_keep,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
    .acts_as = acts_as,
};
