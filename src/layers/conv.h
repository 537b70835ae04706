/* What the convolution layers share: their config, the checks on it, their weights. */
#ifndef STRATA_LAYERS_CONV_H
#define STRATA_LAYERS_CONV_H

#include "layers/window.h"
#include "ops/conv2d.h"

/* A class's field table fills the members that it has keys for. */
struct conv_config {
    long filters, groups, depth_multiplier;
    struct ints kernel_size, strides, dilation_rate, output_padding;
    int padding, data_format, activation;
    bool use_bias;
    struct object kernel_initializer, kernel_regularizer, kernel_constraint;          /* depthwise_ ones too */
    struct object pointwise_initializer, pointwise_regularizer, pointwise_constraint; /* of separable ones */
    struct object bias_initializer, bias_regularizer, bias_constraint, activity_regularizer;
};

#define STRATA_CONV_FIELD_FILTERS                                                                                    \
    {                                                                                                                \
        "filters", FIELD_INT, offsetof(struct conv_config, filters), .required = true, .min = 1, .max = 1e9,        \
                   .help = "output channels"                                                                        \
    }
#define STRATA_CONV_FIELD_KERNEL_SIZE(dims)                                                                          \
    {                                                                                                                \
        "kernel_size", FIELD_INTS, offsetof(struct conv_config, kernel_size), .count = dims, .required = true,      \
                       .min = 1, .max = 1e6, .help = "extent of the window"                                         \
    }
#define STRATA_CONV_FIELD_STRIDES(dims)                                                                              \
    STRATA_FIELD_INTS("strides", struct conv_config, strides, dims, 1, "steps of the window")
#define STRATA_CONV_FIELD_DILATION(dims)                                                                             \
    STRATA_FIELD_INTS("dilation_rate", struct conv_config, dilation_rate, dims, 1,                                   \
                      "distance of neighbouring cells of the window")
#define STRATA_CONV_FIELD_DEPTH_MULTIPLIER                                                                           \
    {                                                                                                                \
        "depth_multiplier", FIELD_INT, offsetof(struct conv_config, depth_multiplier), .otherwise = 1, .min = 1,    \
                            .max = 1e6, .help = "outputs of each input channel"                                     \
    }
/* The one value that Keras 2 writes where the class has no groups. */
#define STRATA_CONV_FIELD_GROUPS_KERAS2                                                                              \
    {                                                                                                                \
        "groups", FIELD_INT, offsetof(struct conv_config, groups), .otherwise = 1, .min = 1, .max = 1,              \
                  .silent = true                                                                                     \
    }
#define STRATA_CONV_FIELD_USE_BIAS STRATA_FIELD_BOOL("use_bias", struct conv_config, use_bias, 1, "adds a bias")
/* The objects of the bias and the output. */
#define STRATA_CONV_FIELDS_BIAS                                                                                      \
    STRATA_FIELD_INITIALIZER("bias_initializer", struct conv_config, bias_initializer, "Zeros"),                     \
        STRATA_FIELD_REGULARIZER("bias_regularizer", struct conv_config, bias_regularizer),                          \
        STRATA_FIELD_REGULARIZER("activity_regularizer", struct conv_config, activity_regularizer),                  \
        STRATA_FIELD_CONSTRAINT("bias_constraint", struct conv_config, bias_constraint)
#define STRATA_CONV_FIELDS_KERNEL                                                                                    \
    STRATA_FIELD_INITIALIZER("kernel_initializer", struct conv_config, kernel_initializer, "GlorotUniform"),         \
        STRATA_FIELD_REGULARIZER("kernel_regularizer", struct conv_config, kernel_regularizer),                      \
        STRATA_FIELD_CONSTRAINT("kernel_constraint", struct conv_config, kernel_constraint)

/* data_format, strides against dilation, filters against groups. */
bool strata_conv_check(void *config, enum flavour flavour, strata_error *err);

/* Where the windows of an input lie; fails as strata_windows_place does. */
bool strata_conv_windows(const struct conv_config *c, const struct shape *in, int dims, struct windows *windows,
                         strata_error *err);

/* The convolution of x (with batch axis) of `dims` spatial axes to `filters` channels in `groups` groups. The shapes were
 * checked when the layer's output shape was found. */
struct conv2d strata_conv_of(const struct conv_config *c, const struct shape *x, int dims, size_t filters,
                             size_t groups);

/* The same of a step's x and the zeros around it (s->rim). */
struct conv2d strata_conv_of_step(const struct conv_config *c, const struct step *s, int dims, size_t filters, size_t groups);

/* Appends a kernel (of the kernel_ objects) of `dims` window axes and two channel axes. */
void strata_conv_ask_kernel(const struct conv_config *c, const char *name, const char *keras2, int dims, size_t rows,
                            size_t columns, struct weights *ask);
void strata_conv_ask_bias(const struct conv_config *c, size_t count, struct weights *ask);

#endif
