/* Dropout: in training sets a part of the elements to 0 and divides the others by 1 - rate. */
#include "layers/noise_common.h"

static const struct field fields[] = {
    STRATA_NOISE_FIELD_RATE,
    STRATA_NOISE_FIELD_SEED,
    STRATA_NOISE_FIELD_SHAPE,
    { 0 },
};

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_forward(config, NOISE_DROPOUT, strata_noise_repeats(config), s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_backward(config, NOISE_DROPOUT, strata_noise_repeats(config), s, err);
}

const struct layer_class strata_layer_dropout = {
    .class = { .name = "Dropout",
               .config_size = sizeof(struct noise_config),
               .fields = fields,
               .help = "in training drops elements" },
    .shape = strata_noise_shape_keep,
    .forward = forward,
    .backward = backward,
    .in_place = true,
    .identity_in_inference = true,
};
