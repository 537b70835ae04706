/* DepthwiseConv1D: each channel is convolved by itself, with depth_multiplier kernels. */
#include "layers/conv_depth.h"

static const struct field fields[] = {
    STRATA_CONV_FIELD_DEPTH_MULTIPLIER,
    STRATA_CONV_FIELD_KERNEL_SIZE(1),
    STRATA_CONV_FIELD_STRIDES(1),
    STRATA_FIELD_PADDING(struct conv_config, padding),
    STRATA_FIELD_DATA_FORMAT(struct conv_config, data_format),
    STRATA_CONV_FIELD_DILATION(1),
    STRATA_CONV_FIELD_GROUPS_KERAS2,
    STRATA_FIELD_ACTIVATION(struct conv_config, activation),
    STRATA_CONV_FIELD_USE_BIAS,
    STRATA_FIELD_INITIALIZER("depthwise_initializer", struct conv_config, kernel_initializer,
                             "GlorotUniform"),
    STRATA_FIELD_REGULARIZER("depthwise_regularizer", struct conv_config, kernel_regularizer),
    STRATA_FIELD_CONSTRAINT("depthwise_constraint", struct conv_config, kernel_constraint),
    STRATA_CONV_FIELDS_BIAS,
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_conv_depth_shape(config, 1, "DepthwiseConv1D", 0, in, out, err);
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    (void)err;
    return strata_depthwise_weights(config, 1, in, ask);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_depthwise_forward(config, 1, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_depthwise_backward(config, 1, s, err);
}

const struct layer_class strata_layer_depthwise_conv1d = {
    .class = { .name = "DepthwiseConv1D",
               .config_size = sizeof(struct conv_config),
               .fields = fields,
               .check = strata_conv_depth_check,
               .help = "windows over the steps of a sequence, each channel by itself" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
    .fuses = true,
    .adds_bias = true,
    .activation = offsetof(struct conv_config, activation) + 1,
    .activity_regularizer = offsetof(struct conv_config, activity_regularizer) + 1,
};
