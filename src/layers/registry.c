/* Every kind of layer: one extern and one table entry each. */
#include "layers/layer.h"

extern const struct layer_class strata_layer_activation;
extern const struct layer_class strata_layer_activity_regularization;
extern const struct layer_class strata_layer_add;
extern const struct layer_class strata_layer_add_operation;
extern const struct layer_class strata_layer_alpha_dropout;
extern const struct layer_class strata_layer_average;
extern const struct layer_class strata_layer_average_pooling1d;
extern const struct layer_class strata_layer_average_pooling2d;
extern const struct layer_class strata_layer_batch_normalization;
extern const struct layer_class strata_layer_center_crop;
extern const struct layer_class strata_layer_concatenate;
extern const struct layer_class strata_layer_conv1d;
extern const struct layer_class strata_layer_conv1d_transpose;
extern const struct layer_class strata_layer_conv2d;
extern const struct layer_class strata_layer_conv2d_transpose;
extern const struct layer_class strata_layer_cropping1d;
extern const struct layer_class strata_layer_cropping2d;
extern const struct layer_class strata_layer_custom_scale_layer;
extern const struct layer_class strata_layer_dense;
extern const struct layer_class strata_layer_depthwise_conv1d;
extern const struct layer_class strata_layer_depthwise_conv2d;
extern const struct layer_class strata_layer_divide_operation;
extern const struct layer_class strata_layer_dropout;
extern const struct layer_class strata_layer_elu;
extern const struct layer_class strata_layer_embedding;
extern const struct layer_class strata_layer_flatten;
extern const struct layer_class strata_layer_gaussian_dropout;
extern const struct layer_class strata_layer_gaussian_noise;
extern const struct layer_class strata_layer_global_average_pooling1d;
extern const struct layer_class strata_layer_global_average_pooling2d;
extern const struct layer_class strata_layer_global_max_pooling1d;
extern const struct layer_class strata_layer_global_max_pooling2d;
extern const struct layer_class strata_layer_group_normalization;
extern const struct layer_class strata_layer_identity;
extern const struct layer_class strata_layer_input;
extern const struct layer_class strata_layer_layer_normalization;
extern const struct layer_class strata_layer_layer_scale;
extern const struct layer_class strata_layer_leaky_relu;
extern const struct layer_class strata_layer_max_pooling1d;
extern const struct layer_class strata_layer_max_pooling2d;
extern const struct layer_class strata_layer_maximum;
extern const struct layer_class strata_layer_minimum;
extern const struct layer_class strata_layer_multiply;
extern const struct layer_class strata_layer_multiply_operation;
extern const struct layer_class strata_layer_normalization;
extern const struct layer_class strata_layer_permute;
extern const struct layer_class strata_layer_prelu;
extern const struct layer_class strata_layer_random_brightness;
extern const struct layer_class strata_layer_random_contrast;
extern const struct layer_class strata_layer_random_crop;
extern const struct layer_class strata_layer_random_flip;
extern const struct layer_class strata_layer_random_rotation;
extern const struct layer_class strata_layer_random_translation;
extern const struct layer_class strata_layer_random_zoom;
extern const struct layer_class strata_layer_relu;
extern const struct layer_class strata_layer_repeat_vector;
extern const struct layer_class strata_layer_rescaling;
extern const struct layer_class strata_layer_reshape;
extern const struct layer_class strata_layer_resizing;
extern const struct layer_class strata_layer_rms_normalization;
extern const struct layer_class strata_layer_separable_conv1d;
extern const struct layer_class strata_layer_separable_conv2d;
extern const struct layer_class strata_layer_softmax;
extern const struct layer_class strata_layer_spatial_dropout1d;
extern const struct layer_class strata_layer_spatial_dropout2d;
extern const struct layer_class strata_layer_stochastic_depth;
extern const struct layer_class strata_layer_subtract;
extern const struct layer_class strata_layer_subtract_operation;
extern const struct layer_class strata_layer_unit_normalization;
extern const struct layer_class strata_layer_up_sampling1d;
extern const struct layer_class strata_layer_up_sampling2d;
extern const struct layer_class strata_layer_zero_padding1d;
extern const struct layer_class strata_layer_zero_padding2d;

static const struct class *const classes[] = {
    &strata_layer_activation.class,
    &strata_layer_activity_regularization.class,
    &strata_layer_add.class,
    &strata_layer_add_operation.class,
    &strata_layer_alpha_dropout.class,
    &strata_layer_average.class,
    &strata_layer_average_pooling1d.class,
    &strata_layer_average_pooling2d.class,
    &strata_layer_batch_normalization.class,
    &strata_layer_center_crop.class,
    &strata_layer_concatenate.class,
    &strata_layer_conv1d.class,
    &strata_layer_conv1d_transpose.class,
    &strata_layer_conv2d.class,
    &strata_layer_conv2d_transpose.class,
    &strata_layer_cropping1d.class,
    &strata_layer_cropping2d.class,
    &strata_layer_custom_scale_layer.class,
    &strata_layer_dense.class,
    &strata_layer_depthwise_conv1d.class,
    &strata_layer_depthwise_conv2d.class,
    &strata_layer_divide_operation.class,
    &strata_layer_dropout.class,
    &strata_layer_elu.class,
    &strata_layer_embedding.class,
    &strata_layer_flatten.class,
    &strata_layer_gaussian_dropout.class,
    &strata_layer_gaussian_noise.class,
    &strata_layer_global_average_pooling1d.class,
    &strata_layer_global_average_pooling2d.class,
    &strata_layer_global_max_pooling1d.class,
    &strata_layer_global_max_pooling2d.class,
    &strata_layer_group_normalization.class,
    &strata_layer_identity.class,
    &strata_layer_input.class,
    &strata_layer_layer_normalization.class,
    &strata_layer_layer_scale.class,
    &strata_layer_leaky_relu.class,
    &strata_layer_max_pooling1d.class,
    &strata_layer_max_pooling2d.class,
    &strata_layer_maximum.class,
    &strata_layer_minimum.class,
    &strata_layer_multiply.class,
    &strata_layer_multiply_operation.class,
    &strata_layer_normalization.class,
    &strata_layer_permute.class,
    &strata_layer_prelu.class,
    &strata_layer_random_brightness.class,
    &strata_layer_random_contrast.class,
    &strata_layer_random_crop.class,
    &strata_layer_random_flip.class,
    &strata_layer_random_rotation.class,
    &strata_layer_random_translation.class,
    &strata_layer_random_zoom.class,
    &strata_layer_relu.class,
    &strata_layer_repeat_vector.class,
    &strata_layer_rescaling.class,
    &strata_layer_reshape.class,
    &strata_layer_resizing.class,
    &strata_layer_rms_normalization.class,
    &strata_layer_separable_conv1d.class,
    &strata_layer_separable_conv2d.class,
    &strata_layer_softmax.class,
    &strata_layer_spatial_dropout1d.class,
    &strata_layer_spatial_dropout2d.class,
    &strata_layer_stochastic_depth.class,
    &strata_layer_subtract.class,
    &strata_layer_subtract_operation.class,
    &strata_layer_unit_normalization.class,
    &strata_layer_up_sampling1d.class,
    &strata_layer_up_sampling2d.class,
    &strata_layer_zero_padding1d.class,
    &strata_layer_zero_padding2d.class,
    NULL,
};

const struct registry strata_layers = { .kind = "layer", .module = "keras.layers", .classes = classes };
