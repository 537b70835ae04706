/* GaussianNoise: in training adds normal numbers of mean 0. */
#include "layers/noise_common.h"

static const struct field fields[] = {
    { "stddev", FIELD_FLOAT, offsetof(struct noise_config, rate), .required = true, .min = 0, .max = 1e30,
      .help = "the deviation of what is added" },
    STRATA_NOISE_FIELD_SEED,
    { 0 },
};

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_forward(config, NOISE_GAUSSIAN, 0, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_backward(config, NOISE_GAUSSIAN, 0, s, err);
}

const struct layer_class strata_layer_gaussian_noise = {
    .class = { .name = "GaussianNoise",
               .config_size = sizeof(struct noise_config),
               .fields = fields,
               .help = "in training adds noise" },
    .shape = strata_shape_keep,
    .forward = forward,
    .backward = backward,
    .in_place = true,
    .identity_in_inference = true,
};
