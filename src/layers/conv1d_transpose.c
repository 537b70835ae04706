/* Conv1DTranspose: the input gradient of a Conv1D, as a layer: its output is larger than its input. */
#include "layers/conv_transpose.h"

static const struct field fields[] = {
    STRATA_CONV_FIELD_FILTERS,
    STRATA_CONV_FIELD_KERNEL_SIZE(1),
    STRATA_CONV_FIELD_STRIDES(1),
    STRATA_FIELD_PADDING(struct conv_config, padding),
    { "output_padding", FIELD_INTS, offsetof(struct conv_config, output_padding), .count = 1, .min = 0,
      .max = 1e6, .nullable = true, .null_default = true,
      .help = "cells added at the end, fewer than the stride; null: Keras's choice" },
    STRATA_FIELD_DATA_FORMAT(struct conv_config, data_format),
    STRATA_CONV_FIELD_DILATION(1),
    STRATA_CONV_FIELD_GROUPS_KERAS2,
    STRATA_FIELD_ACTIVATION(struct conv_config, activation),
    STRATA_CONV_FIELD_USE_BIAS,
    STRATA_CONV_FIELDS_KERNEL,
    STRATA_CONV_FIELDS_BIAS,
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_conv_transpose_shape(config, 1, "Conv1DTranspose", in, out, err);
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    (void)err;
    return strata_conv_transpose_weights(config, 1, in, ask);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_conv_transpose_forward(config, 1, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_conv_transpose_backward(config, 1, s, err);
}

static const char *const aliases[] = { "Convolution1DTranspose", NULL };
const struct layer_class strata_layer_conv1d_transpose = {
    .class = { .name = "Conv1DTranspose",
               .config_size = sizeof(struct conv_config),
               .fields = fields,
               .aliases = aliases,
               .check = strata_conv_transpose_check,
               .help = "windows that each input cell adds to the output" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
    .adds_bias = true,
    .activation = offsetof(struct conv_config, activation) + 1,
    .activity_regularizer = offsetof(struct conv_config, activity_regularizer) + 1,
};
