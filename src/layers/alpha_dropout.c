/* AlphaDropout: in training sets elements to SELU's negative end and rescales, so that mean and variance stay. */
#include "layers/noise_common.h"

static const struct field fields[] = {
    STRATA_NOISE_FIELD_RATE,
    STRATA_NOISE_FIELD_SEED,
    STRATA_NOISE_FIELD_SHAPE,
    { 0 },
};

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_forward(config, NOISE_ALPHA_DROPOUT, strata_noise_repeats(config), s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_backward(config, NOISE_ALPHA_DROPOUT, strata_noise_repeats(config), s, err);
}

const struct layer_class strata_layer_alpha_dropout = {
    .class = { .name = "AlphaDropout",
               .config_size = sizeof(struct noise_config),
               .fields = fields,
               .check = strata_noise_check_rate,
               .help = "dropout that keeps mean and variance after selu" },
    .shape = strata_noise_shape_keep,
    .forward = forward,
    .backward = backward,
    .in_place = true,
    .identity_in_inference = true,
};
