/* SpatialDropout2D: dropout of whole channels of a sample, the same at every position. */
#include "layers/noise_common.h"

static const struct field fields[] = {
    STRATA_NOISE_FIELD_RATE,
    STRATA_NOISE_FIELD_SEED,
    STRATA_FIELD_DATA_FORMAT(struct noise_config, data_format),
    STRATA_FIELD_UNSET("noise_shape"),
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct noise_config *c = config;
    (void)flavour;
    return strata_check_data_format(c->data_format, err);
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    (void)config;
    *out = *in;
    return strata_layer_expect_rank(in, 3, "SpatialDropout2D", err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_forward(config, NOISE_DROPOUT, 1u << 1 | 1u << 2, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_noise_backward(config, NOISE_DROPOUT, 1u << 1 | 1u << 2, s, err);
}

const struct layer_class strata_layer_spatial_dropout2d = {
    .class = { .name = "SpatialDropout2D",
               .config_size = sizeof(struct noise_config),
               .fields = fields,
               .check = check,
               .help = "in training drops whole channels" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .in_place = true,
    .identity_in_inference = true,
};
