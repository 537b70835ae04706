/* StochasticDepth of keras.applications' ConvNeXt: in training drops whole samples and divides the others by 1 - rate. */
#include "layers/noise_common.h"

static const struct field fields[] = {
    { "drop_path_rate", FIELD_FLOAT, offsetof(struct noise_config, rate), .required = true, .min = 0, .max = 1,
      .help = "the part that is dropped" },
    { 0 },
};

/* Every axis but the batch's. */
static unsigned repeats(const struct view *x)
{
    return ((1u << x->shape.rank) - 1) & ~1u;
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_forward(config, NOISE_DROPOUT, repeats(&s->x), s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_backward(config, NOISE_DROPOUT, repeats(&s->dy), s, err);
}

const struct layer_class strata_layer_stochastic_depth = {
    .class = { .name = "StochasticDepth",
               .config_size = sizeof(struct noise_config),
               .fields = fields,
               .check = strata_noise_check_rate,
               .help = "in training drops whole samples (ConvNeXt)" },
    .module = "keras.src.applications.convnext",
    .shape = strata_shape_keep,
    .forward = forward,
    .backward = backward,
    .in_place = true,
    .identity_in_inference = true,
};
