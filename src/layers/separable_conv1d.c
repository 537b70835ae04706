/* SeparableConv1D: a depthwise convolution, then one of extent 1 over the channels. */
#include "layers/conv_depth.h"

static const char *const paddings[] = { "valid", "same", "causal", NULL }; /* enum padding */

static const struct field fields[] = {
    STRATA_CONV_FIELD_FILTERS,
    STRATA_CONV_FIELD_DEPTH_MULTIPLIER,
    STRATA_CONV_FIELD_KERNEL_SIZE(1),
    STRATA_CONV_FIELD_STRIDES(1),
    { "padding", FIELD_CHOICE, offsetof(struct conv_config, padding), .choices = paddings,
      .help = "same: zeros around it, so that stride 1 keeps the extent; causal: zeros in front alone" },
    STRATA_FIELD_DATA_FORMAT(struct conv_config, data_format),
    STRATA_CONV_FIELD_DILATION(1),
    STRATA_CONV_FIELD_GROUPS_KERAS2,
    STRATA_FIELD_ACTIVATION(struct conv_config, activation),
    STRATA_CONV_FIELD_USE_BIAS,
    STRATA_FIELD_INITIALIZER("depthwise_initializer", struct conv_config, kernel_initializer,
                             "GlorotUniform"),
    STRATA_FIELD_INITIALIZER("pointwise_initializer", struct conv_config, pointwise_initializer,
                             "GlorotUniform"),
    STRATA_FIELD_REGULARIZER("depthwise_regularizer", struct conv_config, kernel_regularizer),
    STRATA_FIELD_REGULARIZER("pointwise_regularizer", struct conv_config, pointwise_regularizer),
    STRATA_FIELD_CONSTRAINT("depthwise_constraint", struct conv_config, kernel_constraint),
    STRATA_FIELD_CONSTRAINT("pointwise_constraint", struct conv_config, pointwise_constraint),
    STRATA_CONV_FIELDS_BIAS,
    /* Keras 2 writes them and uses none of them */
    { "kernel_initializer", FIELD_CUSTOM, 0, .parse = strata_parse_ignored, .silent = true },
    { "kernel_regularizer", FIELD_CUSTOM, 0, .parse = strata_parse_ignored, .silent = true },
    { "kernel_constraint", FIELD_CUSTOM, 0, .parse = strata_parse_ignored, .silent = true },
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct conv_config *c = config;
    return strata_conv_depth_shape(c, 1, "SeparableConv1D", (size_t)c->filters, in, out, err);
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    (void)err;
    return strata_separable_weights(config, 1, in, ask);
}

static size_t between(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    return strata_separable_between(config, 1, n, in, out);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_separable_forward(config, 1, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_separable_backward(config, 1, s, err);
}

static const char *const aliases[] = { "SeparableConvolution1D", NULL };
const struct layer_class strata_layer_separable_conv1d = {
    .class = { .name = "SeparableConv1D",
               .config_size = sizeof(struct conv_config),
               .fields = fields,
               .aliases = aliases,
               .check = strata_conv_depth_check,
               .help = "windows over the steps of a sequence, each channel by itself, then a mix of the "
                       "channels" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .keep = between,
    .work = between,
    .needs_x = true,
    .fuses = true,
    .adds_bias = true,
    .activation = offsetof(struct conv_config, activation) + 1,
    .activity_regularizer = offsetof(struct conv_config, activity_regularizer) + 1,
};
