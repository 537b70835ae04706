/* Depthwise and separable convolution of 1 or 2 spatial axes: a convolution with as many groups as channels, whose kernel
 * (.., channels, multiplier) has the memory layout of the grouped one (.., 1, channels * multiplier). */
#ifndef STRATA_LAYERS_CONV_DEPTH_H
#define STRATA_LAYERS_CONV_DEPTH_H

#include "layers/conv.h"

/* The data_format; strides and dilation_rate go together here. */
bool strata_conv_depth_check(void *config, enum flavour flavour, strata_error *err);

/* filters 0: depth_multiplier outputs a channel. */
bool strata_conv_depth_shape(const struct conv_config *c, int dims, const char *class_name, size_t filters,
                             const struct shape *in, struct shape *out, strata_error *err);

bool strata_depthwise_weights(const struct conv_config *c, int dims, const struct shape *in, struct weights *ask);
bool strata_depthwise_forward(const struct conv_config *c, int dims, const struct step *s, strata_error *err);
bool strata_depthwise_backward(const struct conv_config *c, int dims, const struct step *s, strata_error *err);

/* keep and work hold what lies between the depthwise and the pointwise half. */
size_t strata_separable_between(const struct conv_config *c, int dims, size_t n, const struct shape *in,
                                const struct shape *out);
bool strata_separable_weights(const struct conv_config *c, int dims, const struct shape *in, struct weights *ask);
bool strata_separable_forward(const struct conv_config *c, int dims, const struct step *s, strata_error *err);
bool strata_separable_backward(const struct conv_config *c, int dims, const struct step *s, strata_error *err);

#endif
