/* Conv2D: cross-correlation of (batch, height, width, channels) with a kernel; channels may be in groups. */
#include "layers/conv_plain.h"

static const struct field fields[] = {
    STRATA_CONV_FIELD_FILTERS,
    STRATA_CONV_FIELD_KERNEL_SIZE(2),
    STRATA_CONV_FIELD_STRIDES(2),
    STRATA_FIELD_PADDING(struct conv_config, padding),
    STRATA_FIELD_DATA_FORMAT(struct conv_config, data_format),
    STRATA_CONV_FIELD_DILATION(2),
    { "groups", FIELD_INT, offsetof(struct conv_config, groups), .otherwise = 1, .min = 1, .max = 1e9,
      .help = "parts of the channels that do not see each other" },
    STRATA_FIELD_ACTIVATION(struct conv_config, activation),
    STRATA_CONV_FIELD_USE_BIAS,
    STRATA_CONV_FIELDS_KERNEL,
    STRATA_CONV_FIELDS_BIAS,
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_conv_plain_shape(config, 2, "Conv2D", in, out, err);
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    (void)err;
    return strata_conv_plain_weights(config, 2, in, ask);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_conv_plain_forward(config, 2, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_conv_plain_backward(config, 2, s, err);
}

static bool halves(const void *config, struct device *device, bool strict, const struct shape *in)
{
    return strata_conv_plain_halves(config, 2, device, strict, in);
}

static bool sums_grains(const void *config, struct device *device, bool strict, const struct shape *in)
{
    return strata_conv_plain_sums_grains(config, 2, device, strict, in);
}

static bool pools(const void *config, struct device *device, bool strict, const struct shape *in, const struct pooled *pooled)
{
    return strata_conv_plain_pools(config, 2, device, strict, in, pooled);
}

static size_t gives_moments(const void *config, struct device *device, bool strict, size_t n, const struct shape *in)
{
    return strata_conv_plain_gives_moments(config, 2, device, strict, n, in);
}

static const char *const aliases[] = { "Convolution2D", NULL };
const struct layer_class strata_layer_conv2d = {
    .class = { .name = "Conv2D",
               .config_size = sizeof(struct conv_config),
               .fields = fields,
               .aliases = aliases,
               .check = strata_conv_check,
               .help = "windows over the rows and columns of an image" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .sums_grains = sums_grains,
    .halves = halves,
    .needs_x = true,
    .fuses = true,
    .takes_rim = true,
    .pools = pools,
    .gives_moments = gives_moments,
    .adds_bias = true,
    .activation = offsetof(struct conv_config, activation) + 1,
    .activity_regularizer = offsetof(struct conv_config, activity_regularizer) + 1,
};
