/* GaussianDropout: in training multiplies by normal numbers of mean 1 and variance rate / (1 - rate). */
#include "layers/noise_common.h"

static const struct field fields[] = {
    STRATA_NOISE_FIELD_RATE,
    STRATA_NOISE_FIELD_SEED,
    { 0 },
};

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_forward(config, NOISE_GAUSSIAN_DROPOUT, 0, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_backward(config, NOISE_GAUSSIAN_DROPOUT, 0, s, err);
}

const struct layer_class strata_layer_gaussian_dropout = {
    .class = { .name = "GaussianDropout",
               .config_size = sizeof(struct noise_config),
               .fields = fields,
               .check = strata_noise_check_rate,
               .help = "in training multiplies by noise around 1" },
    .shape = strata_shape_keep,
    .forward = forward,
    .backward = backward,
    .in_place = true,
    .identity_in_inference = true,
};
